/** Settings as the protocol tells them: value, type, where the value comes from, and its synonyms. */
import type { Setting, SettingType } from "../metadata/setting.ts";
import { TOPIC_SETTINGS, type TopicSetting } from "../metadata/topic_config.ts";
import { BROKER_SETTINGS, type BrokerSettings } from "../runtime/broker_settings.ts";

/** Kafka: DescribeConfigsResponse.ConfigSource. */
const SOURCE_TOPIC = 1;
const SOURCE_STATIC_BROKER = 4;
const SOURCE_DEFAULT = 5;

/** Kafka: DescribeConfigsResponse.ConfigType. */
const TYPE: Readonly<Record<SettingType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
};

interface Synonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

export interface ConfigDescription {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly synonyms: readonly Synonym[];
  readonly configType: number;
  readonly documentation: string;
}

export function topicConfigDescriptions(
  own: ReadonlyMap<string, string>,
  broker: BrokerSettings,
): readonly ConfigDescription[] {
  return TOPIC_SETTINGS.map((setting) => {
    const synonyms = topicSynonyms(setting, own, broker);
    return describe(setting, synonyms, false);
  });
}

/** The same in the shorter form of the CreateTopics response. */
export function topicConfigEntries(
  own: ReadonlyMap<string, string>,
  broker: BrokerSettings,
): readonly Pick<
  ConfigDescription,
  "name" | "value" | "readOnly" | "configSource" | "isSensitive"
>[] {
  return topicConfigDescriptions(own, broker);
}

export function brokerConfigDescriptions(broker: BrokerSettings): readonly ConfigDescription[] {
  return BROKER_SETTINGS.map((setting) => {
    const text = broker.text(setting.name);
    const given = text === undefined
      ? []
      : [{ name: setting.name, value: text, source: SOURCE_STATIC_BROKER }];
    return describe(setting, [...given, ...defaultOf(setting)], true);
  });
}

/** Every place that has a value, the one in force first. */
function topicSynonyms(
  setting: TopicSetting,
  own: ReadonlyMap<string, string>,
  broker: BrokerSettings,
): readonly Synonym[] {
  const synonyms: Synonym[] = [];
  const ownValue = own.get(setting.name);
  if (ownValue !== undefined) {
    synonyms.push({ name: setting.name, value: ownValue, source: SOURCE_TOPIC });
  }
  if (setting.synonym !== undefined) {
    const value = broker.text(setting.synonym);
    if (value !== undefined) {
      synonyms.push({ name: setting.synonym, value, source: SOURCE_STATIC_BROKER });
    }
  }
  return [...synonyms, ...defaultOf({ ...setting, name: setting.synonym ?? setting.name })];
}

function defaultOf({ name, default: value }: Setting): readonly Synonym[] {
  return value === undefined ? [] : [{ name, value, source: SOURCE_DEFAULT }];
}

function describe(
  setting: Setting,
  synonyms: readonly Synonym[],
  readOnly: boolean,
): ConfigDescription {
  const isSensitive = setting.isSensitive === true;
  const hidden = (synonym: Synonym): Synonym => ({ ...synonym, value: null });
  return {
    name: setting.name,
    value: isSensitive ? null : synonyms[0]?.value ?? null,
    readOnly,
    configSource: synonyms[0]?.source ?? SOURCE_DEFAULT,
    isSensitive,
    synonyms: isSensitive ? synonyms.map(hidden) : synonyms,
    configType: TYPE[setting.type],
    documentation: setting.doc,
  };
}
