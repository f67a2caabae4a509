/** Batches put straight into a scripted broker's partition, as a producer elsewhere would have. */
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { ATTRIBUTE_CONTROL, ATTRIBUTES_AT, CRC_AT } from "../../src/record/format.ts";
import type { FakePartition } from "./fake_cluster.ts";

interface BatchOptions {
  readonly producerId?: number;
  readonly isTransactional?: boolean;
  readonly compressionType?: "none" | "gzip";
}

export function fill(
  partition: FakePartition,
  values: readonly string[],
  options: BatchOptions = {},
): void {
  const { compressionType = "none", ...fields } = options;
  const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType });
  for (const value of values) builder.append({ key: null, value: bytesOf(value), timestamp: 1 });
  const compress = (_: string, bytes: Uint8Array): Uint8Array =>
    compressionType === "none" ? bytes : Uint8Array.of(77, ...bytes);
  partition.append(builder.finish(fields, { crc32c: crc32cTables, compress }));
}

/** Puts the end of a transaction into a partition: type 0 = abort, 1 = commit. */
export function endTransaction(partition: FakePartition, producerId: number, type: 0 | 1): void {
  const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType: "none" });
  builder.append({
    key: Uint8Array.of(0, 0, 0, type),
    value: Uint8Array.of(0, 0, 0, 0, 0, 0),
    timestamp: 1,
  });
  const tools = { crc32c: crc32cTables, compress: (_: string, bytes: Uint8Array) => bytes };
  const batch = builder.finish({ producerId, isTransactional: true }, tools);
  const view = new DataView(batch.buffer, batch.byteOffset);
  view.setInt16(ATTRIBUTES_AT, view.getInt16(ATTRIBUTES_AT) | ATTRIBUTE_CONTROL);
  view.setUint32(CRC_AT, crc32cTables(batch.subarray(ATTRIBUTES_AT)));
  partition.append(batch);
}
