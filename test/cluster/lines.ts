/** Lines of bytes, and what is left of them after a way through several partitions. */

const NEWLINE = 10;
const COLON = 58;

/** Where the byte is at or behind `start`; the length where it is not. */
export function indexOfBytes(bytes: Uint8Array, wanted: number, start: number): number {
  const at = bytes.indexOf(wanted, start);
  return at < 0 ? bytes.length : at;
}

/**
 * Where two texts first differ, for a message that can be read; undefined where they are the same.
 */
export function firstDifference(got: Uint8Array, wanted: Uint8Array): string | undefined {
  const common = Math.min(got.length, wanted.length);
  let at = 0;
  while (at < common && got[at] === wanted[at]) at++;
  if (at === common && got.length === wanted.length) return undefined;
  const around = (bytes: Uint8Array): string =>
    JSON.stringify(new TextDecoder("latin1").decode(bytes.subarray(Math.max(at - 40, 0), at + 40)));
  return `at byte ${at}: got ${around(got)} of ${got.length} bytes, ` +
    `wanted ${around(wanted)} of ${wanted.length}`;
}

interface Part {
  readonly bytes: Uint8Array;
  /** Where the next line begins. */
  start: number;
  number: number;
}

/**
 * Puts the numbered lines ("12:…") of several partitions back into one text, the numbers going up by
 * one from 1. Throws where a partition has a line twice, out of order, or where one is missing.
 */
export function mergeNumbered(partitions: readonly Uint8Array[]): Uint8Array {
  const merged = new Uint8Array(partitions.reduce((sum, { length }) => sum + length, 0));
  const parts = partitions.map((bytes): Part => ({ bytes, start: 0, number: numberAt(bytes, 0) }));
  let filled = 0;
  for (let number = 1; filled < merged.length; number++) {
    const part = parts.find((each) => each.number === number);
    if (part === undefined) {
      const next = parts.map((each) => each.number).join(", ");
      throw new Error(`Cannot find line ${number}: the partitions go on with ${next}`);
    }
    const end = indexOfBytes(part.bytes, NEWLINE, part.start) + 1;
    const line = part.bytes.subarray(part.start, end);
    merged.set(line, filled);
    filled += line.length;
    part.start = end;
    part.number = numberAt(part.bytes, end);
  }
  return merged;
}

/** The number that the line at this place begins with; Infinity at the end. */
function numberAt(bytes: Uint8Array, start: number): number {
  if (start >= bytes.length) return Infinity;
  let number = 0;
  for (let at = start; bytes[at] !== COLON; at++) {
    const digit = (bytes[at] ?? NaN) - 48;
    if (!(digit >= 0 && digit <= 9)) {
      throw new Error(`Cannot read line at byte ${start}: no number`);
    }
    number = number * 10 + digit;
  }
  return number;
}

/** `count` numbered lines from `first` on. */
export function numberedLines(first: number, count: number): string {
  const lines: string[] = [];
  for (let number = first; number < first + count; number++) {
    lines.push(`${number}:${"line ".repeat(number % 20)}\n`);
  }
  return lines.join("");
}
