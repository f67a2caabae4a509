/**
 * Our schemas against Kafka 4.1's own message definitions (facts in `test/golden/`).
 *
 * Compared version by version over what we serve: the fields in their order, with type, nullability,
 * tag and default. What Kafka has beyond the served versions is not ours to have.
 */
import { describe, expect, test } from "bun:test";
import { apis } from "../../src/api/registry.ts";
import type { Api, Field, Fields } from "../../src/api/schema.ts";
import { defaultOf } from "../../src/wire/defaults.ts";
import { includesVersion } from "../../src/wire/version_range.ts";
import table from "../golden/kafka_4_1_messages.json" with { type: "json" };

type KafkaFacts = (typeof table)[number];

const kafkaByName = new Map<string, KafkaFacts>(table.map((facts) => [facts.name, facts]));

function kafkaOf(api: Api): KafkaFacts {
  return kafkaByName.get(api.name) as KafkaFacts;
}

/** The fields that Kafka has in one version, a line each. */
function kafkaLines(facts: readonly string[], version: number): string[] {
  const lines: string[] = [];
  const absent: string[] = [];
  for (const fact of facts) {
    const [path, type, versions, ...rest] = fact.split(" ") as [
      string,
      string,
      string,
      ...string[],
    ];
    if (absent.some((prefix) => path.startsWith(prefix))) continue;
    if (!includesVersion(versions, version)) {
      absent.push(`${path}.`);
      continue;
    }
    const known = new Map(rest.map((part) => part.split("=") as [string, string]));
    const [tag, tagged] = (known.get("tag") ?? "").split(":") as [string, string?];
    lines.push(line(path, {
      type,
      mayBeNull: includesVersion(known.get("nullable"), version),
      tag: tagged !== undefined && includesVersion(tagged, version) ? tag : "",
      standard: kafkaDefault(type, known.get("default")),
    }));
  }
  return lines;
}

interface LineFacts {
  readonly type: string;
  readonly mayBeNull: boolean;
  readonly tag: string;
  readonly standard: string;
}

function line(path: string, { type, mayBeNull, tag, standard }: LineFacts): string {
  return `${path} ${type}${mayBeNull ? "?" : ""} tag=${tag} default=${standard}`;
}

/** Kafka's default as JSON: what it says, or what its generator takes for the type. */
function kafkaDefault(type: string, given: string | undefined): string {
  if (given === "null") return "null";
  if (type.startsWith("[]")) return "[]";
  switch (type) {
    case "struct":
      return "{}";
    case "string":
      return JSON.stringify(given ?? "");
    case "bool":
      return given ?? "false";
    case "uuid":
      return '"AAAAAAAAAAAAAAAAAAAAAA"';
    case "records":
    case "bytes":
      return "bytes";
    default:
      return String(Number(given ?? 0));
  }
}

/** The fields that our schema has in one version, a line each. */
function ourLines(fields: Fields, version: number, path = ""): string[] {
  const lines: string[] = [];
  for (const field of fields) {
    if (!includesVersion(field.versions, version)) continue;
    const name = path + field.name;
    lines.push(line(name, {
      type: typeOf(field),
      mayBeNull: includesVersion(field.nullable, version),
      tag: includesVersion(field.tagged, version) ? String(field.tag) : "",
      standard: ourDefault(field),
    }));
    const inner = "struct" in field ? field.struct : "array" in field ? field.array : "";
    if (typeof inner !== "string") lines.push(...ourLines(inner, version, `${name}.`));
  }
  return lines;
}

function typeOf(field: Field): string {
  if ("type" in field) return field.type;
  if ("struct" in field) return "struct";
  return typeof field.array === "string" ? `[]${field.array}` : "[]struct";
}

function ourDefault(field: Field): string {
  const standard = defaultOf(field);
  if (standard instanceof Uint8Array) return "bytes";
  if (standard !== null && "struct" in field) return "{}";
  return JSON.stringify(standard);
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
      expect(`${api.flexibleFrom}+`).toBe(kafka.flexible);
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
