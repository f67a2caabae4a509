/**
 * Lines of facts about the fields of a message in one version: Kafka's, as `extract_messages.ts` has
 * written them down, and ours, in the same words. Equal lines are equal fields.
 */
import type { Field, Fields } from "../../src/api/schema.ts";
import { defaultOf } from "../../src/wire/defaults.ts";
import { includesVersion } from "../../src/wire/version_range.ts";

/** Kafka counts its tags from 0; from here on they are mq's own. */
export const OWN_TAGS_FROM = 10_000;

/** The fields that Kafka has in one version, a line each. */
export function kafkaLines(facts: readonly string[], version: number): string[] {
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
export function ourLines(fields: Fields, version: number, path = ""): string[] {
  const lines: string[] = [];
  for (const field of fields) {
    if (!includesVersion(field.versions, version) || isOwn(field)) continue;
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

/** Tagged fields of mq itself, which every Kafka skips (KIP-482). */
function isOwn({ tag }: Field): boolean {
  return tag !== undefined && tag >= OWN_TAGS_FROM;
}

function typeOf(field: Field): string {
  if ("type" in field) return field.type === "bigint64" ? "int64" : field.type;
  if ("struct" in field) return "struct";
  return typeof field.array === "string" ? `[]${field.array}` : "[]struct";
}

function ourDefault(field: Field): string {
  const standard = defaultOf(field);
  if (standard instanceof Uint8Array) return "bytes";
  if (typeof standard === "bigint") return String(standard);
  if (standard !== null && "struct" in field) return "{}";
  return JSON.stringify(standard);
}
