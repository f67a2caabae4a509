/** Our schemas of the records of groups against Kafka 4.1's own (facts in `test/golden/`). */
import { describe, expect, test } from "bun:test";
import type { CoordinatorRecord } from "../../../src/api/coordinator_record/coordinator_record.ts";
import { groupRecords } from "../../../src/api/coordinator_record/group_record.ts";
import { legacyOffsetCommitRecord } from "../../../src/api/coordinator_record/legacy_offset_commit.ts";
import table from "../../golden/kafka_4_1_group_records.json" with { type: "json" };
import { kafkaLines, ourLines } from "../kafka_facts.ts";

type KafkaFacts = (typeof table)[number];

const records: readonly CoordinatorRecord[] = [legacyOffsetCommitRecord, ...groupRecords];

describe("records of groups against Kafka 4.1", () => {
  test("every record has its facts, in the order of the types", () => {
    expect(table.map(({ name }) => name)).toEqual(records.map(({ name }) => name));
    const types = records.map(({ type }) => type);
    expect(types).toEqual([...new Set(types)].sort((left, right) => left - right));
  });

  for (const [index, record] of records.entries()) {
    const kafka = table[index] as KafkaFacts;

    test(`${record.name} has Kafka's type, versions and flexible versions`, () => {
      expect(record.type).toBe(kafka.type);
      expect([kafka.keyVersions, kafka.keyFlexible]).toEqual(["0", "none"]);
      const [low, high] = record.valueVersions;
      expect(low === high ? `${low}` : `${low}-${high}`).toBe(kafka.valueVersions);
      const { flexibleFrom } = record;
      expect(flexibleFrom === undefined ? "none" : `${flexibleFrom}+`).toBe(kafka.valueFlexible);
    });

    test(`${record.name} has Kafka's fields in every version`, () => {
      expect(ourLines(record.key, 0)).toEqual(kafkaLines(kafka.key, 0));
      for (let version = record.valueVersions[0]; version <= record.valueVersions[1]; version++) {
        const where = `version ${version}`;
        expect([where, ...ourLines(record.value, version)])
          .toEqual([where, ...kafkaLines(kafka.value, version)]);
      }
    });
  }
});
