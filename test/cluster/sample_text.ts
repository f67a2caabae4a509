/**
 * A large text made from the machine's own text files, with odd lines sown in: carriage returns, tabs,
 * NULs, empty lines, bytes that are no UTF-8, lines of 200 kB, and no newline at the very end.
 *
 * Files come in the order of their names, so two runs on one machine make the same bytes. A machine
 * that has few files gives them several times.
 */
import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { indexOfBytes } from "./lines.ts";
import { projectRoot } from "../harness/process.ts";

const ROOTS = [`${projectRoot}src`, "/usr/lib/python3", "/usr/include", "/usr/share"];
const TEXT_FILE = /\.(ts|py|h|txt|md|xml|html|json|pm|pl|sh|css)$|^copyright$/;
const FILE_BYTES_MAX = 4 << 20;
const LINE_BYTES_MAX = 200_000;
const ODD_EVERY_BYTES = 64 << 10;
const LONG_EVERY_BYTES = 1 << 20;
const NEWLINE = 10;

/** So many bytes; the last one ends a line that has no newline. */
export function sampleText(bytes: number): Uint8Array {
  const text = new TextSower(bytes);
  while (!text.isFull) {
    const before = text.length;
    for (const root of ROOTS) {
      for (const path of textFiles(root)) {
        text.add(readFileSync(path));
        if (text.isFull) break;
      }
    }
    if (text.length === before) throw new Error(`Cannot find any text below ${ROOTS.join(", ")}`);
  }
  return text.take();
}

/** The same lines, each behind its number and a colon: none is empty, and their order can be told. */
export function numberLines(text: Uint8Array): Uint8Array {
  const encoder = new TextEncoder();
  let lineCount = 1;
  for (let at = text.indexOf(NEWLINE); at >= 0; at = text.indexOf(NEWLINE, at + 1)) lineCount++;
  const numbered = new Uint8Array(text.length + lineCount * 12);
  let filled = 0;
  let start = 0;
  for (let number = 1; number <= lineCount; number++) {
    const found = text.indexOf(NEWLINE, start);
    const end = found < 0 ? text.length : found + 1;
    filled += encoder.encodeInto(`${number}:`, numbered.subarray(filled)).written;
    numbered.set(text.subarray(start, end), filled);
    filled += end - start;
    start = end;
  }
  return numbered.subarray(0, filled);
}

function* textFiles(directory: string): Generator<string> {
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* textFiles(path);
    else if (entry.isFile() && TEXT_FILE.test(entry.name)) yield path;
  }
}

function entriesOf(directory: string): readonly Dirent[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.sort((one, other) => one.name < other.name ? -1 : 1);
  } catch {
    return []; // this machine has no such directory
  }
}

/** Gathers files up to a size, with odd lines between them and no line beyond the longest. */
class TextSower {
  readonly #bytes: Uint8Array;
  readonly #odd = oddLines();
  #nextOddAt = 0;
  #nextLongAt = LONG_EVERY_BYTES / 2;
  #oddCount = 0;
  length = 0;

  constructor(bytes: number) {
    this.#bytes = new Uint8Array(bytes);
  }

  get isFull(): boolean {
    return this.length === this.#bytes.length;
  }

  add(file: Uint8Array): void {
    if (file.length > FILE_BYTES_MAX || hasLongLine(file)) return;
    this.#put(file);
    if (this.length >= this.#nextLongAt) {
      this.#nextLongAt = this.length + LONG_EVERY_BYTES;
      this.#put(new Uint8Array(LINE_BYTES_MAX).fill(120));
      this.#put(Uint8Array.of(NEWLINE));
    }
    if (this.length < this.#nextOddAt) return;
    this.#nextOddAt = this.length + ODD_EVERY_BYTES;
    this.#put(this.#odd[this.#oddCount++ % this.#odd.length] as Uint8Array);
  }

  take(): Uint8Array {
    this.#bytes[this.#bytes.length - 1] = 120;
    return this.#bytes;
  }

  #put(part: Uint8Array): void {
    const fitting = part.subarray(0, this.#bytes.length - this.length);
    this.#bytes.set(fitting, this.length);
    this.length += fitting.length;
  }
}

function oddLines(): readonly Uint8Array[] {
  const texts = [
    "\n\n\n",
    "ends in CR\r\n",
    "\r\n",
    "a\rb\r\r\n",
    "\ttabs\t\t\n",
    " \n",
    "\0nul\0\n",
  ];
  const invalid = Uint8Array.of(0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0xf8, 0x80, NEWLINE);
  return [...texts.map((text) => new TextEncoder().encode(text)), invalid];
}

function hasLongLine(file: Uint8Array): boolean {
  for (let start = 0; start < file.length;) {
    const end = indexOfBytes(file, NEWLINE, start);
    if (end - start > LINE_BYTES_MAX) return true;
    start = end + 1;
  }
  return false;
}
