import { describe, expect, test } from "bun:test";
import { KeyedHash } from "../../src/ground/keyed_hash.ts";
import { Prng } from "../../src/ground/prng.ts";

/** Of the messages "", 00, 00 01, … under the key 00 … 07: vectors_hsip64 of the reference. */
const VECTORS =
  `218d1f59b9b83cc8 be552412f8387315 064f39ef7c50eb57 ce0f1a45f7060679 d5e78a175be52ea1
  cb9d7c3f2f3db580 ce3e91358aa2bc25 ff202728b07bc684 edfee820bce4858c 5b51cccc13888307
  95b0469f06a6f2ee ae26333994ddcd48 7bc71f9faef5c799 5a2352d75a0c3744 3bb1a870eae8e658
  217d0bcb4e81c902 7336aad25f7bf3b5 37adc0641c4c4f6a c9b2db2b9a3e42f9 f910e48020ab363c`
    .split(/\s+/);
const KEY = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);
const OTHER = Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2);

function secretOf(first: Uint8Array, second: Uint8Array): Uint8Array {
  const secret = new Uint8Array(16);
  secret.set(first);
  secret.set(second, 8);
  return secret;
}

function hex(low: number, high: number): string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setInt32(0, low, true);
  new DataView(bytes.buffer).setInt32(4, high, true);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe("KeyedHash", () => {
  test("update() gives HalfSipHash-2-4 under each half of the secret", () => {
    const message = Uint8Array.from({ length: 25 }, (_, index) => index - 5);
    const first = new KeyedHash(secretOf(KEY, OTHER));
    const second = new KeyedHash(secretOf(OTHER, KEY));
    for (const [length, expected] of VECTORS.entries()) {
      first.update(message, 5, 5 + length);
      expect(hex(first.a, first.b)).toBe(expected);
      expect(hex(first.c, first.d)).not.toBe(expected);
      second.update(message, 5, 5 + length);
      expect(hex(second.c, second.d)).toBe(expected);
    }
  });

  test("update() gives no hash twice for keys that differ in one bit", () => {
    const hash = new KeyedHash(new Prng(5).bytes(16));
    const key = new Prng(6).bytes(40);
    const seen = new Set<string>();
    for (let bit = 0; bit < key.length * 8; bit++) {
      const bent = key.slice();
      bent[bit >> 3] = (bent[bit >> 3] as number) ^ (1 << (bit & 7));
      hash.update(bent, 0, bent.length);
      seen.add(`${hex(hash.a, hash.b)}${hex(hash.c, hash.d)}`);
    }
    for (let length = 0; length < key.length; length++) {
      hash.update(key, 0, length);
      seen.add(`${hex(hash.a, hash.b)}${hex(hash.c, hash.d)}`);
    }
    expect(seen.size).toBe(key.length * 9);
  });
});
