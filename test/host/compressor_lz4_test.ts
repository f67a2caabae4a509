import { describe, expect, test } from "bun:test";
import process from "node:process";
import { CompressionFault } from "../../src/env/compressor.ts";
import { Prng } from "../../src/ground/prng.ts";
import { compressLz4Frame, inflateLz4Frames } from "../../src/host/lz4_frame.ts";
import { loadNative, type NativeModules } from "../../src/host/native_module.ts";
import { xxhash32 } from "../../src/host/xxhash32.ts";

const native = loadNative("lz4-napi") as NativeModules["lz4-napi"];
const encoder = new TextEncoder();

/** A frame with any flags: stored and compressed blocks as given, checksums where the flags ask. */
function frameOf(
  flags: number,
  blocks: readonly Uint8Array[],
  more: {
    readonly size?: number;
    readonly contentChecksum?: number;
    readonly descriptor?: number;
  } = {},
): Uint8Array {
  const bytes: number[] = [];
  const uint32 = (value: number): void => {
    for (let shift = 0; shift < 32; shift += 8) bytes.push((value >>> shift) & 255);
  };
  uint32(0x184d2204);
  bytes.push(flags, more.descriptor ?? 0x40);
  if (more.size !== undefined) {
    uint32(more.size);
    uint32(0);
  }
  bytes.push((xxhash32(Uint8Array.from(bytes), 4) >>> 8) & 255);
  for (const block of blocks) {
    uint32((block.length + 0x8000_0000) >>> 0);
    bytes.push(...block);
    if ((flags & 0x10) !== 0) uint32(xxhash32(block));
  }
  uint32(0);
  if (more.contentChecksum !== undefined) uint32(more.contentChecksum);
  return Uint8Array.from(bytes);
}

/** A frame of one compressed block. */
function blockFrame(...block: readonly number[]): Uint8Array {
  return Uint8Array.of(
    4,
    0x22,
    0x4d,
    0x18,
    0x60,
    0x40,
    0x82,
    block.length & 255,
    block.length >>> 8,
    0,
    0,
    ...block,
    0,
    0,
    0,
    0,
  );
}

function reasonOf(frame: Uint8Array, bytesMax = 1 << 20): string {
  try {
    inflateLz4Frames(frame, bytesMax);
  } catch (fault) {
    if (fault instanceof CompressionFault) return fault.message;
    throw fault;
  }
  return "none";
}

describe("xxhash32()", () => {
  test("has the published answers", () => {
    const known: readonly (readonly [string, number])[] = [
      ["", 0x02cc5d05],
      ["a", 0x550d7456],
      ["abc", 0x32d153ff],
      ["Nobody inspects the spammish repetition", 0xe2293b2f],
    ];
    for (const [text, hash] of known) expect(xxhash32(encoder.encode(text))).toBe(hash);
    expect(xxhash32(encoder.encode("xxabcxx"), 2, 5)).toBe(0x32d153ff);
  });
});

describe("lz4 frames", () => {
  test("compressLz4Frame() and the native module read each other", () => {
    const seed = Number(process.env["MQ_SEED"] ?? 23);
    console.log(`compressor_lz4_test: MQ_SEED=${seed}`);
    const prng = new Prng(seed);
    for (let round = 0; round < 80; round++) {
      const alphabet = prng.between(1, 256);
      const length = round < 20 ? round : prng.below(round % 20 === 0 ? 300_000 : 5000);
      const bytes = Uint8Array.from({ length }, () => prng.below(alphabet));
      expect(new Uint8Array(native.decompressFrameSync(compressLz4Frame(bytes)))).toEqual(bytes);
      const theirs = new Uint8Array(native.compressFrameSync(bytes));
      expect(inflateLz4Frames(theirs, length)).toEqual(bytes);
    }
  });

  test("compressLz4Frame() writes independent blocks and no checksum, as Java wants it", () => {
    const frame = compressLz4Frame(encoder.encode("hello hello hello hello hello"));
    expect([...frame.subarray(0, 7)]).toEqual([4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
    expect([...frame.subarray(-4)]).toEqual([0, 0, 0, 0]);
    const theirs = native.compressFrameSync(new Uint8Array(300_000));
    expect((theirs[4] as number) & 0x20).toBe(0x20);
  });

  test("compressLz4Frame() stores what does not shrink", () => {
    const noise = new Prng(3).bytes(100_000);
    const frame = compressLz4Frame(noise);
    expect(frame.length).toBe(7 + 2 * 4 + noise.length + 4);
    expect(inflateLz4Frames(frame, noise.length)).toEqual(noise);
  });

  test("inflateLz4Frames() verifies every checksum that is there", () => {
    const abc = encoder.encode("abc");
    const content = xxhash32(encoder.encode("abcabc"));
    const good = frameOf(0x7c, [abc, abc], { size: 6, contentChecksum: content });
    expect(inflateLz4Frames(good, 6)).toEqual(encoder.encode("abcabc"));
    for (let at = 4; at < good.length; at++) {
      const bent = good.slice();
      bent[at] = (bent[at] as number) ^ 0x10;
      expect(reasonOf(bent)).toContain("Cannot inflate");
    }
  });

  test("inflateLz4Frames() refuses a content size that lies", () => {
    const abc = encoder.encode("abc");
    expect(reasonOf(frameOf(0x68, [abc], { size: 4 }))).toContain("size declared");
    expect(reasonOf(frameOf(0x68, [abc], { size: 0xffffffff }))).toContain("size declared");
  });

  test("inflateLz4Frames() goes over skippable frames and refuses the old format", () => {
    const skippable = Uint8Array.of(0x5f, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9);
    const frame = compressLz4Frame(encoder.encode("abc"));
    const bytes = Uint8Array.of(...skippable, ...frame, ...skippable);
    expect(inflateLz4Frames(bytes, 3)).toEqual(encoder.encode("abc"));
    expect(reasonOf(Uint8Array.of(0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9))).toContain("cut short");
    expect(reasonOf(Uint8Array.of(2, 0x21, 0x4c, 0x18, 0, 0, 0, 0))).toContain("no magic number");
  });

  test("inflateLz4Frames() refuses what no Java consumer could read", () => {
    expect(reasonOf(frameOf(0x40, []))).toContain("not independent");
    expect(reasonOf(frameOf(0x61, []))).toContain("dictionary");
    expect(reasonOf(frameOf(0x62, []))).toContain("flags");
    expect(reasonOf(frameOf(0xa0, []))).toContain("flags");
    expect(reasonOf(frameOf(0x60, [], { descriptor: 0x30 }))).toContain("descriptor");
    expect(reasonOf(frameOf(0x60, [], { descriptor: 0x41 }))).toContain("descriptor");
    expect(reasonOf(frameOf(0x60, [new Uint8Array(65_537)]))).toContain("too large");
  });

  test("inflateLz4Frames() refuses a block that is not right", () => {
    const bad: readonly (readonly [readonly number[], string])[] = [
      [[0x10, 65, 0, 0], "reaches 0 bytes back"],
      [[0x10, 65, 2, 0], "reaches 2 bytes back"],
      [[0x10, 65, 1], "match is cut short"],
      [[0x10, 65, 1, 0], "ends without literals"],
      [[0x20, 65], "literals do not fit"],
      [[0xf0, 255, 255], "length is cut short"],
      [[0x1f, 65, 1, 0, ...Array.from({ length: 300 }, () => 255), 0, 0], "too long"],
    ];
    for (const [block, reason] of bad) expect(reasonOf(blockFrame(...block))).toContain(reason);
    const run = blockFrame(0x1f, 65, 1, 0, 1, 0x10, 66);
    expect(inflateLz4Frames(run, 100)).toEqual(encoder.encode(`${"A".repeat(21)}B`));
  });

  test("inflateLz4Frames() keeps matches inside their own block", () => {
    const block = [0x10, 65, 1, 0, 0x10, 66];
    const size = [block.length, 0, 0, 0];
    const reaching = [0x00, 1, 0, 0x10, 66];
    const two = (second: readonly number[]): Uint8Array =>
      Uint8Array.of(
        ...[4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82],
        ...size,
        ...block,
        ...[second.length, 0, 0, 0],
        ...second,
        ...[0, 0, 0, 0],
      );
    expect(inflateLz4Frames(two(block), 100)).toEqual(encoder.encode("AAAAABAAAAAB"));
    expect(reasonOf(two(reaching))).toContain("reaches 1 bytes back");
  });
});
