/**
 * Variable-length integers as Kafka writes them: 7 bits a byte, lowest first; signed ones zigzag.
 *
 * Unsigned 32 bit: lengths and tags of flexible versions (KIP-482). Zigzag 32 and 64 bit: the
 * fields of a record inside a batch. A varint takes at most 5 bytes, a varlong at most 10; the
 * readers that enforce this are in `reader.ts`.
 */

/** Bytes that `value` (0 … 2^32 − 1) takes. */
export function unsignedVarintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/** Bytes that the zigzag form of an int32 takes. */
export function varintBytes(value: number): number {
  return unsignedVarintBytes(((value << 1) ^ (value >> 31)) >>> 0);
}

/** Bytes that the zigzag form of a safe integer takes. */
export function varlongBytes(value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return varintBytes(value);
  let rest = value < 0 ? -(value + 1) : value;
  let bytes = 1;
  for (rest = Math.floor(rest / 64); rest > 0; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes `value` (0 … 2^32 − 1) at `at`; returns the position behind it. */
export function putUnsignedVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0;
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** Writes an int32 in zigzag form at `at`; returns the position behind it. */
export function putVarint(target: Uint8Array, at: number, value: number): number {
  return putUnsignedVarint(target, at, (value << 1) ^ (value >> 31));
}

/** Writes a safe integer in zigzag form at `at`; returns the position behind it. */
export function putVarlong(target: Uint8Array, at: number, value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return putVarint(target, at, value);
  const isNegative = value < 0;
  // Zigzag doubles the value; above 2^52 that leaves the safe integers, so the lowest bit is
  // handled apart: magnitude m gives bits (m, sign), written 6 + 7 + 7 …
  let rest = isNegative ? -(value + 1) : value;
  target[at++] = ((rest % 64) * 2 + (isNegative ? 1 : 0)) | 0x80;
  rest = Math.floor(rest / 64);
  while (rest >= 128) {
    target[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}
