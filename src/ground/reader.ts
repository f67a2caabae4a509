/**
 * A sticky reader of the protocol's primitive types (the manner of franz-go's `kbin.Reader`).
 *
 * After the first short or impossible read, every later read returns zero, and `failure` tells what
 * happened; decoders are straight lines and check once at the end.
 *
 * Bounded on purpose: an array's count is checked against the bytes that are left before anything is
 * allocated for it, and all elements of one frame together draw on one supply of fuel, so that a
 * frame of n bytes never makes more than a constant times n of objects (CVE-2026-111108).
 */
import { assert } from "./assert.ts";
import { textOf } from "./text.ts";
import { type Uuid, uuidFromBytes, ZERO_UUID } from "./uuid.ts";

const EMPTY = new Uint8Array(0);
/** Elements of arrays that need no bytes of their own are still counted. */
const SPARE_FUEL = 1024;

export class Reader {
  readonly bytes: Uint8Array;
  readonly #end: number;
  #position: number;
  #fuel: number;
  #failure: string | undefined;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    assert(start >= 0 && start <= end && end <= bytes.length, "a reader stays inside its bytes");
    this.bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.#fuel = end - start + SPARE_FUEL;
  }

  /** What went wrong first, or undefined while all is well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Marks the reader as failed; the first reason stays. */
  fail(reason: string): void {
    this.#failure ??= `${reason} at byte ${this.#position}`;
    this.#position = this.#end;
  }

  int8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : (this.#byte(at) << 24) >> 24;
  }

  uint8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#byte(at);
  }

  int16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : (this.#byte(at) << 24) >> 16 | this.#byte(at + 1);
  }

  uint16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : (this.#byte(at) << 8) | this.#byte(at + 1);
  }

  int32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#int32At(at);
  }

  uint32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#int32At(at) >>> 0;
  }

  /**
   * An int64 as a safe integer. A value beyond ±(2^53 − 1) saturates: no offset, id or time of mq
   * reaches there, so whoever checks the value's range refuses it as it refuses any other far value.
   */
  int64(): number {
    const at = this.#take(8);
    if (at < 0) return 0;
    const value = this.#int32At(at) * 0x1_0000_0000 + (this.#int32At(at + 4) >>> 0);
    if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
    return value < -Number.MAX_SAFE_INTEGER ? -Number.MAX_SAFE_INTEGER : value;
  }

  /** An int64 with every bit of it. */
  bigint64(): bigint {
    const at = this.#take(8);
    if (at < 0) return 0n;
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getBigInt64(0);
  }

  float64(): number {
    const at = this.#take(8);
    if (at < 0) return 0;
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getFloat64(0);
  }

  bool(): boolean {
    return this.uint8() !== 0;
  }

  uuid(): Uuid {
    const at = this.#take(16);
    return at < 0 ? ZERO_UUID : uuidFromBytes(this.bytes, at);
  }

  /** 0 … 2^32 − 1 in at most 5 bytes. */
  unsignedVarint(): number {
    let value = this.uint8();
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let index = 1; index < 5; index++) {
      const byte = this.uint8();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) {
        if (value > 0xffff_ffff) this.fail("Cannot read varint: it is over 32 bits");
        return this.#failure === undefined ? value : 0;
      }
    }
    this.fail("Cannot read varint: it is longer than 5 bytes");
    return 0;
  }

  /** A zigzag int32. */
  varint(): number {
    const raw = this.unsignedVarint();
    return (raw >>> 1) ^ -(raw & 1);
  }

  /** A zigzag int64 in at most 10 bytes; saturates as `int64` does. */
  varlong(): number {
    const first = this.uint8();
    let magnitude = (first & 0x7e) >>> 1;
    let byte = first;
    let scale = 64;
    for (let index = 1; byte >= 0x80; index++) {
      if (index === 10) {
        this.fail("Cannot read varlong: it is longer than 10 bytes");
        return 0;
      }
      byte = this.uint8();
      magnitude += (byte & 0x7f) * scale;
      scale *= 128;
    }
    if (this.#failure !== undefined) return 0;
    if (magnitude > Number.MAX_SAFE_INTEGER) magnitude = Number.MAX_SAFE_INTEGER;
    return (first & 1) === 1
      ? -magnitude - (magnitude < Number.MAX_SAFE_INTEGER ? 1 : 0)
      : magnitude;
  }

  /** The next `count` bytes as a view, not a copy. */
  take(count: number): Uint8Array {
    const at = this.#take(count);
    return at < 0 ? EMPTY : this.bytes.subarray(at, at + count);
  }

  skip(count: number): void {
    this.#take(count);
  }

  /** The next `count` bytes as text. */
  text(count: number): string {
    const at = this.#take(count);
    return at < 0 ? "" : textOf(this.bytes, at, at + count);
  }

  /** Lets at most `elements` of arrays come from here on, however long the frame is. */
  limitElements(elements: number): void {
    this.#fuel = Math.min(this.#fuel, elements);
  }

  /**
   * Checks a count read from the wire before anything is made for it.
   * Returns 0 (and fails) where `count` elements of at least `bytesMin` each cannot be there.
   */
  elements(count: number, bytesMin: number): number {
    if (count < 0 || count * bytesMin > this.remaining) {
      this.fail(`Cannot read array: ${count} elements do not fit into ${this.remaining} bytes`);
      return 0;
    }
    if (count > this.#fuel) {
      this.fail(`Cannot read array: ${count} elements are too many, only ${this.#fuel} may come`);
      return 0;
    }
    this.#fuel -= count;
    return count;
  }

  // No DataView for these: making one costs more than reading a whole request header.
  #byte(at: number): number {
    return this.bytes[at] as number;
  }

  #int32At(at: number): number {
    return (this.#byte(at) << 24) | (this.#byte(at + 1) << 16) | (this.#byte(at + 2) << 8) |
      this.#byte(at + 3);
  }

  #take(count: number): number {
    const at = this.#position;
    if (count < 0 || count > this.#end - at) {
      this.fail(`Cannot read ${count} bytes: ${this.#end - at} are left`);
      return -1;
    }
    this.#position = at + count;
    return at;
  }
}
