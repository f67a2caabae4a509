/**
 * Kafka's Uuid: 16 bytes on the wire, 22 characters of base64url in text and as a map key.
 *
 * Not here: chance. A random uuid is made of 16 bytes handed in by whoever owns the entropy.
 */
import { assert } from "./assert.ts";

declare const brand: unique symbol;
/** 22 characters of unpadded base64url, as Kafka prints it. */
export type Uuid = string & { readonly [brand]: "Uuid" };

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUE_OF = new Map([...ALPHABET].map((character, value) => [character, value]));
const TEXT_LENGTH = 22;

/** All zero: "no id". */
export const ZERO_UUID = "A".repeat(TEXT_LENGTH) as Uuid;

/** Shape: reads 16 bytes from `start`. */
export function uuidFromBytes(bytes: Uint8Array, start = 0): Uuid {
  let text = "";
  for (let at = 0; at < 15; at += 3) {
    const group = (byteAt(bytes, start + at) << 16) | (byteAt(bytes, start + at + 1) << 8) |
      byteAt(bytes, start + at + 2);
    text += ALPHABET.charAt(group >>> 18) + ALPHABET.charAt((group >>> 12) & 63) +
      ALPHABET.charAt((group >>> 6) & 63) + ALPHABET.charAt(group & 63);
  }
  const last = byteAt(bytes, start + 15);
  return (text + ALPHABET.charAt(last >>> 2) + ALPHABET.charAt((last & 3) << 4)) as Uuid;
}

export function uuidToBytes(uuid: Uuid): Uint8Array {
  const bytes = new Uint8Array(16);
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (const character of uuid) {
    bits = (bits << 6) | (VALUE_OF.get(character) ?? 0);
    bitCount += 6;
    if (bitCount >= 8 && at < 16) {
      bitCount -= 8;
      bytes[at++] = (bits >>> bitCount) & 255;
    }
  }
  return bytes;
}

/** The uuid written as `text`, or undefined where it is not one. */
export function parseUuid(text: string): Uuid | undefined {
  if (text.length !== TEXT_LENGTH) return undefined;
  for (const character of text) if (!VALUE_OF.has(character)) return undefined;
  return uuidFromBytes(uuidToBytes(text as Uuid)) === text ? text as Uuid : undefined;
}

/**
 * A version 4 uuid out of 16 random bytes.
 * Kafka never gives out a uuid whose text starts with "-", because command lines take it for a
 * flag; nor does this: such bytes get another first digit.
 */
export function uuidFromEntropy(entropy: Uint8Array): Uuid {
  assert(entropy.length === 16, "a uuid is made of 16 bytes");
  const bytes = entropy.slice();
  bytes[6] = (byteAt(bytes, 6) & 0x0f) | 0x40;
  bytes[8] = (byteAt(bytes, 8) & 0x3f) | 0x80;
  if (byteAt(bytes, 0) >>> 2 === 62) bytes[0] = byteAt(bytes, 0) & 0x7f;
  return uuidFromBytes(bytes);
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
