/** What may not reach the msgpack library, and that everything the library writes may. */
import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { decodeMessagePack, encodeMessagePack } from "../../src/wire/msgpack.ts";
import { refuseMessagePack } from "../../src/wire/msgpack_check.ts";
import { randomBytes } from "../api/own/random_own.ts";
import { seedOf } from "./random_message.ts";

const FRAMES = 200_000;

function randomValue(prng: Prng, depth: number): unknown {
  switch (prng.below(depth === 0 ? 8 : 10)) {
    case 0:
      return null;
    case 1:
      return prng.oneIn(2);
    case 2:
      return prng.below(256) - 128;
    case 3:
      return (prng.u32() - 2 ** 31) * (prng.oneIn(2) ? 1 : 2 ** 20);
    case 4:
      return prng.u32() / 7;
    case 5:
      return "ä".repeat(prng.below(40));
    case 6:
      return "x".repeat(prng.oneIn(20) ? 70_000 : prng.below(300));
    case 7:
      return randomBytes(prng, prng.below(300));
    case 8:
      return Array.from({ length: prng.below(20) }, () => randomValue(prng, depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: prng.below(8) }, (_, at) => [`k${at}`, randomValue(prng, depth - 1)]),
      );
  }
}

describe("refuseMessagePack()", () => {
  test("lets everything pass that the library writes of plain values, with nothing left over", () => {
    const prng = new Prng(seedOf("msgpack check"));
    for (let round = 0; round < 3000; round++) {
      const bytes = encodeMessagePack(randomValue(prng, 4));
      expect(refuseMessagePack(bytes)).toBeUndefined();
      expect(refuseMessagePack(bytes.subarray(0, bytes.length - 1)) === undefined).toBeFalse();
    }
  });

  test("what passes can be decoded", () => {
    const prng = new Prng(seedOf("msgpack check, rubbish"));
    let passed = 0;
    for (let round = 0; round < FRAMES; round++) {
      const bytes = randomBytes(prng, 1 + prng.below(12));
      // One of the bytes that announce lengths, in front: else hardly any rubbish has a length.
      if (prng.oneIn(2)) bytes[0] = 0xc0 + prng.below(32);
      if (refuseMessagePack(bytes) !== undefined) continue;
      passed++;
      expect(decodeMessagePack(bytes) === undefined).toBeFalse();
    }
    expect(passed).toBeGreaterThan(1000);
  });

  const bombs: readonly (readonly [string, readonly number[]])[] = [
    ["nothing", []],
    ["an array that only says that it is long", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a map that only says that it is long", [0xdf, 0x7f, 0xff, 0xff, 0xff]],
    ["a text that only says that it is long", [0xdb, 0x7f, 0xff, 0xff, 0xff]],
    ["bytes that only say that they are long", [0xc6, 0x7f, 0xff, 0xff, 0xff]],
    ["a length that is cut off", [0xdc, 0x01]],
    ["an extension", [0xd4, 0x00, 0x00]],
    ["a definition of a structure", [0xd5, 0x72, 0x40, 0x91, 0xa1, 0x61]],
    ["a date", [0xd6, 0xff, 0, 0, 0, 0]],
    ["the byte that means nothing", [0xc1]],
    ["two values", [0x01, 0x02]],
    ["a list in a list, a thousand times", Array.from({ length: 1000 }, () => 0x91).concat(0x01)],
  ];
  for (const [what, bytes] of bombs) {
    test(`refuses ${what}`, () => {
      expect(typeof refuseMessagePack(Uint8Array.from(bytes))).toBe("string");
    });
  }

  test("refuses half a million empty objects, which weigh a byte each", () => {
    const count = 600_000;
    const bytes = new Uint8Array(5 + count).fill(0x80);
    bytes.set([0xdd, 0, count >>> 16, (count >>> 8) & 255, count & 255]);
    expect(refuseMessagePack(bytes)).toBe("there are more than 500000 values");
  });
});
