/**
 * Kafka's four codecs: gzip and zstd by the runtime's zlib, snappy and lz4 by the files beside this.
 *
 * Each is held to its limit while it inflates, and each refuses a stream that is cut short or followed
 * by something else, whatever the runtime below would let pass. lz4 is compressed by a native module
 * where it loads; it is inflated in TypeScript everywhere, since the native module knows no limit.
 * Levels are known to zlib alone: snappy has none, and either lz4 here has the fast one only.
 */
import zlib from "node:zlib";
import { type Compressor, type Compressors } from "../env/compressor.ts";
import { corrupt, Inflated } from "./inflated.ts";
import { compressLz4Frame, inflateLz4Frames } from "./lz4_frame.ts";
import { loadNative } from "./native_module.ts";
import { compressXerial, inflateXerial } from "./xerial.ts";
import { zstdFrames } from "./zstd_frames.ts";

/** zlib takes a limit of at least 1 and, on Bun, of at most 2^32. */
const ZLIB_BYTES_MAX = 2 ** 32;
const GZIP_LEVEL_USUAL = -1;
/** zstd's own default, whose name among zlib's constants Deno does not have. */
const ZSTD_LEVEL_USUAL = 3;

export function createHostCompressors(): Compressors {
  return {
    gzip: new Gzip(),
    snappy: new Snappy(),
    lz4: new Lz4(),
    zstd: new Zstd(),
  };
}

class Gzip implements Compressor {
  readonly implementation = "node:zlib";

  compress(bytes: Uint8Array, level = GZIP_LEVEL_USUAL): Uint8Array {
    return plain(zlib.gzipSync(bytes, { level }));
  }

  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
    return bounded(
      "gzip",
      bytesMax,
      (maxOutputLength) => zlib.gunzipSync(bytes, { maxOutputLength }),
    );
  }
}

class Zstd implements Compressor {
  readonly implementation = "node:zlib";

  compress(bytes: Uint8Array, level = ZSTD_LEVEL_USUAL): Uint8Array {
    return plain(zlib.zstdCompressSync(bytes, {
      params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
      // Without it Deno's prepares a high level for input of any length: half a second a batch.
      pledgedSrcSize: bytes.length,
    }));
  }

  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
    const frames = zstdFrames(bytes);
    const [only] = frames;
    if (only !== undefined && frames.length === 1) return inflateZstd(only, bytesMax);
    const whole = new Inflated(bytesMax, bytes.length * 3);
    for (const frame of frames) {
      const part = inflateZstd(frame, whole.roomBytes());
      whole.literal(part, 0, part.length);
    }
    return whole.finish();
  }
}

class Snappy implements Compressor {
  readonly implementation = "snappyjs";

  compress(bytes: Uint8Array): Uint8Array {
    return compressXerial(bytes);
  }

  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
    return inflateXerial(bytes, bytesMax);
  }
}

class Lz4 implements Compressor {
  #native: ReturnType<typeof loadNative<"lz4-napi">> | "unloaded" = "unloaded";

  /** Loads the native module, as the first `compress` does. */
  get implementation(): string {
    return this.#load() === undefined ? "typescript" : "lz4-napi";
  }

  compress(bytes: Uint8Array): Uint8Array {
    const native = this.#load();
    return native === undefined ? compressLz4Frame(bytes) : plain(native.compressFrameSync(bytes));
  }

  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
    return inflateLz4Frames(bytes, bytesMax);
  }

  #load(): ReturnType<typeof loadNative<"lz4-napi">> {
    if (this.#native === "unloaded") this.#native = loadNative("lz4-napi");
    return this.#native;
  }
}

function inflateZstd(
  frame: { bytes: Uint8Array; contentSize: number | undefined },
  bytesMax: number,
): Uint8Array {
  const { bytes, contentSize } = frame;
  if (contentSize !== undefined && contentSize > bytesMax) new Inflated(bytesMax, 0).refuseGrowth();
  const inflated = bounded(
    "zstd",
    bytesMax,
    (maxOutputLength) => zlib.zstdDecompressSync(bytes, { maxOutputLength }),
  );
  if (contentSize !== undefined && contentSize !== inflated.length) {
    throw corrupt("zstd", "the content is not of the size declared");
  }
  return inflated;
}

/** Runs one of zlib's and makes its errors ours. */
function bounded(
  codec: string,
  bytesMax: number,
  run: (maxOutputLength: number) => Uint8Array,
): Uint8Array {
  const target = new Inflated(bytesMax, 0);
  let inflated: Uint8Array;
  try {
    inflated = run(Math.min(Math.max(1, bytesMax), ZLIB_BYTES_MAX));
  } catch (fault) {
    if (fault instanceof RangeError) return target.refuseGrowth(); // ERR_BUFFER_TOO_LARGE
    throw corrupt(codec, fault instanceof Error ? fault.message : String(fault));
  }
  return inflated.length > bytesMax ? target.refuseGrowth() : plain(inflated);
}

/** Without what a Buffer does otherwise than a Uint8Array. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
