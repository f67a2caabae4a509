import { describe, expect, test } from "bun:test";
import { compress as compressRaw } from "snappyjs";
import { CompressionFault } from "../../src/env/compressor.ts";
import { compressXerial, inflateXerial } from "../../src/host/xerial.ts";

const encoder = new TextEncoder();
const HEADER = [0x82, 83, 78, 65, 80, 80, 89, 0, 0, 0, 0, 1, 0, 0, 0, 1];

function reasonOf(bytes: readonly number[], bytesMax = 1 << 20): string {
  try {
    inflateXerial(Uint8Array.from(bytes), bytesMax);
  } catch (fault) {
    if (fault instanceof CompressionFault) return fault.message;
    throw fault;
  }
  return "none";
}

describe("snappy", () => {
  test("compressXerial() writes the header and chunks of 32 KiB", () => {
    const stream = compressXerial(new Uint8Array(70_000));
    expect([...stream.subarray(0, 16)]).toEqual(HEADER);
    const view = new DataView(stream.buffer, stream.byteOffset);
    let chunks = 0;
    for (let at = 16; at < stream.length; at += 4 + view.getInt32(at)) chunks++;
    expect(chunks).toBe(3);
  });

  test("inflateXerial() reads a raw block, as librdkafka writes it", () => {
    const text = encoder.encode("raw ".repeat(1000));
    expect(inflateXerial(compressRaw(text) as Uint8Array, text.length)).toEqual(text);
  });

  test("inflateXerial() reads literals and copies of every width", () => {
    const literal = (length: number): number[] => Array.from({ length }, (_, at) => at & 255);
    const wide = [0xf8, 0x2b, 1, 0, ...literal(300)]; // 3 bytes of length
    const widest = [0xfc, 0x2b, 1, 0, 0, ...literal(300)];
    for (const bytes of [[0xf4, 0x2b, 1, ...literal(300)], wide, widest]) {
      expect(inflateXerial(Uint8Array.of(0xac, 2, ...bytes), 300)).toEqual(
        Uint8Array.from(literal(300)),
      );
    }
    const abab = encoder.encode("abababab");
    const narrow = Uint8Array.of(8, 0x04, 97, 98, 0x09, 2); // 6 bytes from 2 back
    expect(inflateXerial(narrow, 8)).toEqual(abab);
    expect(inflateXerial(Uint8Array.of(8, 0x04, 97, 98, 0x16, 2, 0), 8)).toEqual(abab);
    expect(inflateXerial(Uint8Array.of(8, 0x04, 97, 98, 0x17, 2, 0, 0, 0), 8)).toEqual(abab);
  });

  test("inflateXerial() ends on a literal whose length is negative as an int32", () => {
    expect(reasonOf([10, 0xfc, 0xfa, 0xff, 0xff, 0xff, 0, 0, 0])).toContain("does not fit");
  });

  test("inflateXerial() refuses a block that is not right", () => {
    const bad: readonly (readonly [readonly number[], string])[] = [
      [[], "no length"],
      [[0x80, 0x80], "no length"],
      [[0x80, 0x80, 0x80, 0x80, 0x80, 1], "no length"],
      [[3, 0, 65], "ends short"],
      [[1, 0x04, 65, 66], "does not fit"],
      [[2, 0x04, 65], "does not fit"],
      [[2, 0xf0], "cut short"],
      [[5, 0, 65, 0x01, 0], "reaches 0 bytes back"],
      [[5, 0, 65, 0x01, 2], "reaches 2 bytes back"],
      [[3, 0, 65, 0x01, 1], "longer than its length"],
      [[5, 0, 65, 0x0e, 1], "cut short"],
    ];
    for (const [bytes, reason] of bad) expect(reasonOf(bytes)).toContain(reason);
  });

  test("inflateXerial() does not believe a length of 4 GiB", () => {
    expect(reasonOf([255, 255, 255, 255, 15, 0, 65])).toContain("limit of 1048576 bytes");
    expect(reasonOf([...HEADER, 0, 0, 0, 7, 255, 255, 255, 255, 15, 0, 65])).toContain("limit");
  });

  test("inflateXerial() refuses a chunk that does not fit", () => {
    expect(reasonOf([...HEADER, 0, 0, 0])).toContain("chunk length -1");
    expect(reasonOf([...HEADER, 0, 0, 0, 9, 1, 0, 65])).toContain("chunk length 9");
    expect(reasonOf([...HEADER, 255, 255, 255, 255])).toContain("chunk length -1");
    expect(inflateXerial(Uint8Array.from(HEADER), 0)).toHaveLength(0);
  });
});
