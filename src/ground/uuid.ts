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
/** The code of each value's character, and back. */
const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const VALUES = valuesByCode();
const TEXT_LENGTH = 22;

/** All zero: "no id". */
export const ZERO_UUID = "A".repeat(TEXT_LENGTH) as Uuid;

/** Shape: reads 16 bytes from `start`. */
export function uuidFromBytes(bytes: Uint8Array, start = 0): Uuid {
  const a = groupAt(bytes, start);
  const b = groupAt(bytes, start + 3);
  const c = groupAt(bytes, start + 6);
  const d = groupAt(bytes, start + 9);
  const e = groupAt(bytes, start + 12);
  const last = byteAt(bytes, start + 15);
  // In one call: a text that grows by a character at a time takes twice as long.
  return String.fromCharCode(
    codeOf(a >>> 18),
    codeOf(a >>> 12),
    codeOf(a >>> 6),
    codeOf(a),
    codeOf(b >>> 18),
    codeOf(b >>> 12),
    codeOf(b >>> 6),
    codeOf(b),
    codeOf(c >>> 18),
    codeOf(c >>> 12),
    codeOf(c >>> 6),
    codeOf(c),
    codeOf(d >>> 18),
    codeOf(d >>> 12),
    codeOf(d >>> 6),
    codeOf(d),
    codeOf(e >>> 18),
    codeOf(e >>> 12),
    codeOf(e >>> 6),
    codeOf(e),
    codeOf(last >>> 2),
    codeOf(last << 4),
  ) as Uuid;
}

/** Three bytes are four characters. */
function groupAt(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 16) | (byteAt(bytes, at + 1) << 8) | byteAt(bytes, at + 2);
}

/** The character of the lowest six bits. */
function codeOf(bits: number): number {
  return CODES[bits & 63] as number;
}

export function uuidToBytes(uuid: Uuid): Uint8Array {
  const bytes = new Uint8Array(16);
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (let index = 0; index < uuid.length && at < 16; index++) {
    bits = (bits << 6) | (VALUES[uuid.charCodeAt(index)] as number);
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[at++] = bits >>> bitCount;
    }
  }
  return bytes;
}

/** The uuid written as `text`, or undefined where it is not one. */
export function parseUuid(text: string): Uuid | undefined {
  if (text.length !== TEXT_LENGTH) return undefined;
  for (const character of text) if (!ALPHABET.includes(character)) return undefined;
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

function valuesByCode(): Uint8Array {
  const values = new Uint8Array(128);
  for (const [value, code] of CODES.entries()) values[code] = value;
  return values;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
