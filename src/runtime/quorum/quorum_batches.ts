/**
 * The batches of the metadata log: made, and read back.
 *
 *     decision        ordinary batch, each value one msgpack record
 *     leader-change   control type 2, Kafka's LeaderChangeMessage 0: the first of a leader's term
 *     configuration   control type 0x6d71, a msgpack value: who votes from here on
 *
 * `partitionLeaderEpoch` is the Raft term. What is read was checked by its CRC before; still every value
 * is looked at, because another version may have written it.
 * Source: kafka: ControlRecordType, LeaderChangeMessage.json.
 */
import type { Crc32c } from "../../ground/crc32c.ts";
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { Reader } from "../../ground/reader.ts";
import { parseUuid } from "../../ground/uuid.ts";
import { Writer } from "../../ground/writer.ts";
import { asMetadataRecord, type MetadataRecord } from "../../metadata/record.ts";
import { type Configuration, type Voter, VOTER_COUNT_MAX } from "../../raft/configuration.ts";
import type { Entry } from "../../raft/entry.ts";
import { BatchBuilder } from "../../record/batch_builder.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { ATTRIBUTE_CONTROL, ATTRIBUTES_AT, CRC_AT } from "../../record/format.ts";
import { RecordCursor } from "../../record/record_cursor.ts";
import { decodeMessagePack, encodeMessagePack } from "../../wire/msgpack.ts";
import { DecisionUnsound, MetadataCorrupt } from "./not_controller.ts";

/** Kafka's own control types are small numbers. */
export const CONFIGURATION_TYPE = 0x6d71;
const LEADER_CHANGE_TYPE = 2;
const INFLATED_BYTES_MAX = 1024 * 1024 * 1024; // nothing here is compressed
const BYTES_MAX = Number.MAX_SAFE_INTEGER;
const LEARNER_COUNT_MAX = 1024;
const VERSION = 0;
/**
 * Records that are packed or read in one turn of the event loop: about 5 ms of a core that does it for
 * the first time. A thousand topics of ten partitions are 11,000, and heartbeats go on meanwhile.
 */
export const SLICE_RECORDS = 1000;

export interface BatchPlace {
  readonly baseOffset: number;
  readonly term: number;
  readonly timestamp: number;
}

export function encodeRecords(
  records: readonly MetadataRecord[],
  place: BatchPlace,
  crc32c: Crc32c,
): Uint8Array {
  const packed = new BatchBuilder({ bytesMax: BYTES_MAX, compressionType: "none" });
  for (const record of records) put(packed, record, place.timestamp);
  return finishBatch(packed, place, crc32c);
}

/**
 * The records of a decision, for a batch whose place is not known yet; `pause` gives others a turn.
 *
 * What is committed and cannot be replayed ends every node, now and at each start. So a decision that
 * took over something from outside which no record may hold fails here, before it is written.
 */
export async function packRecords(
  records: readonly MetadataRecord[],
  timestamp: number,
  pause: () => Promise<void>,
): Promise<BatchBuilder> {
  const packed = new BatchBuilder({ bytesMax: BYTES_MAX, compressionType: "none" });
  for (const record of records) {
    const reason = asMetadataRecord(record);
    if (typeof reason === "string") throw new DecisionUnsound(`Cannot decide: ${reason}`);
    // deno-lint-ignore no-await-in-loop -- that is what a pause is
    if (packed.recordCount > 0 && packed.recordCount % SLICE_RECORDS === 0) await pause();
    put(packed, record, timestamp);
  }
  return packed;
}

function put(builder: BatchBuilder, record: MetadataRecord, timestamp: number): void {
  builder.append({ key: null, value: encodeMessagePack(record), timestamp });
}

export function encodeLeaderChange(
  leaderId: number,
  voterIds: readonly number[],
  place: BatchPlace,
  crc32c: Crc32c,
): Uint8Array {
  const value = new Writer(64);
  value.int16(VERSION);
  value.int32(leaderId);
  writeVoterIds(value, voterIds);
  writeVoterIds(value, [leaderId]); // who granted their votes is not kept
  value.unsignedVarint(0);
  return encodeControl([[LEADER_CHANGE_TYPE, value.finish()]], place, crc32c);
}

export function encodeConfiguration(
  configuration: Configuration,
  place: BatchPlace,
  crc32c: Crc32c,
): Uint8Array {
  return encodeControl([[CONFIGURATION_TYPE, packConfiguration(configuration)]], place, crc32c);
}

/** A batch of control records, each a type and a value. */
export function encodeControl(
  controls: readonly (readonly [controlType: number, value: Uint8Array])[],
  place: BatchPlace,
  crc32c: Crc32c,
): Uint8Array {
  const builder = new BatchBuilder({ bytesMax: BYTES_MAX, compressionType: "none" });
  for (const [controlType, value] of controls) {
    const key = Uint8Array.of(0, VERSION, controlType >>> 8, controlType & 255);
    builder.append({ key, value, timestamp: place.timestamp });
  }
  const batch = finishBatch(builder, place, crc32c);
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  view.setInt16(ATTRIBUTES_AT, view.getInt16(ATTRIBUTES_AT) | ATTRIBUTE_CONTROL);
  view.setUint32(CRC_AT, crc32c(batch.subarray(ATTRIBUTES_AT)));
  return batch;
}

export function packConfiguration({ voters, outgoing, learners }: Configuration): Uint8Array {
  const packed = { version: VERSION, voters: voters.map(packVoter) };
  return encodeMessagePack({
    ...packed,
    ...(outgoing === undefined ? {} : { outgoing: outgoing.map(packVoter) }),
    learners: learners.map(packVoter),
  });
}

export interface ControlRecord {
  readonly controlType: number;
  readonly value: Uint8Array;
}

export function newCursor(): RecordCursor {
  const decompress = (): Uint8Array => {
    throw new MetadataCorrupt("Cannot read metadata: a batch is compressed");
  };
  return new RecordCursor({ decompress, inflatedBytesMax: INFLATED_BYTES_MAX });
}

/** The control records of a control batch. Throws `MetadataCorrupt`. */
export function controlsOf(batch: BatchView, cursor: RecordCursor): readonly ControlRecord[] {
  const controls: ControlRecord[] = [];
  cursor.open(batch);
  while (cursor.next()) {
    const reader = new Reader(cursor.key() ?? NO_BYTES);
    reader.int16();
    const controlType = reader.int16();
    if (reader.failure !== undefined) throw corrupt(batch, "a control record has no type");
    controls.push({ controlType, value: cursor.value() ?? NO_BYTES });
  }
  if (cursor.failure !== undefined) throw corrupt(batch, cursor.failure);
  return controls;
}

/** The descriptor of a batch that lies in the log or was sent. Throws `MetadataCorrupt`. */
export function entryOf(batch: BatchView, cursor: RecordCursor): Entry {
  const entry = {
    baseOffset: toOffset(batch.baseOffset()),
    nextOffset: toOffset(batch.nextOffset()),
    term: batch.partitionLeaderEpoch(),
    byteLength: batch.sizeInBytes(),
  };
  if (!batch.isControl()) return entry;
  const [control, second] = controlsOf(batch, cursor);
  if (control === undefined || second !== undefined) {
    throw corrupt(batch, "a control batch holds one record");
  }
  switch (control.controlType) {
    case LEADER_CHANGE_TYPE:
      return { ...entry, isLeaderChange: true };
    case CONFIGURATION_TYPE:
      return { ...entry, configuration: configurationIn(batch, control.value) };
    default:
      throw corrupt(batch, `a control record of unknown type ${control.controlType}`);
  }
}

/** Who leads from a leader-change on. Throws `MetadataCorrupt`. */
export function leaderIn(batch: BatchView, cursor: RecordCursor): number {
  const [control] = controlsOf(batch, cursor);
  const reader = new Reader(control?.value ?? NO_BYTES);
  reader.int16();
  const leaderId = reader.int32();
  if (control?.controlType !== LEADER_CHANGE_TYPE || reader.failure !== undefined) {
    throw corrupt(batch, "a leader-change names no leader");
  }
  return leaderId;
}

/** The configuration in a control record's value. Throws `MetadataCorrupt`. */
export function configurationIn(batch: BatchView, value: Uint8Array): Configuration {
  const found = asConfiguration(decodeMessagePack(value));
  if (typeof found === "string") throw corrupt(batch, found);
  return found;
}

export function corrupt(batch: BatchView, reason: string): MetadataCorrupt {
  return new MetadataCorrupt(`Cannot read metadata at offset ${batch.baseOffset()}: ${reason}`);
}

export function isSameConfiguration(
  one: Configuration | undefined,
  other: Configuration | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  return isSameVoters(one.voters, other.voters) && isSameVoters(one.learners, other.learners) &&
    (one.outgoing === undefined) === (other.outgoing === undefined) &&
    isSameVoters(one.outgoing ?? [], other.outgoing ?? []);
}

function isSameVoters(one: readonly Voter[], other: readonly Voter[]): boolean {
  return one.length === other.length && one.every((voter, index) => {
    const { id, directoryId, host, port } = other[index] as Voter;
    return voter.id === id && voter.directoryId === directoryId && voter.host === host &&
      voter.port === port;
  });
}

function asConfiguration(value: unknown): Configuration | string {
  if (typeof value !== "object" || value === null) return "a configuration is not an object";
  const { version, voters, outgoing, learners } = value as Record<string, unknown>;
  if (version !== VERSION) return `a configuration of unknown version ${String(version)}`;
  const found = asVoters(voters, VOTER_COUNT_MAX);
  const going = outgoing === undefined ? undefined : asVoters(outgoing, VOTER_COUNT_MAX);
  const learning = asVoters(learners, LEARNER_COUNT_MAX);
  for (const list of [found, going, learning]) if (typeof list === "string") return list;
  return {
    voters: found as Voter[],
    ...(going === undefined ? {} : { outgoing: going as Voter[] }),
    learners: learning as Voter[],
  };
}

function asVoters(value: unknown, countMax: number): Voter[] | string {
  if (!Array.isArray(value) || value.length > countMax) return "a configuration without voters";
  const voters: Voter[] = [];
  for (const one of value) {
    if (typeof one !== "object" || one === null) return "a voter is not an object";
    const { id, directoryId, host, port } = one as Record<string, unknown>;
    const uuid = typeof directoryId === "string" ? parseUuid(directoryId) : undefined;
    const isSound = Number.isSafeInteger(id) && typeof host === "string" &&
      Number.isSafeInteger(port) && (id as number) >= 0;
    if (!isSound || uuid === undefined) return "a voter without id, directory, host or port";
    voters.push({ id: id as number, directoryId: uuid, host, port: port as number });
  }
  return voters;
}

function packVoter({ id, directoryId, host, port }: Voter): Voter {
  return { id, directoryId, host, port };
}

function writeVoterIds(writer: Writer, ids: readonly number[]): void {
  writer.unsignedVarint(ids.length + 1);
  for (const id of ids) {
    writer.int32(id);
    writer.unsignedVarint(0);
  }
}

export function finishBatch(
  builder: BatchBuilder,
  { baseOffset, term }: Pick<BatchPlace, "baseOffset" | "term">,
  crc32c: Crc32c,
): Uint8Array {
  return builder.finish(
    { baseOffset, partitionLeaderEpoch: term },
    { crc32c, compress: (_type, bytes) => bytes },
  );
}

const NO_BYTES = new Uint8Array(0);
/** Behind the batch. */
export function endOf(batch: BatchView): Offset {
  return toOffset(batch.nextOffset());
}
