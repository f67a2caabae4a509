/**
 * Kafka's producer snapshot: the state of all producers as of the offset in the file's name.
 *
 *     snapshot = version int16 = 1, crc uint32 (CRC-32C of all behind it), count int32, entry*
 *     entry    = producerId int64, producerEpoch int16, lastSequence int32, lastOffset int64,
 *                offsetDelta int32, timestamp int64, coordinatorEpoch int32, currentTxnFirstOffset int64
 *
 * It holds one batch of each producer: the others of the five are known only until the log is closed.
 * A snapshot is a shortcut; a missing or damaged one costs a walk over the batches.
 * Source: kafka: ProducerStateManager.readSnapshot and writeSnapshot, ProducerSnapshot.json.
 */
import type { Crc32c } from "../../ground/crc32c.ts";
import { Reader } from "../../ground/reader.ts";
import { Writer } from "../../ground/writer.ts";
import type { ProducerEntry } from "./producer_state.ts";

const VERSION = 1;
const CRC_AT = 2;
const ENTRIES_AT = 6;
const ENTRY_BYTES = 46;

export function encodeProducerSnapshot(
  entries: Iterable<ProducerEntry>,
  crc32c: Crc32c,
): Uint8Array {
  const writer = new Writer();
  writer.int16(VERSION);
  writer.uint32(0);
  writer.int32(0);
  let count = 0;
  for (const entry of entries) {
    count++;
    const last = entry.batches.at(-1);
    writer.int64(entry.producerId);
    writer.int16(entry.producerEpoch);
    writer.int32(last?.lastSequence ?? -1);
    writer.int64(last?.lastOffset ?? -1);
    writer.int32(last?.offsetDelta ?? 0);
    writer.int64(entry.lastTimestamp);
    writer.int32(entry.coordinatorEpoch);
    writer.int64(entry.currentTxnFirstOffset);
  }
  writer.patchInt32(ENTRIES_AT, count);
  writer.patchUint32(CRC_AT, crc32c(writer.finish().subarray(ENTRIES_AT)));
  return writer.finish();
}

/** The entries, or why the bytes are no sound snapshot. */
export function decodeProducerSnapshot(
  bytes: Uint8Array,
  crc32c: Crc32c,
): readonly ProducerEntry[] | string {
  const reader = new Reader(bytes);
  const version = reader.int16();
  const crc = reader.uint32();
  if (reader.failure !== undefined) return reader.failure;
  if (version !== VERSION) return `its version is ${version}, not ${VERSION}`;
  if (crc !== crc32c(bytes.subarray(ENTRIES_AT))) return "its CRC does not fit";
  const count = reader.elements(reader.int32(), ENTRY_BYTES);
  const entries: ProducerEntry[] = [];
  for (let index = 0; index < count; index++) entries.push(readEntry(reader));
  return reader.failure ?? entries;
}

function readEntry(reader: Reader): ProducerEntry {
  const producerId = reader.int64();
  const producerEpoch = reader.int16();
  const lastSequence = reader.int32();
  const lastOffset = reader.int64();
  const offsetDelta = reader.int32();
  const timestamp = reader.int64();
  return {
    producerId,
    producerEpoch,
    batches: lastOffset < 0 ? [] : [{ lastSequence, lastOffset, offsetDelta, timestamp }],
    lastTimestamp: timestamp,
    coordinatorEpoch: reader.int32(),
    currentTxnFirstOffset: reader.int64(),
  };
}
