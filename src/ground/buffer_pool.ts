/**
 * Memory for frames that is used again and again: fresh memory costs more than what is done in it.
 *
 * A buffer has one owner, from `take` to `give`. With `isPoisoned` a given buffer is overwritten at
 * once, so that whoever still reads it is found (CVE-2026-35554 is what happens otherwise): tests do
 * that. Bounded: what is given beyond `bytesMax` is left to the garbage collector.
 */
import { assert } from "./assert.ts";

const BYTES_MIN = 4096;
const POISON = 0xdb;

export interface BufferPoolOptions {
  /** Bytes that the pool holds on to at most. */
  readonly bytesMax: number;
  readonly isPoisoned?: boolean;
}

export class BufferPool {
  readonly #options: BufferPoolOptions;
  /** By the logarithm of their size. */
  readonly #free: Uint8Array[][] = [];
  #freeBytes = 0;

  constructor(options: BufferPoolOptions) {
    this.#options = options;
  }

  /** Bytes that lie ready. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A buffer of at least `bytes`, with anything in it. */
  take(bytes: number): Uint8Array {
    const power = powerOf(Math.max(bytes, BYTES_MIN));
    const buffer = this.#free[power]?.pop();
    if (buffer === undefined) return new Uint8Array(2 ** power);
    this.#freeBytes -= buffer.length;
    return buffer;
  }

  /** Gives back what `take` gave; the giver does not touch it again. */
  give(buffer: Uint8Array): void {
    const power = powerOf(buffer.length);
    assert(2 ** power === buffer.length, "a buffer is given back whole");
    if (this.#options.isPoisoned === true) buffer.fill(POISON);
    if (this.#freeBytes + buffer.length > this.#options.bytesMax) return;
    this.#freeBytes += buffer.length;
    (this.#free[power] ??= []).push(buffer);
  }
}

/** The least power of two that holds `bytes`. */
function powerOf(bytes: number): number {
  return 32 - Math.clz32(bytes - 1);
}
