import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readAssignment, readSubscription } from "../../../src/api/consumer_protocol.ts";
import type { CoordinatorRecord } from "../../../src/api/coordinator_record/coordinator_record.ts";
import {
  type GroupRecord,
  groupRecords,
} from "../../../src/api/coordinator_record/group_record.ts";
import type { Field, Fields } from "../../../src/api/schema.ts";
import { createHostCompressors } from "../../../src/host/compressor.ts";
import { BatchWalk } from "../../../src/record/batch_walk.ts";
import { decompressWith } from "../../../src/record/compression.ts";
import { RecordCursor } from "../../../src/record/record_cursor.ts";
import { decodeRecord, encodeRecord } from "../../../src/runtime/coordinator/record_codec.ts";
import { defaultOf } from "../../../src/wire/defaults.ts";
import { hexOf } from "../../wire/hex.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** What Kafka's decoder says; fields that have their default may be left out. */
interface KafkaRecord {
  readonly key: { readonly type: string; readonly data: KafkaData };
  readonly value: { readonly version: string; readonly data: KafkaData } | null;
}

type KafkaData = Readonly<Record<string, unknown>>;

const kafkaRecords: readonly KafkaRecord[] = readFileSync(`${HERE}records.ndjson`, "utf8")
  .trim().split("\n").map((line) => JSON.parse(line) as KafkaRecord);

interface Bytes {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** The records of the log, in order. */
function recordsOfLog(): Bytes[] {
  const walk = new BatchWalk(new Uint8Array(readFileSync(`${HERE}00000000000000000000.log`)));
  const decompress = decompressWith(createHostCompressors());
  const cursor = new RecordCursor({ decompress, inflatedBytesMax: 1 << 20 });
  const records: Bytes[] = [];
  while (walk.next()) {
    cursor.open(walk.batch);
    while (cursor.next()) {
      records.push({
        key: (cursor.key() as Uint8Array).slice(),
        value: cursor.value()?.slice() ?? null,
      });
    }
    expect(cursor.failure).toBeUndefined();
  }
  expect(walk.ending()).toBe("clean");
  return records;
}

/** Kafka's JSON of a struct as our codec would give it, with every field of every version. */
function structOf(fields: Fields, data: KafkaData): KafkaData {
  return Object.fromEntries(fields.map((field) => [field.name, valueOf(field, data[field.name])]));
}

function valueOf(field: Field, json: unknown): unknown {
  if (json === undefined) return defaultOf(field);
  if (json === null) return null;
  if ("struct" in field) return structOf(field.struct, json as KafkaData);
  if ("array" in field) {
    const { array } = field;
    if (typeof array === "string") return json;
    return (json as readonly KafkaData[]).map((element) => structOf(array, element));
  }
  if (field.type === "bigint64") return BigInt(json as string);
  if (field.type === "bytes" && typeof json === "string") return bytesOfBase64(json);
  return json;
}

function bytesOfBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
}

/** Kafka's decoder looks into what members say to each other; so does this. */
function withProtocolRead(record: GroupRecord): unknown {
  if (record.kind !== "GroupMetadata" || record.value === null) return record;
  const members = record.value.members.map((member) => ({
    ...member,
    subscription: withoutVersion(readSubscription(member.subscription)),
    assignment: withoutVersion(readAssignment(member.assignment)),
  }));
  return { ...record, value: { ...record.value, members } };
}

function withoutVersion<T extends { readonly version: number }>(
  value: T | undefined,
): Omit<T, "version"> | undefined {
  if (value === undefined) return undefined;
  expect(value.version).toBe(3);
  const { version: _, ...rest } = value;
  return rest;
}

function schemaOf(type: string): CoordinatorRecord {
  return groupRecords.find((schema) => schema.type === Number(type)) as CoordinatorRecord;
}

describe("a log of groups that Kafka has written", () => {
  const records = recordsOfLog();

  test("has records of every type that Kafka 4.1 writes", () => {
    expect(records).toHaveLength(kafkaRecords.length);
    const types = new Set(kafkaRecords.map(({ key }) => Number(key.type)));
    expect([...types].sort((left, right) => left - right)).toEqual([1, 2, 3, 5, 6, 7, 8, 16]);
  });

  test("is decoded as Kafka decodes it", () => {
    for (const [index, { key, value }] of kafkaRecords.entries()) {
      const schema = schemaOf(key.type);
      const bytes = records[index] as Bytes;
      const record = decodeRecord(bytes.key, bytes.value) as GroupRecord;
      expect(withProtocolRead(record)).toEqual({
        kind: schema.name,
        key: structOf(schema.key, key.data),
        value: value === null ? null : structOf(schema.value, value.data),
      });
    }
  });

  test("is encoded to the same bytes again", () => {
    for (const { key, value } of records) {
      const encoded = encodeRecord(decodeRecord(key, value) as GroupRecord);
      expect(hexOf(encoded.key)).toBe(hexOf(key));
      expect(encoded.value === null ? null : hexOf(encoded.value))
        .toBe(value === null ? null : hexOf(value));
    }
  });
});
