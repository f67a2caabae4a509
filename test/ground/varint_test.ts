/** The bytes are Kafka's own: `org.apache.kafka.common.utils.ByteUtils` of 4.1.1. */
import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { Reader } from "../../src/ground/reader.ts";
import {
  putUnsignedVarint,
  putVarint,
  putVarlong,
  unsignedVarintBytes,
  varintBytes,
  varlongBytes,
} from "../../src/ground/varint.ts";

const UNSIGNED: readonly (readonly [number, string])[] = [
  [0, "00"],
  [127, "7f"],
  [128, "8001"],
  [16383, "ff7f"],
  [16384, "808001"],
  [2097151, "ffff7f"],
  [2097152, "80808001"],
  [268435455, "ffffff7f"],
  [268435456, "8080808001"],
  [2147483647, "ffffffff07"],
  [2147483648, "8080808008"],
  [4294967295, "ffffffff0f"],
];

const VARINTS: readonly (readonly [number, string])[] = [
  [0, "00"],
  [-1, "01"],
  [1, "02"],
  [63, "7e"],
  [-64, "7f"],
  [64, "8001"],
  [-65, "8101"],
  [8191, "fe7f"],
  [8192, "808001"],
  [-8193, "818001"],
  [1048575, "feff7f"],
  [1048576, "80808001"],
  [134217727, "feffff7f"],
  [134217728, "8080808001"],
  [2147483647, "feffffff0f"],
  [-2147483648, "ffffffff0f"],
];

const VARLONGS: readonly (readonly [number, string])[] = [
  ...VARINTS,
  [2 ** 30 - 1, "feffffff07"],
  [2 ** 30, "8080808008"],
  [-(2 ** 30), "ffffffff07"],
  [-(2 ** 30) - 1, "8180808008"],
  [2 ** 31, "8080808010"],
  [-(2 ** 31), "ffffffff0f"],
  [2 ** 32, "8080808020"],
  [2 ** 34, "808080808001"],
  [-(2 ** 34) - 1, "818080808001"],
  [2 ** 41, "80808080808001"],
  [2 ** 48, "8080808080808001"],
  [Number.MAX_SAFE_INTEGER - 1, "fcffffffffffff1f"],
  [Number.MAX_SAFE_INTEGER, "feffffffffffff1f"],
  [-Number.MAX_SAFE_INTEGER, "fdffffffffffff1f"],
];

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bytes(hexadecimal: string): Uint8Array {
  return new Uint8Array((hexadecimal.match(/../g) ?? []).map((byte) => parseInt(byte, 16)));
}

type Put = (target: Uint8Array, at: number, value: number) => number;

/** What `put` writes behind one byte that is not its own. */
function written(put: Put, value: number): string {
  const target = new Uint8Array(12).fill(0xee);
  const end = put(target, 1, value);
  expect([target[0], target[end]]).toEqual([0xee, 0xee]);
  return hex(target.subarray(1, end));
}

describe("varints", () => {
  test("are written as Kafka writes them", () => {
    for (const [value, text] of UNSIGNED) expect(written(putUnsignedVarint, value)).toBe(text);
    for (const [value, text] of VARINTS) expect(written(putVarint, value)).toBe(text);
    for (const [value, text] of VARLONGS) expect(written(putVarlong, value)).toBe(text);
  });

  test("are as long as their size says", () => {
    for (const [value, text] of UNSIGNED) expect(unsignedVarintBytes(value)).toBe(text.length / 2);
    for (const [value, text] of VARINTS) expect(varintBytes(value)).toBe(text.length / 2);
    for (const [value, text] of VARLONGS) expect(varlongBytes(value)).toBe(text.length / 2);
  });

  test("are read as Kafka writes them", () => {
    for (const [value, text] of UNSIGNED) {
      expect(new Reader(bytes(text)).unsignedVarint()).toBe(value);
    }
    for (const [value, text] of VARINTS) expect(new Reader(bytes(text)).varint()).toBe(value);
    for (const [value, text] of VARLONGS) expect(new Reader(bytes(text)).varlong()).toBe(value);
  });

  test("of random size come back as they went", () => {
    const prng = new Prng(3);
    const target = new Uint8Array(12);
    for (let round = 0; round < 20_000; round++) {
      const sign = prng.oneIn(2) ? 1 : -1;
      const value = sign * Math.floor(prng.u32() * 2 ** (prng.below(54) - 32));
      const end = putVarlong(target, 0, value);
      const read = new Reader(target, 0, end).varlong();
      // Minus zero is written as zero.
      if (read !== value + 0 || end !== varlongBytes(value)) {
        throw new Error(`varlong ${value} came back as ${read} in ${end} bytes`);
      }
    }
    expect(target).toHaveLength(12);
  });
});

describe("Reader on varints that cannot be", () => {
  test("fails on an unsigned varint of more than 5 bytes or 32 bits", () => {
    for (const text of ["808080808000", "ffffffffffff", "ffffffff1f", "8080808010"]) {
      const reader = new Reader(bytes(text));
      expect(reader.unsignedVarint()).toBe(0);
      expect(reader.failure ?? "").toContain("varint");
    }
  });

  test("fails on a varlong of more than 10 bytes", () => {
    const reader = new Reader(bytes("8080808080808080808000"));
    expect(reader.varlong()).toBe(0);
    expect(reader.failure ?? "").toContain("longer than 10 bytes");
  });

  test("fails on every varint that is cut off", () => {
    for (const text of ["", "80", "ffff", "ffffffff"]) {
      for (const read of ["unsignedVarint", "varint", "varlong"] as const) {
        const reader = new Reader(bytes(text));
        expect(reader[read]()).toBe(0);
        expect(reader.failure).toBeDefined();
      }
    }
  });

  test("saturates a varlong beyond the safe integers", () => {
    expect(new Reader(bytes("feffffffffffffffff01")).varlong()).toBe(Number.MAX_SAFE_INTEGER);
    expect(new Reader(bytes("ffffffffffffffffff01")).varlong()).toBe(-Number.MAX_SAFE_INTEGER);
    expect(new Reader(bytes("8080808080808020")).varlong()).toBe(Number.MAX_SAFE_INTEGER);
    expect(new Reader(bytes("ffffffffffffff1f")).varlong()).toBe(-Number.MAX_SAFE_INTEGER);
  });

  test("takes a varint that is longer than it need be, as Kafka does", () => {
    expect(new Reader(bytes("8000")).unsignedVarint()).toBe(0);
    expect(new Reader(bytes("8180808000")).unsignedVarint()).toBe(1);
  });
});
