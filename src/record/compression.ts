/**
 * The names and numbers of Kafka's compression codecs, and the two functions a batch needs of them.
 *
 * The codecs themselves are outside (`env/compressor.ts`, implemented by `host/`): the types here are
 * structural, so that this folder stays pure.
 */

export type CompressionType = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** In the order of their ids in a batch's attributes. */
export const compressionTypes = [
  "none",
  "gzip",
  "snappy",
  "lz4",
  "zstd",
] as const satisfies readonly CompressionType[];

/** Undefined for the ids that no codec has (5 … 7). */
export function compressionTypeOf(id: number): CompressionType | undefined {
  return compressionTypes[id];
}

export function compressionIdOf(compressionType: CompressionType): number {
  return compressionTypes.indexOf(compressionType);
}

/** For settings and flags: undefined where `name` is no codec. */
export function compressionTypeNamed(name: string): CompressionType | undefined {
  return compressionTypes.find((compressionType) => compressionType === name);
}

/**
 * Inflates to at most `bytesMax` bytes; "none" gives the bytes back. Throws what `inflate` knows: an
 * error whose `kind` is "corrupt" or "too-large".
 */
export type Decompress = (
  compressionType: CompressionType,
  bytes: Uint8Array,
  bytesMax: number,
) => Uint8Array;

/** "none" gives the bytes back; without a level the codec's usual one is taken. */
export type Compress = (
  compressionType: CompressionType,
  bytes: Uint8Array,
  level?: number,
) => Uint8Array;

/** What `env/compressor.ts` calls `Compressors`, as far as it is needed here. */
export type Codecs = {
  readonly [Codec in Exclude<CompressionType, "none">]: {
    compress(bytes: Uint8Array, level?: number): Uint8Array;
    decompress(bytes: Uint8Array, bytesMax: number): Uint8Array;
  };
};

export function compressWith(codecs: Codecs): Compress {
  return (compressionType, bytes, level) =>
    compressionType === "none" ? bytes : codecs[compressionType].compress(bytes, level);
}

export function decompressWith(codecs: Codecs): Decompress {
  return (compressionType, bytes, bytesMax) =>
    compressionType === "none" ? bytes : codecs[compressionType].decompress(bytes, bytesMax);
}

/** Why a record section could not be inflated. */
export interface InflateFailure {
  readonly kind: "corrupt" | "too-large";
  readonly message: string;
}

/** `decompress` with its fault as a value; any other error is a broken program and goes on. */
export function inflate(
  decompress: Decompress,
  compressionType: CompressionType,
  bytes: Uint8Array,
  bytesMax: number,
): Uint8Array | InflateFailure {
  if (compressionType === "none") return bytes;
  try {
    return decompress(compressionType, bytes, bytesMax);
  } catch (fault) {
    if (!(fault instanceof Error) || !("kind" in fault)) throw fault;
    if (fault.kind !== "corrupt" && fault.kind !== "too-large") throw fault;
    return { kind: fault.kind, message: fault.message };
  }
}
