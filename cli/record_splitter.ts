/**
 * Cuts a stream of bytes into records at a delimiter, without copying and without making text.
 *
 *     while ((room = splitter.room()) !== undefined) {
 *       splitter.filled(await read(room));
 *       while (splitter.next()) use(splitter.bytes, splitter.start, splitter.end);
 *     }
 *
 * A flyweight: the record is told by its place in `bytes`, good until the next `room()`. The reader
 * fills the buffer behind what is left of the last record. What has no delimiter yet waits; at the end
 * of the stream it is a record too, unless it is empty.
 *
 *   |·· handed out ··|·· unfinished ··|·· room for the next read ··|
 *                    #unread          #filled
 */

const FIRST_BYTES = 512 * 1024;

export interface SplitterOptions {
  readonly delimiter: Uint8Array;
  /** A record may not be longer than this. */
  readonly recordBytesMax: number;
}

export class RecordSplitter {
  /** Where the record below lies. */
  bytes: Uint8Array;
  start = 0;
  end = 0;
  readonly #delimiter: Uint8Array;
  readonly #recordBytesMax: number;
  #unread = 0;
  #filled = 0;
  /** Up to here no delimiter begins, so the next search need not look again. */
  #searched = 0;

  constructor(options: SplitterOptions, firstBytes: number = FIRST_BYTES) {
    this.#delimiter = options.delimiter;
    this.#recordBytesMax = options.recordBytesMax;
    this.bytes = new Uint8Array(firstBytes);
  }

  /** Where the next read may put its bytes; undefined where a record is longer than it may be. */
  room(): Uint8Array | undefined {
    const unfinished = this.#filled - this.#unread;
    if (unfinished > this.#recordBytesMax) return undefined;
    if (this.#unread > 0) {
      this.bytes.copyWithin(0, this.#unread, this.#filled);
      this.#searched -= this.#unread;
      this.#unread = 0;
      this.#filled = unfinished;
    }
    if (unfinished * 2 > this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes.subarray(0, unfinished));
      this.bytes = grown;
    }
    return this.bytes.subarray(this.#filled);
  }

  /** So many bytes were put into the room. */
  filled(count: number): void {
    this.#filled += count;
  }

  /** Goes to the next whole record; false until more was read. The delimiter is left out. */
  next(): boolean {
    const at = this.#find();
    if (at < 0) return false;
    this.start = this.#unread;
    this.end = at;
    this.#unread = at + this.#delimiter.length;
    this.#searched = this.#unread;
    return true;
  }

  /** Goes to what is left when the stream has ended; false where that is nothing. */
  last(): boolean {
    if (this.#unread === this.#filled) return false;
    this.start = this.#unread;
    this.end = this.#filled;
    this.#unread = this.#filled;
    this.#searched = this.#filled;
    return true;
  }

  #find(): number {
    const { bytes } = this;
    const first = this.#delimiter[0] as number;
    for (;;) {
      const at = bytes.indexOf(first, this.#searched);
      if (at < 0 || at + this.#delimiter.length > this.#filled) {
        // Behind #filled lie old bytes. A delimiter of several bytes may have arrived in part.
        this.#searched = at < 0 || at >= this.#filled ? this.#filled : at;
        return -1;
      }
      if (isAt(bytes, at, this.#delimiter)) return at;
      this.#searched = at + 1;
    }
  }
}

function isAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let index = 1; index < wanted.length; index++) {
    if (bytes[at + index] !== wanted[index]) return false;
  }
  return true;
}

/** Where `wanted` begins in that part of `bytes`, or -1. */
export function indexOfBytes(
  bytes: Uint8Array,
  wanted: Uint8Array,
  start: number,
  end: number,
): number {
  const first = wanted[0] as number;
  for (let at = start; at + wanted.length <= end; at++) {
    if (bytes[at] === first && isAt(bytes, at, wanted)) return at;
  }
  return -1;
}
