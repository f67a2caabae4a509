/**
 * Keys and values of records of groups: what is written is what is read, and Kafka agrees.
 *
 * `kafka_4_1_group_records_bytes.json` holds lines of name, "key" or "value", version and the bytes of
 * the fields: random ones that the generated classes of Apache Kafka 4.1.1 have read and written back
 * equal.
 */
import { describe, expect, test } from "bun:test";
import type { CoordinatorRecord } from "../../../src/api/coordinator_record/coordinator_record.ts";
import { groupRecords } from "../../../src/api/coordinator_record/group_record.ts";
import { legacyOffsetCommitRecord } from "../../../src/api/coordinator_record/legacy_offset_commit.ts";
import type { Fields } from "../../../src/api/schema.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { Reader } from "../../../src/ground/reader.ts";
import { Writer } from "../../../src/ground/writer.ts";
import { readerOf, writerOf } from "../../../src/wire/codec.ts";
import kafkaBytes from "../../golden/kafka_4_1_group_records_bytes.json" with { type: "json" };
import { bytesOfHex, hexOf } from "../../wire/hex.ts";
import { randomStruct, seedOf } from "../../wire/random_message.ts";

const ROUNDS = 40;

const records: readonly CoordinatorRecord[] = [legacyOffsetCommitRecord, ...groupRecords];

interface Part {
  readonly name: string;
  readonly fields: Fields;
  readonly version: number;
  readonly flexible: boolean;
}

/** The key, and the value in each of its versions. */
function partsOf({ key, value, valueVersions, flexibleFrom }: CoordinatorRecord): Part[] {
  const parts: Part[] = [{ name: "key", fields: key, version: 0, flexible: false }];
  for (let version = valueVersions[0]; version <= valueVersions[1]; version++) {
    const flexible = flexibleFrom !== undefined && version >= flexibleFrom;
    parts.push({ name: "value", fields: value, version, flexible });
  }
  return parts;
}

describe("records of groups", () => {
  const seed = seedOf("records of groups");
  for (const record of records) {
    test(`${record.name} comes back as it went, in every version`, () => {
      for (const { fields, version, flexible } of partsOf(record)) {
        const prng = new Prng(seed + record.type * 100 + version);
        for (let round = 0; round < ROUNDS; round++) {
          const given = randomStruct(prng, fields, version);
          const writer = new Writer();
          writerOf(fields, version, flexible)(writer, given as never);
          const reader = new Reader(writer.finish());
          const read: unknown = readerOf(fields, version, flexible)(reader);
          expect([reader.failure, reader.remaining]).toEqual([undefined, 0]);
          expect(read).toEqual(given);
        }
      }
    });

    test(`${record.name} gives back Kafka's bytes, in every version`, () => {
      for (const { name, fields, version, flexible } of partsOf(record)) {
        const start = `${record.name} ${name} ${version} `;
        const lines = kafkaBytes.filter((line) => line.startsWith(start));
        expect([start, lines.length > 0]).toEqual([start, true]);
        for (const line of lines) {
          const reader = new Reader(bytesOfHex(line.slice(start.length)));
          const read = readerOf(fields, version, flexible)(reader);
          expect([line, reader.failure, reader.remaining]).toEqual([line, undefined, 0]);
          const writer = new Writer();
          writerOf(fields, version, flexible)(writer, read);
          expect(start + hexOf(writer.finish())).toBe(line);
        }
      }
    });
  }
});
