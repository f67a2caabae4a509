/**
 * The table of topic settings against Kafka 4.1's own (`test/golden/TopicConfigs.java` wrote it):
 * names, types, defaults, bounds, synonyms, and which of many values are accepted.
 */
import { describe, expect, test } from "bun:test";
import { canonicalText, type Setting } from "../../src/metadata/setting.ts";
import {
  refuseTopicConfigs,
  TOPIC_SETTINGS,
  type TopicSetting,
} from "../../src/metadata/topic_config.ts";
import kafka from "../golden/kafka_4_1_topic_configs.json" with { type: "json" };

/** What mq has beside Kafka's; no other name may be missing on either side. */
const OWN_NAMES = ["mq.durability", "mq.record.validation"];

/** Spellings that Java reads as doubles and nobody means; "NaN" would stop all compaction. */
const NOT_READ: readonly string[] = ["1d", "NaN"];

const ours: readonly TopicSetting[] = TOPIC_SETTINGS;
const accepted: Readonly<Record<string, readonly string[]>> = kafka.accepted;

/** Our bounds in the words of Kafka's validators. */
function validatorOf(setting: Setting): string | null {
  const { type, min, max, also, values, form } = setting;
  if (form !== undefined) return "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
  if (values !== undefined) return [...values].sort().join(", ");
  if (type === "boolean" || min === undefined) return null;
  const bounds = max === undefined ? `[${min},...]` : `[${min},...,${max}]`;
  return also === undefined ? bounds : `${bounds} or ${also}`;
}

function kafkaValidatorOf(text: string | null, setting: Setting): string | null {
  if (text === null || setting.values === undefined) return text;
  return text.slice(1, -1).split(", ").sort().join(", ");
}

describe("TOPIC_SETTINGS", () => {
  test("has the names of Kafka 4.1, and its own that begin with mq.", () => {
    const kafkaNames = kafka.settings.map(({ name }) => name);
    expect(ours.map(({ name }) => name).sort()).toEqual([...kafkaNames, ...OWN_NAMES].sort());
    expect(OWN_NAMES.every((name) => name.startsWith("mq."))).toBeTrue();
  });

  for (const theirs of kafka.settings) {
    test(`${theirs.name} is what it is in Kafka`, () => {
      const setting = ours.find(({ name }) => name === theirs.name) as TopicSetting;
      expect({
        type: setting.type,
        default: setting.default,
        validator: validatorOf(setting),
        synonym: setting.synonym ?? null,
      }).toEqual({
        type: theirs.type as Setting["type"],
        default: theirs.default,
        validator: kafkaValidatorOf(theirs.validator, setting),
        synonym: theirs.synonym,
      });
    });

    test(`${theirs.name} takes the values that Kafka takes, and no others`, () => {
      const isTaken = (value: string): boolean =>
        refuseTopicConfigs(new Map([[theirs.name, value]]), () => undefined) === undefined;
      const wanted = (accepted[theirs.name] ?? []).filter((value) => !NOT_READ.includes(value));
      expect(kafka.values.filter(isTaken)).toEqual(wanted);
    });
  }
});

describe("canonicalText()", () => {
  test("is what Kafka shows of a value, however it was written", () => {
    const text = (name: string, value: string): string =>
      canonicalText(ours.find((setting) => setting.name === name) as TopicSetting, value);
    expect(text("retention.ms", " 07 ")).toBe("7");
    expect(text("flush.ms", "9223372036854775807")).toBe("9223372036854775807");
    expect(text("retention.ms", "+5")).toBe("5");
    expect(text("min.cleanable.dirty.ratio", "1")).toBe("1.0");
    expect(text("min.cleanable.dirty.ratio", "0.50")).toBe("0.5");
    expect(text("cleanup.policy", "compact, delete")).toBe("compact,delete");
    expect(text("preallocate", " TRUE ")).toBe("true");
    expect(text("retention.ms", "what")).toBe("what");
  });
});
