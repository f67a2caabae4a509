import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { Prng } from "../../src/ground/prng.ts";

const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);

/** The definition: bit by bit. */
function crc32cSlow(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

describe("crc32cTables()", () => {
  test("gives the checksums of RFC 3720, B.4", () => {
    expect(crc32cTables(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32cTables(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32cTables(ascending)).toBe(0x46dd794e);
    expect(crc32cTables(ascending.toReversed())).toBe(0x113fdb5c);
    expect(crc32cTables(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(crc32cTables(new Uint8Array(0))).toBe(0);
  });

  test("equals the definition at every length around the sixteens", () => {
    const bytes = new Prng(1).bytes(100);
    for (let length = 0; length <= bytes.length; length++) {
      const part = bytes.subarray(0, length);
      expect(crc32cTables(part)).toBe(crc32cSlow(part));
    }
  });

  test("goes on from a seed at every cut", () => {
    const bytes = new Prng(2).bytes(70);
    const whole = crc32cTables(bytes);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const before = crc32cTables(bytes.subarray(0, cut));
      expect(crc32cTables(bytes.subarray(cut), before)).toBe(whole);
    }
  });

  test("reads a view in the middle of its memory", () => {
    const memory = new Uint8Array([9, 9, 9, ...ascending, 9]);
    expect(crc32cTables(memory.subarray(3, 35))).toBe(0x46dd794e);
  });
});
