/** Chance and entropy of the system. */
import type { Crypto } from "../env/crypto.ts";
import type { Random } from "../env/random.ts";
import { Prng } from "../ground/prng.ts";

export class SystemCrypto implements Crypto {
  randomBytes(count: number): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(count));
  }
}

/** A generator seeded from the system's entropy. */
export function systemRandom(): Random {
  return new Prng(crypto.getRandomValues(new Uint32Array(1))[0] as number);
}
