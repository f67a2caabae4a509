import { describe, expect, test } from "bun:test";
import type { CoordinatorRecord } from "../../../src/api/coordinator_record/coordinator_record.ts";
import {
  type GroupRecord,
  groupRecords,
} from "../../../src/api/coordinator_record/group_record.ts";
import { legacyOffsetCommitRecord } from "../../../src/api/coordinator_record/legacy_offset_commit.ts";
import type { Fields } from "../../../src/api/schema.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { type Uuid, ZERO_UUID } from "../../../src/ground/uuid.ts";
import { Writer } from "../../../src/ground/writer.ts";
import { decodeRecord, encodeRecord } from "../../../src/runtime/coordinator/record_codec.ts";
import { writerOf } from "../../../src/wire/codec.ts";
import { bytesOfHex, hexOf } from "../../wire/hex.ts";
import { randomStruct, seedOf } from "../../wire/random_message.ts";

const ROUNDS = 100;

/** The version that Kafka 4.1 writes of each record's value. */
const WRITTEN: Readonly<Record<string, number>> = { OffsetCommit: 4, GroupMetadata: 3 };

const offsetKey = { group: "g", topic: "orders", partition: 7 };
const offsetValue = {
  offset: 41,
  leaderEpoch: 3,
  metadata: "here",
  commitTimestamp: 1_700_000_000_000,
  expireTimestamp: -1,
  topicId: "aaaaaaaaaaaaaaaaaaaaaQ" as Uuid,
  advanceTimestamp: -1,
};

/** Bytes as any broker may have written them: the number in front, then the fields. */
function bytesOf(
  number: number,
  fields: Fields,
  { value, version, flexible }: { value: unknown; version: number; flexible: boolean },
): Uint8Array {
  const writer = new Writer();
  writer.int16(number);
  writerOf(fields, version, flexible)(writer, value as never);
  return writer.finish();
}

function keyBytes(record: CoordinatorRecord, key: unknown): Uint8Array {
  return bytesOf(record.type, record.key, { value: key, version: 0, flexible: false });
}

function valueBytes(record: CoordinatorRecord, value: unknown, version: number): Uint8Array {
  const flexible = record.flexibleFrom !== undefined && version >= record.flexibleFrom;
  return bytesOf(version, record.value, { value, version, flexible });
}

function randomRecord(prng: Prng, schema: CoordinatorRecord, version: number): GroupRecord {
  const key = randomStruct(prng, schema.key, 0);
  const value = randomStruct(prng, schema.value, version);
  const record = { kind: schema.name, key, value } as unknown as GroupRecord;
  if (record.kind !== "ConsumerGroupMemberMetadata" || record.value === null) return record;
  const classic = record.value.classicMemberMetadata;
  return classic !== null && classic.supportedProtocols.length > 0
    ? record
    : { ...record, value: { ...record.value, classicMemberMetadata: null } };
}

describe("encodeRecord() and decodeRecord()", () => {
  const seed = seedOf("record codec");
  for (const schema of groupRecords as readonly CoordinatorRecord[]) {
    test(`${schema.name} comes back as it went, in the version that Kafka writes`, () => {
      const prng = new Prng(seed + schema.type);
      const version = WRITTEN[schema.name] ?? 0;
      for (let round = 0; round < ROUNDS; round++) {
        const record = randomRecord(prng, schema, version);
        const { key, value } = encodeRecord(record);
        expect(hexOf(key.subarray(0, 2))).toBe(schema.type.toString(16).padStart(4, "0"));
        expect(hexOf((value as Uint8Array).subarray(0, 2))).toBe(`000${version}`);
        expect(decodeRecord(key, value)).toEqual(record);
      }
    });

    test(`${schema.name} is read in every version that Kafka reads, and in no other`, () => {
      const prng = new Prng(seed + schema.type);
      const [low, high] = schema.valueVersions;
      for (let version = low; version <= high; version++) {
        const record = randomRecord(prng, schema, version);
        const key = keyBytes(schema, record.key);
        expect(decodeRecord(key, valueBytes(schema, record.value, version))).toEqual(record);
      }
      const { key, value } = encodeRecord(randomRecord(prng, schema, low));
      for (const version of [-1, high + 1, 0x7fff]) {
        const later = (value as Uint8Array).slice();
        later[0] = version >> 8;
        later[1] = version;
        expect(decodeRecord(key, later)).toBeUndefined();
      }
    });

    test(`${schema.name} has tombstones`, () => {
      const prng = new Prng(seed + schema.type);
      const record = { ...randomRecord(prng, schema, 0), value: null } as GroupRecord;
      const { key, value } = encodeRecord(record);
      expect(value).toBeNull();
      expect(decodeRecord(key, value)).toEqual(record);
    });

    test(`${schema.name} that is cut off is no record`, () => {
      const prng = new Prng(seed + schema.type);
      const version = WRITTEN[schema.name] ?? 0;
      const { key, value } = encodeRecord(randomRecord(prng, schema, version));
      for (let length = 0; length < key.length; length++) {
        expect(decodeRecord(key.subarray(0, length), value)).toBeUndefined();
      }
      for (let length = 0; length < (value as Uint8Array).length; length++) {
        expect(decodeRecord(key, (value as Uint8Array).subarray(0, length))).toBeUndefined();
      }
    });
  }
});

describe("encodeRecord()", () => {
  test("writes a commit without an expiry timestamp in version 4, with the topic id", () => {
    const { key, value } = encodeRecord({
      kind: "OffsetCommit",
      key: offsetKey,
      value: offsetValue,
    });
    expect(hexOf(key)).toBe("0001" + "000167" + "00066f7264657273" + "00000007");
    expect(hexOf(value as Uint8Array)).toBe(
      "0004" + "0000000000000029" + "00000003" + "0568657265" + "0000018bcfe56800" +
        "01" + "00" + "10" + "69a69a69a69a69a69a69a69a69a69a69",
    );
  });

  test("adds since when an offset has not moved, in a field that Kafka skips", () => {
    const plain = encodeRecord({ kind: "OffsetCommit", key: offsetKey, value: offsetValue });
    const value = { ...offsetValue, advanceTimestamp: 1_600_000_000_000 };
    const encoded = encodeRecord({ kind: "OffsetCommit", key: offsetKey, value });
    const tagged = hexOf(plain.value as Uint8Array).replace("0100106", "0200106");
    expect(hexOf(encoded.value as Uint8Array)).toBe(`${tagged}904e0800000174876e8000`);
    expect(decodeRecord(encoded.key, encoded.value))
      .toEqual({ kind: "OffsetCommit", key: offsetKey, value });
  });

  test("leaves out a topic id that is not known", () => {
    const value = { ...offsetValue, topicId: ZERO_UUID };
    const encoded = encodeRecord({ kind: "OffsetCommit", key: offsetKey, value });
    expect(hexOf(encoded.value as Uint8Array)).toMatch(/0000018bcfe5680000$/);
  });

  test("writes a commit with an expiry timestamp in version 1", () => {
    const value = { ...offsetValue, expireTimestamp: 1_700_000_000_001 };
    const encoded = encodeRecord({ kind: "OffsetCommit", key: offsetKey, value });
    expect(hexOf(encoded.value as Uint8Array)).toBe(
      "0001" + "0000000000000029" + "000468657265" + "0000018bcfe56800" + "0000018bcfe56801",
    );
    expect(decodeRecord(encoded.key, encoded.value)).toEqual({
      kind: "OffsetCommit",
      key: offsetKey,
      value: { ...value, leaderEpoch: -1, topicId: ZERO_UUID },
    });
  });

  test("keeps all bits of a metadata hash", () => {
    for (const metadataHash of [0n, -1n, 1n << 62n, -(1n << 63n), (1n << 63n) - 1n]) {
      const record: GroupRecord = {
        kind: "ConsumerGroupMetadata",
        key: { groupId: "g" },
        value: { epoch: 4, metadataHash },
      };
      const { key, value } = encodeRecord(record);
      expect(decodeRecord(key, value)).toEqual(record);
    }
  });
});

describe("a member that does not speak the classic protocol", () => {
  const record: GroupRecord = {
    kind: "ConsumerGroupMemberMetadata",
    key: { groupId: "g", memberId: "m" },
    value: {
      instanceId: null,
      rackId: null,
      clientId: "c",
      clientHost: "/",
      subscribedTopicNames: [],
      subscribedTopicRegex: "",
      rebalanceTimeoutMs: 1,
      serverAssignor: null,
      classicMemberMetadata: null,
    },
  };
  const untold = "0000" + "00" + "00" + "0263" + "022f" + "01" + "01" + "00000001" + "00";

  test("is written with a null, for which Kafka has no default", () => {
    const { value } = encodeRecord(record);
    expect(hexOf(value as Uint8Array)).toBe(`${untold}01` + "00" + "01" + "00");
  });

  test("is read where nothing is said about it, and where it has no protocol", () => {
    const { key } = encodeRecord(record);
    const empty = "00" + "07" + "01" + "00000000" + "01" + "00";
    for (const tags of ["00", `01${empty}`]) {
      expect(decodeRecord(key, bytesOfHex(untold + tags))).toEqual(record);
    }
  });
});

describe("decodeRecord()", () => {
  test("reads a commit from before Kafka 0.9 as one of today", () => {
    const key = keyBytes(legacyOffsetCommitRecord, offsetKey);
    const legacy = { offset: 41, metadata: "here", commitTimestamp: 1_700_000_000_000 };
    expect(hexOf(key.subarray(0, 2))).toBe("0000");
    expect(decodeRecord(key, valueBytes(legacyOffsetCommitRecord, legacy, 0))).toEqual({
      kind: "OffsetCommit",
      key: offsetKey,
      value: { ...offsetValue, leaderEpoch: -1, topicId: ZERO_UUID },
    });
    expect(decodeRecord(key, null)).toEqual({ kind: "OffsetCommit", key: offsetKey, value: null });
  });

  test("tells types that are not a group's as unknown, whatever follows", () => {
    const known = new Set([0, ...groupRecords.map(({ type }) => type)]);
    for (const type of [-1, 9, 10, 15, 17, 22, 0x7fff]) {
      expect(known.has(type)).toBeFalse();
      const key = new Uint8Array([type >> 8, type, 1, 2, 3]);
      expect(decodeRecord(key, new Uint8Array(0))).toEqual({ kind: "unknown", type });
      expect(decodeRecord(key.subarray(0, 2), null)).toEqual({ kind: "unknown", type });
    }
  });

  test("refuses a record without a key", () => {
    expect(decodeRecord(null, new Uint8Array([0, 0]))).toBeUndefined();
  });

  test("leaves what a later version may have added behind the fields it knows", () => {
    const { key, value } = encodeRecord({
      kind: "ConsumerGroupMetadata",
      key: { groupId: "g" },
      value: { epoch: 4, metadataHash: 0n },
    });
    // An unknown tag, as KIP-915 lets a later Kafka add one.
    expect(hexOf(value as Uint8Array)).toBe("00000000000400");
    expect(decodeRecord(key, bytesOfHex("000000000004" + "01" + "09" + "02" + "abcd"))).toEqual({
      kind: "ConsumerGroupMetadata",
      key: { groupId: "g" },
      value: { epoch: 4, metadataHash: 0n },
    });
  });

  test("keeps nothing of the bytes that it was given", () => {
    const prng = new Prng(seedOf("record codec copies"));
    for (const schema of groupRecords as readonly CoordinatorRecord[]) {
      for (let round = 0; round < 20; round++) {
        const record = randomRecord(prng, schema, WRITTEN[schema.name] ?? 0);
        const { key, value } = encodeRecord(record);
        const decoded = decodeRecord(key, value);
        key.fill(0xff);
        (value as Uint8Array).fill(0xff);
        expect(decoded).toEqual(record);
      }
    }
  });

  test("neither throws nor reads on under rubbish", () => {
    const prng = new Prng(seedOf("record codec rubbish"));
    const tally = { records: 0, unknown: 0, corrupt: 0 };
    for (let round = 0; round < 60_000; round++) {
      const schema = groupRecords[prng.below(groupRecords.length)] as CoordinatorRecord;
      const { key, value } = encodeRecord(randomRecord(prng, schema, WRITTEN[schema.name] ?? 0));
      for (const bytes of [key, value as Uint8Array]) {
        for (let changes = prng.below(3); changes > 0; changes--) {
          bytes[prng.below(bytes.length)] = prng.oneIn(2) ? prng.u32() : prng.oneIn(2) ? 0 : 255;
        }
      }
      const decoded = decodeRecord(key, value);
      if (decoded === undefined) tally.corrupt++;
      else if (decoded.kind === "unknown") tally.unknown++;
      else tally.records++;
    }
    expect(tally.records).toBeGreaterThan(5_000);
    expect(tally.unknown).toBeGreaterThan(500);
    expect(tally.corrupt).toBeGreaterThan(5_000);
  });
});
