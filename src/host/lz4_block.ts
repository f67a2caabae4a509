/**
 * One LZ4 block: inflating, and making it in the fast way (one hash table, greedy).
 *
 *     block    = sequence*
 *     sequence = token (literal length 4 bits, match length − 4 4 bits), more length (255 …), literals,
 *                distance uint16 little-endian, more length; the last one ends behind its literals
 *
 * The last 5 bytes are always literals, and no match begins in the last 12.
 * Source: lz4, doc/lz4_Block_format.md.
 */
import { corrupt, type Inflated } from "./inflated.ts";

const MATCH_BYTES_MIN = 4;
const LITERALS_LAST_MIN = 5;
const MATCH_START_MARGIN = 12;
const DISTANCE_MAX = 0xffff;
const HASH_BITS = 13;
/** Shorter runs are faster byte by byte than by a call. */
const RUN_BYTES_MIN = 32;
/** After so many misses (a power of two) the search goes in longer steps. */
const SKIP_SHIFT = 6;

/** The most that `bytes` of anything can take. */
export function lz4BlockBytesMax(bytes: number): number {
  return bytes + Math.floor(bytes / 255) + 16;
}

/** Puts the block behind what is in `target`; it may hold at most `blockBytesMax`. */
export function inflateLz4Block(
  source: Uint8Array,
  range: { readonly start: number; readonly end: number },
  target: Inflated,
  blockBytesMax: number,
): void {
  const { end } = range;
  const blockStart = target.length;
  const blockEnd = blockStart + blockBytesMax;
  let at = range.start;
  while (at < end) {
    const token = source[at++] as number;
    let literals = token >>> 4;
    if (literals === 15) {
      const more = moreLength(source, at, end);
      literals += more;
      at += moreBytes(more);
    }
    if (literals > end - at || literals > blockEnd - target.length) {
      throw corrupt("lz4", `${literals} literals do not fit`);
    }
    if (literals > 0) target.literal(source, at, at + literals);
    at += literals;
    if (at === end) return;

    if (end - at < 2) throw corrupt("lz4", "a match is cut short");
    const distance = (source[at] as number) | ((source[at + 1] as number) << 8);
    at += 2;
    let length = token & 15;
    if (length === 15) {
      const more = moreLength(source, at, end);
      length += more;
      at += moreBytes(more);
    }
    length += MATCH_BYTES_MIN;
    if (distance === 0 || distance > target.length - blockStart) {
      throw corrupt("lz4", `a match reaches ${distance} bytes back`);
    }
    if (length > blockEnd - target.length) throw corrupt("lz4", "a block is too long");
    target.copy(distance, length);
  }
  throw corrupt("lz4", "a block ends without literals");
}

/** The sum of the length bytes at `at`: any number of 255, then a smaller one. */
function moreLength(source: Uint8Array, at: number, end: number): number {
  let sum = 0;
  while (at < end) {
    const byte = source[at++] as number;
    sum += byte;
    if (byte !== 255) return sum;
  }
  throw corrupt("lz4", "a length is cut short");
}

function moreBytes(more: number): number {
  return Math.floor(more / 255) + 1;
}

/** Makes blocks; keeps its hash table from one to the next. */
export class Lz4BlockWriter {
  readonly #positions = new Int32Array(1 << HASH_BITS);

  /**
   * Compresses `source` from `start` to `end` into `target` at `at`, where `lz4BlockBytesMax` bytes
   * must be free; returns the position behind it. The block refers to nothing before `start`.
   */
  write(
    source: Uint8Array,
    range: { readonly start: number; readonly end: number },
    target: Uint8Array,
    at: number,
  ): number {
    const { start, end } = range;
    const positions = this.#positions;
    positions.fill(-1);
    const searchEnd = end - MATCH_START_MARGIN;
    const matchEnd = end - LITERALS_LAST_MIN;
    let anchor = start;
    let position = start;
    let misses = 1 << SKIP_SHIFT;
    while (position <= searchEnd) {
      const sequence = word(source, position);
      const slot = Math.imul(sequence, 0x9e3779b1) >>> (32 - HASH_BITS);
      const candidate = positions[slot] as number;
      positions[slot] = position;
      if (
        candidate < 0 || position - candidate > DISTANCE_MAX || word(source, candidate) !== sequence
      ) {
        position += misses++ >>> SKIP_SHIFT;
        continue;
      }
      misses = 1 << SKIP_SHIFT;
      let behind = position + MATCH_BYTES_MIN;
      const distance = position - candidate;
      while (behind < matchEnd && source[behind] === source[behind - distance]) behind++;
      const matchLength = behind - position - MATCH_BYTES_MIN;
      target[at] = Math.min(matchLength, 15);
      at = putLiterals(source, { start: anchor, end: position }, target, at);
      target[at++] = distance & 255;
      target[at++] = distance >>> 8;
      if (matchLength >= 15) at = putMore(target, at, matchLength - 15);
      anchor = position = behind;
    }
    target[at] = 0;
    return putLiterals(source, { start: anchor, end }, target, at);
  }
}

/** Completes the token at `at`, whose match length stands, with literals; returns the end. */
function putLiterals(
  source: Uint8Array,
  range: { readonly start: number; readonly end: number },
  target: Uint8Array,
  at: number,
): number {
  const { start, end } = range;
  const literals = end - start;
  target[at] = (target[at] as number) | (Math.min(literals, 15) << 4);
  at++;
  if (literals >= 15) at = putMore(target, at, literals - 15);
  if (literals >= RUN_BYTES_MIN) target.set(source.subarray(start, end), at);
  else {for (let index = 0; index < literals; index++) {
      target[at + index] = source[start + index] as number;
    }}
  return at + literals;
}

function putMore(target: Uint8Array, at: number, more: number): number {
  for (; more >= 255; more -= 255) target[at++] = 255;
  target[at++] = more;
  return at;
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}
