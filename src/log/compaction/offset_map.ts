/**
 * The last offset of every key of a stretch of log, in memory of a fixed size.
 *
 * A key is known by its hash alone (`KeyedHash`: two keys with one hash do not happen), so that an
 * entry takes 24 bytes however long the keys are. Open addressing with linear probing: a lookup
 * reads memory that lies side by side.
 *
 *     slot = hash int32 × 4, offset + 1 as two int32 (high, low); both 0 where the slot is empty
 *
 * Not here: what the map is good for (`dirty_keys.ts` fills it, `batch_filter.ts` asks it).
 * Source: kafka: SkimpyOffsetMap, `log.cleaner.io.buffer.load.factor`.
 */
import { assert } from "../../ground/assert.ts";
import { KeyedHash } from "../../ground/keyed_hash.ts";

export const OFFSET_SLOT_BYTES = 24;

const SLOT_WORDS = 6;
const TWO_TO_32 = 0x1_0000_0000;
/** Beyond this, searches for what is not there grow long. */
const LOAD_FACTOR = 0.9;
const NOT_THERE = -1;

export class OffsetMap {
  /** Keys in the map. */
  count = 0;
  /** Keys that go into it. */
  readonly countMax: number;
  readonly #hash: KeyedHash;
  readonly #slotCount: number;
  #words: Int32Array<ArrayBuffer>;

  /** With room for `keyCount` keys, or for as many as go into `bytesMax`: at least one. */
  constructor(
    size: { readonly bytesMax: number; readonly keyCount: number },
    secret: Uint8Array,
  ) {
    const slotCountMax = Math.floor(size.bytesMax / OFFSET_SLOT_BYTES);
    assert(slotCountMax >= 2, "an offset map has memory for two entries");
    const slotsWanted = Math.ceil(Math.max(1, size.keyCount) / LOAD_FACTOR) + 1;
    this.#slotCount = Math.min(slotCountMax, slotsWanted);
    this.countMax = Math.max(1, Math.floor(this.#slotCount * LOAD_FACTOR));
    this.#words = new Int32Array(this.#slotCount * SLOT_WORDS);
    this.#hash = new KeyedHash(secret);
  }

  /** Bytes of memory that it has taken. */
  get bytes(): number {
    return this.#words.byteLength;
  }

  /**
   * Notes the offset of a key that lies in `bytes`; the highest one stays. False, and nothing done,
   * where the key is a new one and the map is full.
   */
  put(bytes: Uint8Array, start: number, end: number, offset: number): boolean {
    const at = this.#find(bytes, start, end);
    const words = this.#words;
    const stored = offset + 1;
    if (isEmpty(words, at)) {
      if (this.count === this.countMax) return false;
      this.count++;
      const hash = this.#hash;
      words[at] = hash.a;
      words[at + 1] = hash.b;
      words[at + 2] = hash.c;
      words[at + 3] = hash.d;
    } else if (storedAt(words, at) >= stored) return true;
    words[at + 4] = Math.floor(stored / TWO_TO_32);
    words[at + 5] = stored | 0;
    return true;
  }

  /** The highest offset of the key that lies in `bytes`; -1 where it was never put. */
  get(bytes: Uint8Array, start: number, end: number): number {
    const at = this.#find(bytes, start, end);
    return isEmpty(this.#words, at) ? NOT_THERE : storedAt(this.#words, at) - 1;
  }

  /** Gives the memory back at once, without waiting for the collector; the map is not used again. */
  release(): void {
    this.#words.buffer.transfer(0);
    this.#words = new Int32Array(0);
    this.count = 0;
  }

  /** The key's slot, or the empty one where it would go: there always is one. */
  #find(bytes: Uint8Array, start: number, end: number): number {
    const hash = this.#hash;
    hash.update(bytes, start, end);
    const { a, b, c, d } = hash;
    const words = this.#words;
    const wordsEnd = this.#slotCount * SLOT_WORDS;
    let at = Math.floor(((a >>> 0) / TWO_TO_32) * this.#slotCount) * SLOT_WORDS;
    while (!isEmpty(words, at)) {
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) {
        break;
      }
      at += SLOT_WORDS;
      if (at === wordsEnd) at = 0;
    }
    return at;
  }
}

function isEmpty(words: Int32Array, at: number): boolean {
  return words[at + 5] === 0 && words[at + 4] === 0;
}

function storedAt(words: Int32Array, at: number): number {
  return (words[at + 4] as number) * TWO_TO_32 + ((words[at + 5] as number) >>> 0);
}
