/**
 * One compression codec of Kafka's five (there is none for "none").
 *
 * Synchronous: a batch is at most `max.message.bytes`, and what decides about it must not wait.
 */

/** Bytes that are not what the codec makes, or that grow beyond the limit given. */
export class CompressionFault extends Error {
  override readonly name = "CompressionFault";
  readonly kind: "corrupt" | "too-large";
  constructor(kind: "corrupt" | "too-large", message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface Compressor {
  /** Which implementation this is, for `mq version`: "node:zlib", "lz4-napi", "typescript". */
  readonly implementation: string;
  /** `level` is the codec's own; without it its usual one, and a codec of one level ignores it. */
  compress(bytes: Uint8Array, level?: number): Uint8Array;
  /**
   * Throws a `CompressionFault`; never makes more than `bytesMax` bytes (a bomb is stopped while it
   * inflates, not after).
   */
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array;
}

export interface Compressors {
  readonly gzip: Compressor;
  readonly snappy: Compressor;
  readonly lz4: Compressor;
  readonly zstd: Compressor;
}
