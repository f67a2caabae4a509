/**
 * Batches for tests, and the verbs to bend them: everything a test of `record/` arranges with.
 *
 * The tools are real: codecs of `host/`, CRC of `ground/`. Nothing here is checked; the tests check.
 */
import process from "node:process";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import type { Prng } from "../../src/ground/prng.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import {
  BatchBuilder,
  type BatchFields,
  type RecordInput,
} from "../../src/record/batch_builder.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import {
  type CompressionType,
  compressWith,
  decompressWith,
} from "../../src/record/compression.ts";
import { ATTRIBUTES_AT, BATCH_LENGTH_AT, CRC_AT } from "../../src/record/format.ts";
import { RecordCursor } from "../../src/record/record_cursor.ts";
import type { BatchLimits } from "../../src/record/validate.ts";

const codecs = createHostCompressors();

export const tools = {
  crc32c: crc32cTables,
  compress: compressWith(codecs),
  decompress: decompressWith(codecs),
};

/** What tests call now. */
export const NOW = 1_700_000_000_000;

/** Limits as a topic with Kafka's defaults has them. */
export const limits: BatchLimits = {
  mode: "records",
  bytesMax: 1_048_588,
  inflatedBytesMax: 8 << 20,
  isKeyRequired: false,
  timestampType: "create",
  now: NOW,
  timestampBeforeMaxMs: Infinity,
  timestampAfterMaxMs: 3_600_000,
};

export function bytesOfText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function record(value: string | null, more: Partial<RecordInput> = {}): RecordInput {
  return {
    key: null,
    value: value === null ? null : bytesOfText(value),
    timestamp: NOW,
    ...more,
  };
}

export function batchOf(
  records: readonly RecordInput[],
  fields: BatchFields = {},
  compressionType: CompressionType = "none",
): Uint8Array {
  const builder = new BatchBuilder({ bytesMax: 1 << 24, compressionType });
  for (const each of records) builder.append(each);
  return builder.finish(fields, tools);
}

/** The CRC over what the bytes are now. */
export function fixCrc(batch: Uint8Array): Uint8Array {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  view.setUint32(CRC_AT, crc32cTables(batch.subarray(ATTRIBUTES_AT)));
  return batch;
}

/** A copy with one header field changed, and a CRC that fits. */
export function withField(
  batch: Uint8Array,
  at: number,
  width: 1 | 2 | 4,
  value: number,
): Uint8Array {
  const copy = batch.slice();
  const view = new DataView(copy.buffer);
  if (width === 1) view.setInt8(at, value);
  else if (width === 2) view.setInt16(at, value);
  else view.setInt32(at, value);
  return fixCrc(copy);
}

/** A copy whose record section is another, with a length and CRC that fit. */
export function withRecords(batch: Uint8Array, section: Uint8Array): Uint8Array {
  const copy = new Uint8Array(61 + section.length);
  copy.set(batch.subarray(0, 61));
  copy.set(section, 61);
  new DataView(copy.buffer).setInt32(BATCH_LENGTH_AT, copy.length - 12);
  return fixCrc(copy);
}

export function cursorOver(batch: Uint8Array, inflatedBytesMax = 8 << 20): RecordCursor {
  const cursor = new RecordCursor({ decompress: tools.decompress, inflatedBytesMax });
  cursor.open(new BatchView(batch));
  return cursor;
}

/** offset timestamp key value header=value …, bytes in hex, null as "-": as `KafkaBatches.java` tells it. */
export function linesOf(batch: Uint8Array): readonly string[] {
  const cursor = cursorOver(batch);
  const lines: string[] = [];
  while (cursor.next()) {
    const headers = cursor.headers().map(([key, value]) =>
      ` ${hexOf(bytesOfText(key))}=${hexOf(value)}`
    );
    lines.push(
      `${cursor.offset()} ${cursor.timestamp()} ${hexOf(cursor.key())} ${hexOf(cursor.value())}` +
        headers.join(""),
    );
  }
  if (cursor.failure !== undefined) lines.push(cursor.failure);
  return lines;
}

export function hexOf(bytes: Uint8Array | null): string {
  if (bytes === null) return "-";
  return `x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export function bytesOfBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** The seed of a random test: MQ_SEED, or one that is always the same. */
export function seedOf(test: string): number {
  const seed = Number(process.env["MQ_SEED"] ?? 73);
  console.log(`${test}: MQ_SEED=${seed}`);
  return seed;
}

export function randomRecord(prng: Prng): RecordInput {
  const headers = prng.oneIn(3)
    ? Array.from(
      { length: prng.below(4) },
      () => [`h${prng.below(100)}ü`, prng.oneIn(4) ? null : prng.bytes(prng.below(20))] as const,
    )
    : undefined;
  return {
    key: prng.oneIn(3) ? null : prng.bytes(prng.below(30)),
    value: prng.oneIn(8) ? null : prng.bytes(prng.oneIn(10) ? prng.below(5000) : prng.below(90)),
    timestamp: NOW + prng.below(100_000) - 50_000,
    headers,
  };
}
