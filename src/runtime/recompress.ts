/**
 * A batch encoded anew in another codec, for topics whose `compression.type` is not "producer".
 *
 * Offsets, timestamps, headers, producer id, epoch and sequence stay what they were.
 */
import type { Crc32c } from "../ground/crc32c.ts";
import { BatchBuilder } from "../record/batch_builder.ts";
import { BatchView } from "../record/batch_view.ts";
import type { Compress, CompressionType, Decompress } from "../record/compression.ts";
import { RecordCursor } from "../record/record_cursor.ts";

export interface RecompressTools {
  readonly crc32c: Crc32c;
  readonly compress: Compress;
  readonly decompress: Decompress;
  readonly inflatedBytesMax: number;
}

export interface Recompression {
  readonly compressionType: CompressionType;
  /** Undefined = the codec's usual one. */
  readonly compressionLevel: number | undefined;
}

/** `bytes` is one batch that was validated with its records. */
export function recompressBatch(
  bytes: Uint8Array,
  { compressionType, compressionLevel }: Recompression,
  tools: RecompressTools,
): Uint8Array {
  const batch = new BatchView(bytes);
  const builder = new BatchBuilder({ bytesMax: Number.MAX_SAFE_INTEGER, compressionType });
  const cursor = new RecordCursor(tools);
  cursor.open(batch);
  while (cursor.next()) {
    builder.append({
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
      timestamp: cursor.timestamp(),
    });
  }
  const compress: Compress = (type, section) => tools.compress(type, section, compressionLevel);
  return builder.finish({
    producerId: batch.producerId(),
    producerEpoch: batch.producerEpoch(),
    baseSequence: batch.baseSequence(),
    isTransactional: batch.isTransactional(),
  }, { crc32c: tools.crc32c, compress });
}
