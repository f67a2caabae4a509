/**
 * Random values of a schema in one version, as a reader would give them: what the version lacks has
 * its default. For round trips, fuzzing and the comparison with Kafka's own classes.
 */
import process from "node:process";
import type { Field, Fields, Primitive } from "../../src/api/schema.ts";
import type { Prng } from "../../src/ground/prng.ts";
import { uuidFromBytes } from "../../src/ground/uuid.ts";
import { defaultOf } from "../../src/wire/defaults.ts";
import { includesVersion } from "../../src/wire/version_range.ts";

/** The seed of a random test: MQ_SEED, or one that is always the same. */
export function seedOf(test: string): number {
  const seed = Number(process.env["MQ_SEED"] ?? 41);
  console.log(`${test}: MQ_SEED=${seed}`);
  return seed;
}

export function randomStruct(
  prng: Prng,
  fields: Fields,
  version: number,
): Record<string, unknown> {
  const struct: Record<string, unknown> = {};
  for (const field of fields) {
    struct[field.name] = includesVersion(field.versions, version)
      ? randomValue(prng, field, version)
      : defaultOf(field);
  }
  return struct;
}

function randomValue(prng: Prng, field: Field, version: number): unknown {
  if (includesVersion(field.nullable, version) && prng.oneIn(3)) return null;
  if (includesVersion(field.tagged, version) && prng.oneIn(2)) return defaultOf(field);
  if ("struct" in field) return randomStruct(prng, field.struct, version);
  if ("type" in field) return randomPrimitive(prng, field.type);
  const element = field.array;
  const count = prng.oneIn(3) ? 0 : prng.oneIn(40) ? 150 : prng.below(4);
  return Array.from(
    { length: count },
    () =>
      typeof element === "string"
        ? randomPrimitive(prng, element)
        : randomStruct(prng, element, version),
  );
}

const TEXTS = ["", "a", "orders", "größe", "主题", "a.b_c-d", "\u{1f980}", "x".repeat(200)];
const INT64S = [
  ...[0, -1, 1, 2 ** 32 - 1, 2 ** 32, -(2 ** 31), 2 ** 31, -(2 ** 32), -(2 ** 32) - 1],
  ...[Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER],
];

function randomPrimitive(prng: Prng, type: Primitive): unknown {
  switch (type) {
    case "bool":
      return prng.oneIn(2);
    case "string":
      return TEXTS[prng.below(TEXTS.length)];
    case "bytes":
    case "records":
      return prng.bytes(prng.oneIn(10) ? 300 : prng.below(20));
    case "bigint64":
      return new DataView(prng.bytes(8).buffer).getBigInt64(0);
    case "uuid":
      return uuidFromBytes(prng.bytes(16));
    default:
      return randomNumber(prng, type);
  }
}

function randomNumber(prng: Prng, type: Primitive): number {
  switch (type) {
    case "int8":
      return prng.between(-128, 127);
    case "int16":
      return prng.between(-32768, 32767);
    case "uint16":
      return prng.below(65536);
    case "uint32":
      return prng.u32();
    case "int64":
      return prng.oneIn(2)
        ? INT64S[prng.below(INT64S.length)] as number
        : (prng.below(2 ** 21) * 2 ** 32 + prng.u32()) * (prng.oneIn(2) ? 1 : -1);
    case "float64":
      return (prng.u32() - 2 ** 31) / 1024;
    default:
      return prng.oneIn(4) ? prng.between(-1, 1) : prng.u32() | 0;
  }
}
