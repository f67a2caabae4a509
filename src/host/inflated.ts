/**
 * The output of a decompressor in TypeScript: grows as bytes really come, and never beyond a limit.
 *
 * A declared size is only a hint of how much to take at once: what lies about it costs nothing.
 */
import { CompressionFault } from "../env/compressor.ts";

const BYTES_FIRST_MAX = 1 << 20;
/** Shorter runs are faster byte by byte than by a call. */
const RUN_BYTES_MIN = 32;

export class Inflated {
  bytes: Uint8Array;
  length = 0;
  readonly #bytesMax: number;

  constructor(bytesMax: number, bytesHint: number) {
    this.#bytesMax = bytesMax;
    this.bytes = new Uint8Array(Math.min(bytesMax, bytesHint, BYTES_FIRST_MAX));
  }

  /** How many more bytes may come. */
  roomBytes(): number {
    return this.#bytesMax - this.length;
  }

  /** What has been put in so far, as a view. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Puts `source` from `from` to `to` behind what is there. */
  literal(source: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (this.length + length > this.bytes.length) this.#grow(length);
    if (length >= RUN_BYTES_MIN) {
      this.bytes.set(source.subarray(from, to), this.length);
      this.length += length;
      return;
    }
    const { bytes } = this;
    let at = this.length;
    for (let index = from; index < to; index++) bytes[at++] = source[index] as number;
    this.length = at;
  }

  /** Repeats `length` bytes from `distance` back, which may reach into what it makes. */
  copy(distance: number, length: number): void {
    if (this.length + length > this.bytes.length) this.#grow(length);
    const { bytes } = this;
    let at = this.length;
    if (length >= RUN_BYTES_MIN && distance >= length) {
      bytes.copyWithin(at, at - distance, at - distance + length);
      this.length += length;
      return;
    }
    const end = at + length;
    for (; at < end; at++) bytes[at] = bytes[at - distance] as number;
    this.length = end;
  }

  refuseGrowth(): never {
    throw new CompressionFault(
      "too-large",
      `Cannot inflate: it grows beyond the limit of ${this.#bytesMax} bytes`,
    );
  }

  #grow(more: number): void {
    const needed = this.length + more;
    if (needed > this.#bytesMax) this.refuseGrowth();
    const larger = new Uint8Array(
      Math.min(this.#bytesMax, Math.max(needed, this.bytes.length * 2)),
    );
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

export function corrupt(codec: string, reason: string): CompressionFault {
  return new CompressionFault("corrupt", `Cannot inflate ${codec}: ${reason}`);
}
