import { describe, expect, test } from "bun:test";
import process from "node:process";
import zlib from "node:zlib";
import { CompressionFault, type Compressor } from "../../src/env/compressor.ts";
import { Prng } from "../../src/ground/prng.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import { zstdFrames } from "../../src/host/zstd_frames.ts";

const compressors = createHostCompressors();
const names = ["gzip", "snappy", "lz4", "zstd"] as const;

function seedOf(name: string): number {
  const seed = Number(process.env["MQ_SEED"] ?? 19);
  console.log(`${name}: MQ_SEED=${seed}`);
  return seed;
}

/** Runs, single bytes and noise, in turn: what finds the corners of a match finder. */
function sample(prng: Prng, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const run = Math.min(length - at, prng.between(1, 300));
    const kind = prng.below(3);
    if (kind === 0) bytes.fill(prng.below(256), at, at + run);
    else if (kind === 1) bytes.set(prng.bytes(run), at);
    else {
      const from = prng.below(at + 1);
      bytes.copyWithin(at, from, Math.min(at, from + run));
    }
    at += run;
  }
  return bytes;
}

function faultOf(run: () => unknown): string {
  try {
    run();
  } catch (fault) {
    if (fault instanceof CompressionFault) return fault.kind;
    throw fault;
  }
  return "none";
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const text = new TextEncoder().encode(
  "a line of a log that says the same again and again\n".repeat(90),
);
const skippable = Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);

for (const name of names) {
  const compressor: Compressor = compressors[name];
  describe(name, () => {
    test("decompress() gives back what compress() took", () => {
      const prng = new Prng(seedOf(`compressor_test ${name}`));
      const sizes = [0, 1, 2, 4, 5, 11, 12, 13, 17, 64, 65_535, 65_536, 65_537, 200_001];
      for (let round = 0; round < 60; round++) {
        const bytes = sample(prng, sizes[round] ?? prng.below(20_000));
        const packed = compressor.compress(bytes);
        expect(compressor.decompress(packed, bytes.length)).toEqual(bytes);
        // In the middle of a larger buffer, as in a batch.
        const framed = new Uint8Array(packed.length + 8);
        framed.set(packed, 5);
        const view = framed.subarray(5, 5 + packed.length);
        expect(compressor.decompress(view, 1 << 20)).toEqual(bytes);
      }
    });

    test("compress() makes text smaller, and gives a plain array", () => {
      const packed = compressor.compress(text);
      expect(packed.length).toBeLessThan(text.length / 4);
      expect(packed.constructor.name).toBe("Uint8Array");
      expect(compressor.decompress(packed, text.length).constructor.name).toBe("Uint8Array");
    });

    test("decompress() stops at its limit, to the byte", () => {
      const packed = compressor.compress(text);
      expect(compressor.decompress(packed, text.length)).toHaveLength(text.length);
      for (const bytesMax of [text.length - 1, 1, 0]) {
        expect(faultOf(() => compressor.decompress(packed, bytesMax))).toBe("too-large");
      }
      const empty = compressor.compress(new Uint8Array(0));
      expect(compressor.decompress(empty, 0)).toHaveLength(0);
    });

    test("decompress() stops a bomb before it has grown", () => {
      const bomb = compressor.compress(new Uint8Array(64 << 20));
      const before = process.memoryUsage().rss;
      for (let round = 0; round < 20; round++) {
        expect(faultOf(() => compressor.decompress(bomb, 100_000))).toBe("too-large");
      }
      expect(process.memoryUsage().rss - before).toBeLessThan(48 << 20);
    });

    test("decompress() refuses a stream cut at any byte", () => {
      const packed = compressor.compress(text.subarray(0, 700));
      for (let end = 1; end < packed.length; end++) {
        const cut = packed.subarray(0, end);
        // Snappy's framing has no end mark: its header alone is an empty stream.
        const wanted = name === "snappy" && end === 16 ? "none" : "corrupt";
        expect(faultOf(() => compressor.decompress(cut, 1 << 20))).toBe(wanted);
      }
    });

    test("decompress() refuses what follows the stream", () => {
      const packed = joined(compressor.compress(text), new TextEncoder().encode("garbage"));
      expect(faultOf(() => compressor.decompress(packed, 1 << 20))).toBe("corrupt");
    });

    test("decompress() reads streams put one behind the other, under one limit", () => {
      const twice = joined(compressor.compress(text), compressor.compress(text));
      expect(compressor.decompress(twice, text.length * 2)).toEqual(joined(text, text));
      const less = text.length * 2 - 1;
      expect(faultOf(() => compressor.decompress(twice, less))).toBe("too-large");
    });

    test("decompress() of mutated streams gives bytes or a CompressionFault", () => {
      const prng = new Prng(seedOf(`compressor_test ${name}`));
      const outcomes = new Map<string, number>();
      for (let round = 0; round < 4000; round++) {
        const packed = compressor.compress(sample(prng, prng.below(400))).slice();
        for (let count = prng.between(1, 3); count > 0; count--) {
          packed[prng.below(packed.length)] = prng.below(256);
        }
        const outcome = faultOf(() => compressor.decompress(packed, 10_000));
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      expect(outcomes.get("corrupt") ?? 0).toBeGreaterThan(400);
    });
  });
}

/** Per codec levels from quick to thorough. */
const levels = { gzip: [1, 6, 9], zstd: [-131072, -7, 3, 19, 22] } as const;

for (const name of ["gzip", "zstd"] as const) {
  test(`${name}: compress() makes less of it at a higher level, and all can be inflated`, () => {
    const prng = new Prng(seedOf(`compressor_test levels of ${name}`));
    const words = Array.from({ length: 200 }, () => prng.between(0, 1e6).toString(36));
    const picked = Array.from({ length: 8000 }, () => words[prng.below(words.length)] as string);
    const bytes = new TextEncoder().encode(picked.join(" "));
    const packed = levels[name].map((level) => compressors[name].compress(bytes, level));
    for (const each of packed) {
      expect(compressors[name].decompress(each, bytes.length)).toEqual(bytes);
    }
    const sizes = packed.map((each) => each.length);
    expect(sizes.toSorted((one, other) => other - one)).toEqual(sizes);
    expect(new Set(sizes).size).toBeGreaterThan(1);
    expect(compressors[name].decompress(compressors[name].compress(new Uint8Array(0), 9), 0))
      .toHaveLength(0);
  });

  test(`${name}: compress() without a level takes the usual one`, () => {
    const usual = { gzip: -1, zstd: 3 }[name];
    const packed = compressors[name].compress(text);
    expect(packed).toEqual(compressors[name].compress(text, usual));
  });
}

test("snappy and lz4: compress() has one level", () => {
  for (const name of ["snappy", "lz4"] as const) {
    const packed = compressors[name].compress(text);
    for (const level of [1, 17]) expect(compressors[name].compress(text, level)).toEqual(packed);
  }
});

describe("zstd", () => {
  test("compress() makes one frame that declares its size, as both runtimes can", () => {
    for (const level of [undefined, 1, 22]) {
      const [frame] = zstdFrames(compressors.zstd.compress(text, level));
      expect(frame?.contentSize).toBe(text.length);
    }
  });

  const frame = compressors.zstd.compress(text);

  test("decompress() goes over skippable frames", () => {
    expect(compressors.zstd.decompress(joined(skippable, frame, skippable), 1 << 20)).toEqual(text);
    expect(compressors.zstd.decompress(skippable, 100)).toHaveLength(0);
  });

  test("decompress() does not believe a window or a size that lies", () => {
    const magic = [0x28, 0xb5, 0x2f, 0xfd];
    const lastRawBlockOf0 = [1, 0, 0];
    const window2GiB = Uint8Array.of(...magic, 0, 21 << 3, ...lastRawBlockOf0);
    expect(faultOf(() => compressors.zstd.decompress(window2GiB, 1000))).toBe("corrupt");
    const size1TiB = Uint8Array.of(...magic, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, ...lastRawBlockOf0);
    expect(faultOf(() => compressors.zstd.decompress(size1TiB, 1000))).toBe("too-large");
    const size9 = Uint8Array.of(...magic, 0x20, 9, ...lastRawBlockOf0);
    expect(faultOf(() => compressors.zstd.decompress(size9, 1000))).toBe("corrupt");
  });

  test("decompress() refuses a dictionary", () => {
    const wanting = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 0, 1, 0, 0);
    expect(() => compressors.zstd.decompress(wanting, 1000)).toThrow("dictionary");
  });

  test("decompress() verifies a frame's checksum", () => {
    const summed = zlib.zstdCompressSync(text, {
      params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 },
    });
    expect(compressors.zstd.decompress(summed, 1 << 20)).toEqual(text);
    summed[summed.length - 1] = (summed[summed.length - 1] as number) ^ 1;
    expect(faultOf(() => compressors.zstd.decompress(summed, 1 << 20))).toBe("corrupt");
  });
});
