/**
 * The varints of a record section, read forward: what validator and cursor stand on.
 *
 * Made for speed: public fields, no object per read, the one-byte varint (nearly all of them) first.
 * Sticky: a read past the end sets `isBroken`, and it and every later read give 0. As in Kafka
 * (ByteUtils), an int32 takes at most 5 bytes and an int64 at most 10, surplus high bits of the last
 * byte are dropped, and longer forms than needed are taken.
 */

export class RecordScan {
  bytes: Uint8Array;
  position: number;
  end: number;
  isBroken = false;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** A zigzag int32. */
  varint(): number {
    const at = this.position;
    if (at < this.end) {
      const byte = this.bytes[at] as number;
      if (byte < 0x80) {
        this.position = at + 1;
        return (byte >>> 1) ^ -(byte & 1);
      }
    }
    return this.#longVarint();
  }

  /** A zigzag int64; saturates at ±(2^53 − 1), as `Reader.varlong` does. */
  varlong(): number {
    const at = this.position;
    if (at < this.end) {
      const byte = this.bytes[at] as number;
      if (byte < 0x80) {
        this.position = at + 1;
        return (byte >>> 1) ^ -(byte & 1);
      }
    }
    return this.#longVarlong();
  }

  /** Goes over `length` bytes; a negative length is null and takes none. */
  skip(length: number): void {
    if (length <= 0) return;
    if (length > this.end - this.position) this.break();
    else this.position += length;
  }

  /** Goes over `count` headers; refuses a key that is null and a length below -1. */
  skipHeaders(count: number): void {
    if (count < 0 || count > this.end - this.position) this.break();
    for (let index = 0; index < count && !this.isBroken; index++) {
      const keyLength = this.varint();
      if (keyLength < 0) this.break();
      this.skip(keyLength);
      const valueLength = this.varint();
      if (valueLength < -1) this.break();
      this.skip(valueLength);
    }
  }

  /** From here on all reads give 0. */
  break(): void {
    this.isBroken = true;
    this.position = this.end;
  }

  #longVarint(): number {
    let raw = 0;
    let at = this.position;
    for (let shift = 0; shift < 35 && at < this.end; shift += 7) {
      const byte = this.bytes[at++] as number;
      raw |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = at;
        return (raw >>> 1) ^ -(raw & 1);
      }
    }
    this.break();
    return 0;
  }

  /**
   * Zigzag doubles a value, which leaves the safe integers; so the lowest bit, the sign, is kept
   * apart: the magnitude has 6 bits in the first byte, 28 in all in the first four.
   */
  #longVarlong(): number {
    let at = this.position;
    if (at >= this.end) {
      this.break();
      return 0;
    }
    const first = this.bytes[at++] as number;
    let magnitude = (first & 0x7e) >>> 1;
    let scale = 64;
    for (let index = 1; index < 10 && at < this.end; index++) {
      const byte = this.bytes[at++] as number;
      // The tenth byte has room for one bit only: the highest of 64.
      magnitude += (index === 9 ? byte & 1 : byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        this.position = at;
        return signed(magnitude, (first & 1) === 1);
      }
    }
    this.break();
    return 0;
  }
}

function signed(magnitude: number, isNegative: boolean): number {
  if (magnitude >= Number.MAX_SAFE_INTEGER) {
    return isNegative ? -Number.MAX_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
  }
  return isNegative ? -magnitude - 1 : magnitude;
}
