/**
 * Our schemas against Kafka 4.1's own message definitions (facts in `test/golden/`).
 *
 * Compared version by version over what we serve: the fields in their order, with type, nullability,
 * tag and default. What Kafka has beyond the served versions is not ours to have.
 */
import { describe, expect, test } from "bun:test";
import { apis } from "../../src/api/registry.ts";
import type { Api } from "../../src/api/schema.ts";
import table from "../golden/kafka_4_1_messages.json" with { type: "json" };
import { kafkaLines, ourLines } from "./kafka_facts.ts";

type KafkaFacts = (typeof table)[number];

const kafkaByName = new Map<string, KafkaFacts>(table.map((facts) => [facts.name, facts]));

function kafkaOf(api: Api): KafkaFacts {
  return kafkaByName.get(api.name) as KafkaFacts;
}

/** "6+", or "none" where no version is. */
function flexibleVersions({ flexibleFrom }: Api): string {
  return flexibleFrom === undefined ? "none" : `${flexibleFrom}+`;
}

function bounds(range: string): [number, number] {
  const [low, high] = range.split("-") as [string, string?];
  return [Number(low), Number(high ?? low)];
}

describe("schemas against Kafka 4.1", () => {
  test("every served API has its facts, in the order of the registry", () => {
    expect(table.map(({ name }) => name)).toEqual(apis.map(({ name }) => name));
  });

  for (const api of apis) {
    test(`${api.name} has Kafka's key, versions and flexible versions`, () => {
      const kafka = kafkaOf(api);
      expect(api.key).toBe(kafka.key);
      expect(flexibleVersions(api)).toBe(kafka.flexible);
      expect(kafka.responseFlexible).toBe(kafka.flexible);
      const [low, high] = bounds(kafka.versions);
      expect(api.versions[0]).toBeGreaterThanOrEqual(low);
      expect(api.versions[1]).toBeLessThanOrEqual(high);
      expect(kafka.responseVersions).toBe(kafka.versions);
    });

    test(`${api.name} has Kafka's fields in every served version`, () => {
      const kafka = kafkaOf(api);
      for (let version = api.versions[0]; version <= api.versions[1]; version++) {
        const where = `version ${version}`;
        expect([where, ...ourLines(api.request, version)])
          .toEqual([where, ...kafkaLines(kafka.request, version)]);
        expect([where, ...ourLines(api.response, version)])
          .toEqual([where, ...kafkaLines(kafka.response, version)]);
      }
    });
  }
});
