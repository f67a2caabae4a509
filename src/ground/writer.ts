/**
 * A growing writer of the protocol's primitive types: the mirror of `Reader`.
 *
 * Not here: lengths that are known only afterwards. Whoever needs one reserves it (`int32(0)`) and
 * patches it (`patchInt32`).
 */
import { assert } from "./assert.ts";
import { putText, utf8Bytes } from "./text.ts";
import { type Uuid, uuidToBytes } from "./uuid.ts";
import { putUnsignedVarint, putVarint, putVarlong } from "./varint.ts";

/** Bytes that are somewhere else (a range of a file, a batch in memory) and are not copied. */
export interface Foreign {
  readonly byteLength: number;
}

export class Writer {
  #foreign: { readonly at: number; readonly part: Foreign }[] = [];
  #foreignBytes = 0;
  #bytes: Uint8Array;
  #position = 0;

  constructor(bytesInitial = 256) {
    this.#bytes = new Uint8Array(bytesInitial);
  }

  /** Bytes written here, foreign ones not counted. */
  get position(): number {
    return this.#position;
  }

  /** All bytes, foreign ones counted. */
  get byteLength(): number {
    return this.#position + this.#foreignBytes;
  }

  /** What was written, as a view; only for who wrote nothing foreign. */
  finish(): Uint8Array {
    assert(this.#foreign.length === 0, "what holds foreign parts is finished by parts()");
    return this.#bytes.subarray(0, this.#position);
  }

  /** What was written, in order: own bytes as views, foreign parts as they were handed in. */
  parts(): readonly Foreign[] {
    const parts: Foreign[] = [];
    let from = 0;
    for (const { at, part } of this.#foreign) {
      if (at > from) parts.push(this.#bytes.subarray(from, at));
      parts.push(part);
      from = at;
    }
    if (this.#position > from) parts.push(this.#bytes.subarray(from, this.#position));
    return parts;
  }

  /** Puts a part in its place without copying it. */
  foreign(part: Foreign): void {
    if (part.byteLength === 0) return;
    this.#foreign.push({ at: this.#position, part });
    this.#foreignBytes += part.byteLength;
  }

  /** Starts over in the same memory: only for who has copied what `finish` gave. */
  reset(): void {
    this.#position = 0;
    this.#foreign = [];
    this.#foreignBytes = 0;
  }

  int8(value: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = value;
  }

  int16(value: number): void {
    const at = this.#grow(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  int32(value: number): void {
    this.#putInt32(this.#grow(4), value);
  }

  uint32(value: number): void {
    this.#putInt32(this.#grow(4), value);
  }

  /** Needs a safe integer. */
  int64(value: number): void {
    assert(Number.isSafeInteger(value), `int64 value ${value} is a safe integer`);
    const at = this.#grow(8);
    this.#putInt32(at, Math.floor(value / 0x1_0000_0000));
    this.#putInt32(at + 4, value);
  }

  bigint64(value: bigint): void {
    const at = this.#grow(8);
    new DataView(this.#bytes.buffer, at, 8).setBigInt64(0, value);
  }

  float64(value: number): void {
    const at = this.#grow(8);
    new DataView(this.#bytes.buffer, at, 8).setFloat64(0, value);
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  uuid(value: Uuid): void {
    this.raw(uuidToBytes(value));
  }

  unsignedVarint(value: number): void {
    const at = this.#grow(5);
    this.#position = putUnsignedVarint(this.#bytes, at, value);
  }

  varint(value: number): void {
    const at = this.#grow(5);
    this.#position = putVarint(this.#bytes, at, value);
  }

  varlong(value: number): void {
    const at = this.#grow(10);
    this.#position = putVarlong(this.#bytes, at, value);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Text in UTF-8 without a length; returns the bytes it took. */
  text(value: string): number {
    const byteLength = utf8Bytes(value);
    const at = this.#grow(byteLength);
    putText(this.#bytes, at, value);
    return byteLength;
  }

  patchInt32(at: number, value: number): void {
    assert(at + 4 <= this.#position, "a patch lies inside what was written");
    this.#putInt32(at, value);
  }

  patchUint32(at: number, value: number): void {
    this.patchInt32(at, value | 0);
  }

  /**
   * The lowest 32 bits of an integer. Byte by byte: a DataView per writer costs more than all that
   * is written to it, since it makes the runtime give the bytes an ArrayBuffer of their own.
   */
  #putInt32(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  /** Call it before `#bytes` is named: it may replace them. */
  #grow(count: number): number {
    const at = this.#position;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, needed));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    this.#position = needed;
    return at;
  }
}
