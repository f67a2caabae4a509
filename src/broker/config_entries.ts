/** Settings as the protocol tells them: value, type, where the value comes from, and its synonyms. */
import { GROUP_SETTINGS } from "../metadata/group_config.ts";
import { canonicalText, type Setting, type SettingType } from "../metadata/setting.ts";
import { TOPIC_SETTINGS, type TopicSetting } from "../metadata/topic_config.ts";
import { BROKER_SETTINGS, BrokerSettings } from "../runtime/broker_settings.ts";

/** Kafka: DescribeConfigsResponse.ConfigSource. */
const SOURCE_TOPIC = 1;
const SOURCE_STATIC_BROKER = 4;
const SOURCE_DEFAULT = 5;
const SOURCE_GROUP = 8;

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
  return TOPIC_SETTINGS.map((setting: TopicSetting) => {
    const synonyms = topicSynonyms(setting, own, broker);
    const description = describe(setting, synonyms, false);
    const isInOtherUnit = description.configSource === SOURCE_STATIC_BROKER &&
      synonyms[0]?.name !== setting.synonym;
    if (!isInOtherUnit) return description;
    return { ...description, value: broker.text(setting.synonym as string) ?? null };
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

export function groupConfigDescriptions(
  own: ReadonlyMap<string, string>,
  broker: BrokerSettings,
): readonly ConfigDescription[] {
  return GROUP_SETTINGS.map((setting) => {
    const { name, synonym } = setting;
    const ownValue = own.get(name);
    const brokerValue = broker.given(synonym);
    return describe(setting, [
      ...ownValue === undefined ? [] : [{ name, value: ownValue, source: SOURCE_GROUP }],
      ...brokerValue === undefined
        ? []
        : [{ name: synonym, value: brokerValue, source: SOURCE_STATIC_BROKER }],
      ...defaultOf({ ...setting, name: synonym }),
    ], false);
  });
}

/**
 * Every place that has a value, the one in force first. Values are told in one form however they were
 * written (kafka: ConfigHelper.createTopicConfigEntry), under the names that they were given by.
 */
function topicSynonyms(
  setting: TopicSetting,
  own: ReadonlyMap<string, string>,
  broker: BrokerSettings,
): readonly Synonym[] {
  const synonyms: Synonym[] = [];
  const ownValue = own.get(setting.name);
  if (ownValue !== undefined) {
    const value = canonicalText(setting, ownValue);
    synonyms.push({ name: setting.name, value, source: SOURCE_TOPIC });
  }
  for (const name of brokerNames(setting)) {
    const value = broker.given(name);
    if (value !== undefined) {
      const text = name === setting.synonym ? canonicalText(setting, value) : value;
      synonyms.push({ name, value: text, source: SOURCE_STATIC_BROKER });
    }
  }
  return [...synonyms, ...defaultOf({ ...setting, name: setting.synonym ?? setting.name })];
}

/** Settings of the broker that give the default for a topic's, the first one that is given first. */
function brokerNames({ synonym }: TopicSetting): readonly string[] {
  if (synonym === undefined) return [];
  return [synonym, ...BrokerSettings.inOtherUnits(synonym)];
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
