/**
 * A batch written anew with some of its records, or with none.
 *
 * Base offset, last offset delta, leader epoch, producer and sequence, codec and timestamp type stay: so
 * no offset changes, and the last sequence of a producer is still told. Records are copied as they lie,
 * because their deltas are to the same base; only where a delete horizon is set (KIP-534: it takes the
 * place of the base timestamp) their timestamp deltas are written anew.
 *
 * Where Kafka makes the first record that stays the base of the times, mq leaves the base as it is: the
 * times are the same. Source: kafka: MemoryRecords.filterTo, DefaultRecordBatch.writeEmptyHeader.
 */
import type { Crc32c } from "../../ground/crc32c.ts";
import type { Offset } from "../../ground/numbers.ts";
import { putVarint, putVarlong, varlongBytes } from "../../ground/varint.ts";
import type { BatchView } from "../../record/batch_view.ts";
import type { Compress, CompressionType } from "../../record/compression.ts";
import {
  ATTRIBUTE_COMPRESSION_MASK,
  ATTRIBUTE_DELETE_HORIZON,
  ATTRIBUTES_AT,
  BASE_OFFSET_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LOG_OVERHEAD_BYTES,
  MAGIC,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  PARTITION_LEADER_EPOCH_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_COUNT_AT,
} from "../../record/format.ts";
import { RecordScan } from "../../record/record_scan.ts";
import { CleanedBytes } from "./cleaned_bytes.ts";

const TWO_TO_32 = 0x1_0000_0000;
/** A length and a timestamp delta may each take more bytes than before. */
const RECORD_GROWTH_MAX = 15;

export interface RewriteTools {
  readonly crc32c: Crc32c;
  readonly compress: Compress;
}

/** The records that stay, as stretches [start, end) of `bytes`. */
export interface KeptRecords {
  readonly bytes: Uint8Array;
  readonly bounds: readonly number[];
  readonly count: number;
  readonly maxTimestamp: number;
}

export class BatchRewriter {
  readonly #tools: RewriteTools;
  /** Records before they are compressed. */
  readonly #section = new CleanedBytes();
  readonly #scan = new RecordScan(this.#section.bytes, 0, 0);

  constructor(tools: RewriteTools) {
    this.#tools = tools;
  }

  /** `horizonMs` is the delete horizon to be set; undefined where none is, or the one there stays. */
  rewrite(
    batch: BatchView,
    kept: KeptRecords,
    horizonMs: number | undefined,
    out: CleanedBytes,
  ): void {
    const codec = batch.compressionType() as CompressionType;
    const start = out.length;
    copyHeader(batch, out);
    const section = codec === "none" ? out : this.#section;
    if (codec !== "none") section.clear();
    for (let index = 0; index < kept.bounds.length; index += 2) {
      const [from, to] = [kept.bounds[index] as number, kept.bounds[index + 1] as number];
      if (horizonMs === undefined) section.add(kept.bytes, from, to);
      else {this.#addMoved(section, kept, {
          from,
          to,
          timeShift: batch.baseTimestamp() - horizonMs,
        });}
    }
    if (codec !== "none") {
      const compressed = this.#tools.compress(codec, section.filled());
      out.add(compressed, 0, compressed.length);
    }
    const attributes = batch.attributes();
    this.#finish(out, start, {
      attributes: horizonMs === undefined ? attributes : attributes | ATTRIBUTE_DELETE_HORIZON,
      baseTimestamp: horizonMs ?? batch.baseTimestamp(),
      maxTimestamp: kept.maxTimestamp,
      recordCount: kept.count,
    });
  }

  /** The header alone, for what it says about offsets and its producer. */
  empty(batch: BatchView, out: CleanedBytes): void {
    const start = out.length;
    copyHeader(batch, out);
    this.#finish(out, start, {
      attributes: batch.attributes() & ~(ATTRIBUTE_COMPRESSION_MASK | ATTRIBUTE_DELETE_HORIZON),
      baseTimestamp: NO_TIMESTAMP,
      maxTimestamp: batch.maxTimestamp(),
      recordCount: 0,
    });
  }

  /**
   * A batch without records or producer that stands for the offsets [from, upTo): as in what Kafka leaves
   * of a producer's last batch, readers go on behind it.
   */
  span(
    { from, upTo }: { readonly from: Offset; readonly upTo: Offset },
    leaderEpoch: number,
    out: CleanedBytes,
  ): void {
    const start = out.length;
    out.add(new Uint8Array(BATCH_HEADER_BYTES), 0, BATCH_HEADER_BYTES);
    const { view } = out;
    putInt64(view, start + BASE_OFFSET_AT, from);
    view.setInt32(start + PARTITION_LEADER_EPOCH_AT, leaderEpoch);
    view.setInt8(start + MAGIC_AT, MAGIC);
    view.setInt32(start + LAST_OFFSET_DELTA_AT, upTo - from - 1);
    putInt64(view, start + PRODUCER_ID_AT, NO_PRODUCER_ID);
    view.setInt16(start + PRODUCER_EPOCH_AT, NO_PRODUCER_EPOCH);
    view.setInt32(start + BASE_SEQUENCE_AT, NO_SEQUENCE);
    this.#finish(out, start, {
      attributes: 0,
      baseTimestamp: NO_TIMESTAMP,
      maxTimestamp: NO_TIMESTAMP,
      recordCount: 0,
    });
  }

  /** Records with their times told from another base. */
  #addMoved(
    section: CleanedBytes,
    kept: KeptRecords,
    stretch: { readonly from: number; readonly to: number; readonly timeShift: number },
  ): void {
    const scan = this.#scan;
    scan.bytes = kept.bytes;
    scan.position = stretch.from;
    scan.end = stretch.to;
    scan.isBroken = false;
    while (scan.position < stretch.to) {
      const length = scan.varint();
      const start = scan.position;
      const end = start + length;
      const attributes = kept.bytes[start] as number;
      scan.skip(1);
      const timestampDelta = scan.varlong() + stretch.timeShift;
      const rest = scan.position;
      section.reserve(length + RECORD_GROWTH_MAX);
      const { bytes } = section;
      const newLength = 1 + varlongBytes(timestampDelta) + end - rest;
      let at = putVarint(bytes, section.length, newLength);
      bytes[at++] = attributes;
      at = putVarlong(bytes, at, timestampDelta);
      section.length = at;
      section.add(kept.bytes, rest, end);
      scan.position = end;
    }
  }

  #finish(
    out: CleanedBytes,
    start: number,
    header: {
      readonly attributes: number;
      readonly baseTimestamp: number;
      readonly maxTimestamp: number;
      readonly recordCount: number;
    },
  ): void {
    const { view } = out;
    view.setInt32(start + BATCH_LENGTH_AT, out.length - start - LOG_OVERHEAD_BYTES);
    view.setInt16(start + ATTRIBUTES_AT, header.attributes);
    putInt64(view, start + BASE_TIMESTAMP_AT, header.baseTimestamp);
    putInt64(view, start + MAX_TIMESTAMP_AT, header.maxTimestamp);
    view.setInt32(start + RECORD_COUNT_AT, header.recordCount);
    view.setUint32(start + CRC_AT, this.#tools.crc32c(out.filled(start + ATTRIBUTES_AT)));
  }
}

function copyHeader(batch: BatchView, out: CleanedBytes): void {
  const at = batch.position();
  out.add(batch.bytes, at, at + BATCH_HEADER_BYTES);
}

function putInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / TWO_TO_32));
  view.setUint32(at + 4, value >>> 0);
}
