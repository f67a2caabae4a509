/**
 * A hash of 128 bits under a secret key, for tables that know a key by its hash alone.
 *
 * Two HalfSipHash-2-4 of 64 bits each, under independent halves of the secret, computed side by side:
 * 32-bit arithmetic only, and two chains that a processor runs at once. Who does not know the secret
 * cannot make two keys with one hash, and two that meet by chance are as rare as 2^-128 says.
 * Not here: where the secret comes from (`env/crypto.ts`).
 *
 * Source: Aumasson and Bernstein, SipHash: a fast short-input PRF; HalfSipHash, reference vectors.
 */
import { assert } from "./assert.ts";

export const HASH_SECRET_BYTES = 16;

const ROUNDS_OF_WORD = 2;
const ROUNDS_OF_END = 4;

export class KeyedHash {
  /** The hash that `update` made last: four int32, a and b of the one chain, c and d of the other. */
  a = 0;
  b = 0;
  c = 0;
  d = 0;
  readonly #secretA: number;
  readonly #secretB: number;
  readonly #secretC: number;
  readonly #secretD: number;

  constructor(secret: Uint8Array) {
    assert(secret.length === HASH_SECRET_BYTES, "the secret of a keyed hash has 16 bytes");
    this.#secretA = wordAt(secret, 0);
    this.#secretB = wordAt(secret, 4);
    this.#secretC = wordAt(secret, 8);
    this.#secretD = wordAt(secret, 12);
  }

  /** Hashes `bytes` from `start` to `end`. */
  update(bytes: Uint8Array, start: number, end: number): void {
    const wordsEnd = end - ((end - start) & 3);
    let v0 = this.#secretA;
    let v1 = this.#secretB ^ 0xee;
    let v2 = this.#secretA ^ 0x6c796765;
    let v3 = this.#secretB ^ 0x74656462;
    let w0 = this.#secretC;
    let w1 = this.#secretD ^ 0xee;
    let w2 = this.#secretC ^ 0x6c796765;
    let w3 = this.#secretD ^ 0x74656462;
    let at = start;
    let word = 0;
    let rounds = ROUNDS_OF_WORD;
    // The words, the last one with the length in it, and two ends: one after the other.
    for (let ends = -1; ends < 2;) {
      if (at < wordsEnd) {
        word = wordAt(bytes, at);
        at += 4;
      } else {
        word = ends < 0 ? lastWord(bytes, wordsEnd, start, end) : 0;
        ends++;
      }
      v3 ^= word;
      w3 ^= word;
      for (let round = 0; round < rounds; round++) {
        v0 = (v0 + v1) | 0;
        w0 = (w0 + w1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        w1 = ((w1 << 5) | (w1 >>> 27)) ^ w0;
        v2 = (v2 + v3) | 0;
        w2 = (w2 + w3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        w3 = ((w3 << 8) | (w3 >>> 24)) ^ w2;
        v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0;
        w0 = (((w0 << 16) | (w0 >>> 16)) + w3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        w3 = ((w3 << 7) | (w3 >>> 25)) ^ w0;
        v2 = (v2 + v1) | 0;
        w2 = (w2 + w1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        w1 = ((w1 << 13) | (w1 >>> 19)) ^ w2;
        v2 = (v2 << 16) | (v2 >>> 16);
        w2 = (w2 << 16) | (w2 >>> 16);
      }
      v0 ^= word;
      w0 ^= word;
      if (ends === 0) {
        v2 ^= 0xee;
        w2 ^= 0xee;
        rounds = ROUNDS_OF_END;
      } else if (ends === 1) {
        this.a = v1 ^ v3;
        this.c = w1 ^ w3;
        v1 ^= 0xdd;
        w1 ^= 0xdd;
      }
    }
    this.b = v1 ^ v3;
    this.d = w1 ^ w3;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

/** What is left behind the whole words, and the length in the highest byte. */
function lastWord(bytes: Uint8Array, at: number, start: number, end: number): number {
  let word = (end - start) << 24;
  for (let index = at; index < end; index++) {
    word |= (bytes[index] as number) << ((index - at) << 3);
  }
  return word;
}
