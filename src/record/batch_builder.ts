/**
 * Makes one batch v2 out of records, which are written as they come into a growing buffer.
 *
 * The buffer starts with room for the header, so that an uncompressed batch is finished in place and
 * handed out without a copy. `bytesMax` is measured before compression. Not here: which partition, when
 * to send, sequence numbers: the producer's.
 */
import { assert } from "../ground/assert.ts";
import type { Crc32c } from "../ground/crc32c.ts";
import { bytesOf } from "../ground/text.ts";
import { putVarint, putVarlong, varintBytes, varlongBytes } from "../ground/varint.ts";
import { type Compress, compressionIdOf, type CompressionType } from "./compression.ts";
import {
  ATTRIBUTE_LOG_APPEND_TIME,
  ATTRIBUTE_TRANSACTIONAL,
  ATTRIBUTES_AT,
  BASE_OFFSET_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LOG_OVERHEAD_BYTES,
  MAGIC,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  NO_PARTITION_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  PARTITION_LEADER_EPOCH_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_COUNT_AT,
  RECORDS_AT,
  type TimestampType,
} from "./format.ts";
import type { RecordHeader } from "./record_cursor.ts";

export interface RecordInput {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers?: readonly RecordHeader[] | undefined;
}

export interface BatchBuilderOptions {
  /** Size of a whole batch, before compression, beyond which `append` says that it is full. */
  readonly bytesMax: number;
  readonly compressionType: CompressionType;
  readonly timestampType?: TimestampType;
}

/** What is known only when the batch is sent or appended; absent means none. */
export interface BatchFields {
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
}

export interface BuildTools {
  readonly crc32c: Crc32c;
  readonly compress: Compress;
}

const BYTES_INITIAL_MAX = 16 * 1024;
/** Length 5, attributes 1, timestamp delta 10, offset delta 5, key and value length 5 each, header count 5. */
const RECORD_OVERHEAD_MAX = 36;
/** Shorter fields are copied faster byte by byte than by a call. */
const RUN_BYTES_MIN = 24;
const NO_BYTES = new Uint8Array(0);
const NO_FIELDS: readonly (Uint8Array | null)[] = [];

export class BatchBuilder {
  recordCount = 0;
  /** Of the batch as it would be without compression; 0 while there is no record. */
  sizeInBytes = 0;
  readonly #options: BatchBuilderOptions;
  #bytes = NO_BYTES;
  #sizeHint: number;
  #baseTimestamp = 0;
  #maxTimestamp = NO_TIMESTAMP;

  constructor(options: BatchBuilderOptions) {
    this.#options = options;
    this.#sizeHint = Math.min(options.bytesMax, BYTES_INITIAL_MAX);
  }

  /**
   * Puts a record behind the others; false, and nothing done, where it would make the batch larger
   * than `bytesMax`. The first record always fits.
   */
  append(record: RecordInput): boolean {
    const { key, value, timestamp, headers } = record;
    const isFirst = this.recordCount === 0;
    const timestampDelta = isFirst ? 0 : timestamp - this.#baseTimestamp;
    const keyBytes = key === null ? 0 : key.length;
    const valueBytes = value === null ? 0 : value.length;
    const headerFields = headers === undefined ? NO_FIELDS : headerFieldsOf(headers);
    const length = 1 + varlongBytes(timestampDelta) + varintBytes(this.recordCount) +
      (key === null ? 1 : varintBytes(keyBytes)) + keyBytes +
      (value === null ? 1 : varintBytes(valueBytes)) + valueBytes +
      headersSize(headerFields);
    const start = isFirst ? RECORDS_AT : this.sizeInBytes;
    const end = start + varintBytes(length) + length;
    if (!isFirst && end > this.#options.bytesMax) return false;
    if (isFirst) this.#baseTimestamp = timestamp;
    if (end > this.#bytes.length) this.#grow(start, end);

    const bytes = this.#bytes;
    let at = putVarint(bytes, start, length);
    bytes[at++] = 0;
    at = putVarlong(bytes, at, timestampDelta);
    at = putVarint(bytes, at, this.recordCount);
    at = putField(bytes, at, key);
    at = putField(bytes, at, value);
    at = putVarint(bytes, at, headerFields.length / 2);
    for (const field of headerFields) at = putField(bytes, at, field);
    assert(at === end, "a record takes the bytes that were counted for it");

    this.recordCount++;
    this.sizeInBytes = end;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    return true;
  }

  /** The most that a record can take whose key and value have `bytes` together and no headers. */
  static recordBytesMax(bytes: number): number {
    return bytes + RECORD_OVERHEAD_MAX;
  }

  /** The batch, which is the caller's; the builder is to be `reset` before its next record. */
  finish(fields: BatchFields, tools: BuildTools): Uint8Array {
    assert(this.recordCount > 0, "a batch that is finished has a record");
    let batch = this.#bytes.subarray(0, this.sizeInBytes);
    if (this.#options.compressionType === "none") {
      this.#sizeHint = this.sizeInBytes;
      this.#bytes = NO_BYTES; // given away
    } else {
      const { compressionType } = this.#options;
      const compressed = tools.compress(compressionType, batch.subarray(RECORDS_AT));
      batch = new Uint8Array(RECORDS_AT + compressed.length);
      batch.set(compressed, RECORDS_AT);
    }
    this.#writeHeader(batch, fields, tools.crc32c);
    return batch;
  }

  /** Starts an empty batch. */
  reset(): void {
    this.recordCount = 0;
    this.sizeInBytes = 0;
    this.#maxTimestamp = NO_TIMESTAMP;
  }

  #writeHeader(batch: Uint8Array, fields: BatchFields, crc32c: Crc32c): void {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
    putInt64(view, BASE_OFFSET_AT, fields.baseOffset ?? 0);
    view.setInt32(BATCH_LENGTH_AT, batch.length - LOG_OVERHEAD_BYTES);
    view.setInt32(
      PARTITION_LEADER_EPOCH_AT,
      fields.partitionLeaderEpoch ?? NO_PARTITION_LEADER_EPOCH,
    );
    view.setInt8(MAGIC_AT, MAGIC);
    view.setInt16(ATTRIBUTES_AT, this.#attributes(fields.isTransactional === true));
    view.setInt32(LAST_OFFSET_DELTA_AT, this.recordCount - 1);
    putInt64(view, BASE_TIMESTAMP_AT, this.#baseTimestamp);
    putInt64(view, MAX_TIMESTAMP_AT, this.#maxTimestamp);
    putInt64(view, PRODUCER_ID_AT, fields.producerId ?? NO_PRODUCER_ID);
    view.setInt16(PRODUCER_EPOCH_AT, fields.producerEpoch ?? NO_PRODUCER_EPOCH);
    view.setInt32(BASE_SEQUENCE_AT, fields.baseSequence ?? NO_SEQUENCE);
    view.setInt32(RECORD_COUNT_AT, this.recordCount);
    view.setUint32(CRC_AT, crc32c(batch.subarray(ATTRIBUTES_AT)));
  }

  #attributes(isTransactional: boolean): number {
    return compressionIdOf(this.#options.compressionType) |
      (this.#options.timestampType === "append" ? ATTRIBUTE_LOG_APPEND_TIME : 0) |
      (isTransactional ? ATTRIBUTE_TRANSACTIONAL : 0);
  }

  #grow(used: number, needed: number): void {
    assert(this.recordCount === 0 || used <= this.#bytes.length, "a finished builder is reset");
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2, this.#sizeHint));
    if (this.recordCount > 0) larger.set(this.#bytes.subarray(0, used));
    this.#bytes = larger;
  }
}

function putField(target: Uint8Array, at: number, field: Uint8Array | null): number {
  if (field === null) {
    target[at] = 1; // -1 in zigzag
    return at + 1;
  }
  const { length } = field;
  const start = putVarint(target, at, length);
  if (length >= RUN_BYTES_MIN) target.set(field, start);
  else for (let index = 0; index < length; index++) target[start + index] = field[index] as number;
  return start + length;
}

/** Keys and values of the headers in turn, as they are written. */
function headerFieldsOf(headers: readonly RecordHeader[]): readonly (Uint8Array | null)[] {
  return headers.flatMap(([key, value]) => [bytesOf(key), value]);
}

function headersSize(fields: readonly (Uint8Array | null)[]): number {
  let size = varintBytes(fields.length / 2);
  for (const field of fields) {
    size += field === null ? 1 : varintBytes(field.length) + field.length;
  }
  return size;
}

function putInt64(view: DataView, at: number, value: number): void {
  assert(Number.isSafeInteger(value), `batch field ${value} is a safe integer`);
  view.setInt32(at, Math.floor(value / 0x1_0000_0000));
  view.setUint32(at + 4, value >>> 0);
}
