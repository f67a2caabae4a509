/**
 * Keys and values of the records of `__consumer_offsets`, to and from bytes.
 *
 *     key   = type: int16, fields of the key
 *     value = version: int16, fields of the value in that version
 *
 * Versions are written as Kafka 4.1 writes them, and all that it reads are read, so that a log may
 * be carried over in either direction. Records of other kinds of groups (share, streams), and of what
 * a later Kafka may add, are told as unknown: whoever replays skips them, as Kafka does. A record of
 * a known type that cannot be read is another matter: it is undefined, and stands for a log that is
 * not to be trusted.
 *
 * Not here: which records a group writes, and what they mean.
 */
import type { CoordinatorRecord } from "../../api/coordinator_record/coordinator_record.ts";
import {
  type GroupRecord,
  type GroupRecordKind,
  groupRecords,
  type OffsetCommitRecord,
} from "../../api/coordinator_record/group_record.ts";
import { legacyOffsetCommitRecord } from "../../api/coordinator_record/legacy_offset_commit.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import { Reader } from "../../ground/reader.ts";
import { Writer } from "../../ground/writer.ts";
import { readerOf, writerOf } from "../../wire/codec.ts";

export interface EncodedRecord {
  readonly key: Uint8Array;
  /** Null = a tombstone. */
  readonly value: Uint8Array | null;
}

/** A record of a type that is not a group's, or not one that is known here. */
export interface UnknownRecord {
  readonly kind: "unknown";
  readonly type: number;
}

/** Keys have one version for all time: a new one would be a new type. */
const KEY_VERSION = 0;
/** Leader epoch and times of a commit that has none. */
const NOT_TOLD = -1;

const schemaByKind: ReadonlyMap<GroupRecordKind, CoordinatorRecord> = new Map(
  groupRecords.map((schema) => [schema.name, schema]),
);

const schemaByType: ReadonlyMap<number, CoordinatorRecord> = new Map(
  [legacyOffsetCommitRecord, ...groupRecords].map((schema) => [schema.type, schema]),
);

/** The bytes of a record, in the versions that Kafka 4.1 writes. */
export function encodeRecord(record: GroupRecord): EncodedRecord {
  const schema = schemaByKind.get(record.kind) as CoordinatorRecord;
  const key = new Writer(64);
  key.int16(schema.type);
  writerOf(schema.key, KEY_VERSION, false)(key, record.key as never);
  if (record.value === null) return { key: key.finish(), value: null };
  const version = versionWritten(record);
  const value = new Writer(64);
  value.int16(version);
  writerOf(schema.value, version, isFlexible(schema, version))(value, record.value as never);
  return { key: key.finish(), value: value.finish() };
}

/** The record in these bytes; undefined where they are none. Nothing of it is a view of them. */
export function decodeRecord(
  key: Uint8Array | null,
  value: Uint8Array | null,
): GroupRecord | UnknownRecord | undefined {
  if (key === null) return undefined;
  const reader = new Reader(key);
  const type = reader.int16();
  if (reader.failure !== undefined) return undefined;
  const schema = schemaByType.get(type);
  if (schema === undefined) return { kind: "unknown", type };
  const keyFields = readerOf(schema.key, KEY_VERSION, false)(reader);
  if (reader.failure !== undefined) return undefined;
  const valueFields = value === null ? null : decodeValue(schema, value);
  if (valueFields === undefined) return undefined;
  const record = { kind: schema.name, key: keyFields, value: valueFields };
  if (type === legacyOffsetCommitRecord.type) {
    return modern(record as unknown as OffsetCommitRecord);
  }
  return withoutEmptyClassic(record as unknown as GroupRecord);
}

function decodeValue(schema: CoordinatorRecord, value: Uint8Array): unknown {
  const reader = new Reader(value);
  const version = reader.int16();
  const [low, high] = schema.valueVersions;
  if (reader.failure !== undefined || version < low || version > high) return undefined;
  const fields = readerOf(schema.value, version, isFlexible(schema, version))(reader);
  return reader.failure === undefined ? fields : undefined;
}

function isFlexible({ flexibleFrom }: CoordinatorRecord, version: number): boolean {
  return flexibleFrom !== undefined && version >= flexibleFrom;
}

/** kafka: GroupCoordinatorRecordHelpers. */
function versionWritten(record: GroupRecord): number {
  switch (record.kind) {
    case "OffsetCommit":
      // Version 1 alone has room for an expiry timestamp; what else it lacks is lost, as in Kafka.
      return record.value !== null && record.value.expireTimestamp !== NOT_TOLD ? 1 : 4;
    case "GroupMetadata":
      return 3; // so that brokers before Kafka 3.5 can read it (KIP-915)
    default:
      return 0;
  }
}

/**
 * A member without a word of the classic protocol does not speak it: so it was written before Kafka
 * 3.8, which had no such field.
 */
function withoutEmptyClassic(record: GroupRecord): GroupRecord {
  if (record.kind !== "ConsumerGroupMemberMetadata" || record.value === null) return record;
  const classic = record.value.classicMemberMetadata;
  return classic === null || classic.supportedProtocols.length > 0
    ? record
    : { ...record, value: { ...record.value, classicMemberMetadata: null } };
}

/** A commit of old in the form of today's. */
function modern({ key, value }: OffsetCommitRecord): OffsetCommitRecord {
  if (value === null) return { kind: "OffsetCommit", key, value };
  const { offset, metadata, commitTimestamp } = value;
  return {
    kind: "OffsetCommit",
    key,
    value: {
      offset,
      leaderEpoch: NOT_TOLD,
      metadata,
      commitTimestamp,
      expireTimestamp: NOT_TOLD,
      topicId: ZERO_UUID,
      advanceTimestamp: NOT_TOLD,
    },
  };
}
