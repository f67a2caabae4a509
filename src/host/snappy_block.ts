/**
 * Inflates one raw snappy block.
 *
 *     block   = length uvarint, element*
 *     element = tag, then what it says; the two low bits of the tag tell literal (0) or copy (1, 2, 3)
 *
 * Own, because the library's inflater loops for ever on a literal whose 32-bit length is negative and
 * takes a block that ends short of its length. It does compress (`xerial.ts`).
 *
 * Source: google/snappy, format_description.txt.
 */
import { corrupt, type Inflated } from "./inflated.ts";

/** Puts what `source` holds from `start` to `end` behind what is in `target`. */
export function inflateSnappyBlock(
  source: Uint8Array,
  start: number,
  end: number,
  target: Inflated,
): void {
  const blockStart = target.length;
  const lengthEnd = uvarintEnd(source, start, end);
  const blockEnd = blockStart + uvarint(source, start, lengthEnd);
  if (blockEnd - blockStart > target.roomBytes()) target.refuseGrowth();
  let at = lengthEnd;
  while (at < end) {
    const tag = source[at++] as number;
    const kind = tag & 3;
    if (kind === 0) {
      const extra = Math.max(0, (tag >>> 2) - 59);
      const length = 1 + (extra === 0 ? tag >>> 2 : little(source, at, end, extra));
      at += extra;
      if (length > end - at || length > blockEnd - target.length) {
        throw corrupt("snappy", `a literal of ${length} bytes does not fit`);
      }
      target.literal(source, at, at + length);
      at += length;
      continue;
    }
    const extra = kind === 3 ? 4 : kind;
    const high = kind === 1 ? (tag >>> 5) << 8 : 0;
    const length = kind === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
    const distance = high + little(source, at, end, extra);
    at += extra;
    if (distance === 0 || distance > target.length - blockStart) {
      throw corrupt("snappy", `a copy reaches ${distance} bytes back`);
    }
    if (length > blockEnd - target.length) throw corrupt("snappy", "it is longer than its length");
    target.copy(distance, length);
  }
  if (target.length !== blockEnd) throw corrupt("snappy", "it ends short of its length");
}

function uvarintEnd(source: Uint8Array, start: number, end: number): number {
  for (let at = start; at < Math.min(end, start + 5); at++) {
    if ((source[at] as number) < 0x80) return at + 1;
  }
  throw corrupt("snappy", "it has no length");
}

function uvarint(source: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = end - 1; at >= start; at--) value = value * 128 + ((source[at] as number) & 0x7f);
  return value;
}

/** An unsigned little-endian number of `count` bytes. */
function little(source: Uint8Array, at: number, end: number, count: number): number {
  if (count > end - at) throw corrupt("snappy", "it is cut short");
  let value = source[at] as number;
  if (count > 1) value |= (source[at + 1] as number) << 8;
  if (count > 2) value |= (source[at + 2] as number) << 16;
  if (count > 3) value |= (source[at + 3] as number) << 24;
  return value >>> 0;
}
