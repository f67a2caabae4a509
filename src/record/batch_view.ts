/**
 * A batch v2 in place: its header fields by name, read from the bytes when asked.
 *
 * One view is moved from batch to batch (`moveTo`), so that a walk over a segment makes no objects.
 * The view trusts that a whole batch lies there: `BatchWalk` and `validateBatch` make sure of it.
 * Not here: the records (`RecordCursor`), and whether any of it is true (`validateBatch`).
 */
import { assert } from "../ground/assert.ts";
import type { Crc32c } from "../ground/crc32c.ts";
import { type CompressionType, compressionTypeOf } from "./compression.ts";
import {
  ATTRIBUTE_COMPRESSION_MASK,
  ATTRIBUTE_CONTROL,
  ATTRIBUTE_DELETE_HORIZON,
  ATTRIBUTE_LOG_APPEND_TIME,
  ATTRIBUTE_TRANSACTIONAL,
  ATTRIBUTES_AT,
  BASE_OFFSET_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LOG_OVERHEAD_BYTES,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  NO_SEQUENCE,
  PARTITION_LEADER_EPOCH_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_COUNT_AT,
  RECORDS_AT,
  sequenceAfter,
  type TimestampType,
} from "./format.ts";

const TWO_TO_32 = 0x1_0000_0000;

export class BatchView {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  /** Where in `bytes` the batch begins. */
  position(): number {
    return this.#at;
  }

  /** Makes this a view of the batch that begins at `at`. */
  moveTo(at: number): void {
    assert(
      at >= 0 && at + BATCH_HEADER_BYTES <= this.bytes.length,
      "a batch view moves to where a whole header lies",
    );
    this.#at = at;
  }

  baseOffset(): number {
    return this.#int64(BASE_OFFSET_AT);
  }

  batchLength(): number {
    return this.#view.getInt32(this.#at + BATCH_LENGTH_AT);
  }

  sizeInBytes(): number {
    return LOG_OVERHEAD_BYTES + this.batchLength();
  }

  partitionLeaderEpoch(): number {
    return this.#view.getInt32(this.#at + PARTITION_LEADER_EPOCH_AT);
  }

  magic(): number {
    return this.#view.getInt8(this.#at + MAGIC_AT);
  }

  /** As it stands in the header. */
  crc(): number {
    return this.#view.getUint32(this.#at + CRC_AT);
  }

  /** As the bytes say; equal to `crc()` in a sound batch. */
  computedCrc(crc32c: Crc32c): number {
    return crc32c(this.bytes.subarray(this.#at + ATTRIBUTES_AT, this.#at + this.sizeInBytes()));
  }

  attributes(): number {
    return this.#view.getInt16(this.#at + ATTRIBUTES_AT);
  }

  /** Undefined for the ids that no codec has (5 … 7). */
  compressionType(): CompressionType | undefined {
    return compressionTypeOf(this.attributes() & ATTRIBUTE_COMPRESSION_MASK);
  }

  timestampType(): TimestampType {
    return (this.attributes() & ATTRIBUTE_LOG_APPEND_TIME) === 0 ? "create" : "append";
  }

  isTransactional(): boolean {
    return (this.attributes() & ATTRIBUTE_TRANSACTIONAL) !== 0;
  }

  isControl(): boolean {
    return (this.attributes() & ATTRIBUTE_CONTROL) !== 0;
  }

  hasDeleteHorizon(): boolean {
    return (this.attributes() & ATTRIBUTE_DELETE_HORIZON) !== 0;
  }

  lastOffsetDelta(): number {
    return this.#view.getInt32(this.#at + LAST_OFFSET_DELTA_AT);
  }

  lastOffset(): number {
    return this.baseOffset() + this.lastOffsetDelta();
  }

  /** The offset behind the batch. */
  nextOffset(): number {
    return this.lastOffset() + 1;
  }

  /** To which the records' deltas are added; the delete horizon where `hasDeleteHorizon()`. */
  baseTimestamp(): number {
    return this.#int64(BASE_TIMESTAMP_AT);
  }

  maxTimestamp(): number {
    return this.#int64(MAX_TIMESTAMP_AT);
  }

  producerId(): number {
    return this.#int64(PRODUCER_ID_AT);
  }

  hasProducerId(): boolean {
    return this.#view.getInt32(this.#at + PRODUCER_ID_AT) >= 0;
  }

  producerEpoch(): number {
    return this.#view.getInt16(this.#at + PRODUCER_EPOCH_AT);
  }

  baseSequence(): number {
    return this.#view.getInt32(this.#at + BASE_SEQUENCE_AT);
  }

  /** Wraps behind 2^31 − 1 to 0; -1 where the batch has no sequence. */
  lastSequence(): number {
    const baseSequence = this.baseSequence();
    if (baseSequence === NO_SEQUENCE) return NO_SEQUENCE;
    return sequenceAfter(baseSequence, this.lastOffsetDelta());
  }

  recordCount(): number {
    return this.#view.getInt32(this.#at + RECORD_COUNT_AT);
  }

  /** The record section as it lies there, compressed or not: a view, not a copy. */
  recordsBytes(): Uint8Array {
    return this.bytes.subarray(this.#at + RECORDS_AT, this.#at + this.sizeInBytes());
  }

  /** Outside the CRC. */
  setBaseOffset(baseOffset: number): void {
    this.#setInt64(BASE_OFFSET_AT, baseOffset);
  }

  /** Outside the CRC. */
  setPartitionLeaderEpoch(leaderEpoch: number): void {
    this.#view.setInt32(this.#at + PARTITION_LEADER_EPOCH_AT, leaderEpoch);
  }

  /** For topics with `message.timestamp.type=LogAppendTime`: every record gets the broker's time. */
  setLogAppendTime(now: number, crc32c: Crc32c): void {
    this.setMaxTimestamp("append", now, crc32c);
  }

  /**
   * Sets timestamp type and greatest timestamp, and the CRC anew; nothing where they are so already.
   * Source: kafka: DefaultRecordBatch.setMaxTimestamp.
   */
  setMaxTimestamp(timestampType: TimestampType, maxTimestamp: number, crc32c: Crc32c): void {
    if (timestampType === this.timestampType() && maxTimestamp === this.maxTimestamp()) return;
    const attributes = this.attributes();
    this.#view.setInt16(
      this.#at + ATTRIBUTES_AT,
      timestampType === "append"
        ? attributes | ATTRIBUTE_LOG_APPEND_TIME
        : attributes & ~ATTRIBUTE_LOG_APPEND_TIME,
    );
    this.#setInt64(MAX_TIMESTAMP_AT, maxTimestamp);
    this.#view.setUint32(this.#at + CRC_AT, this.computedCrc(crc32c));
  }

  /** Saturates at ±(2^53 − 1), as `Reader.int64` does. */
  #int64(field: number): number {
    const at = this.#at + field;
    const value = this.#view.getInt32(at) * TWO_TO_32 + this.#view.getUint32(at + 4);
    if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
    return value < -Number.MAX_SAFE_INTEGER ? -Number.MAX_SAFE_INTEGER : value;
  }

  #setInt64(field: number, value: number): void {
    assert(Number.isSafeInteger(value), `batch field ${value} is a safe integer`);
    const at = this.#at + field;
    this.#view.setInt32(at, Math.floor(value / TWO_TO_32));
    this.#view.setUint32(at + 4, value >>> 0);
  }
}
