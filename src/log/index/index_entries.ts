/**
 * Fixed-size entries of an index, in memory in the very bytes of their file.
 *
 * Entries are added at the end and written in groups: an index can be rebuilt from its log, so
 * nothing is lost with those that had not reached the file.
 */
const ENTRIES_FIRST = 16;

export class IndexEntries {
  readonly entryBytes: number;
  count: number;
  /** For reading and writing fields; renewed when the entries grow. */
  view: DataView;
  #bytes: Uint8Array;
  #writtenCount: number;

  /** `bytes` are the file's; a piece of an entry at their end is dropped. */
  constructor(entryBytes: number, bytes: Uint8Array) {
    this.entryBytes = entryBytes;
    this.count = Math.floor(bytes.length / entryBytes);
    this.#writtenCount = this.count;
    this.#bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Makes room for one more entry and gives its position; the caller fills it at once. */
  add(): number {
    const at = this.count * this.entryBytes;
    if (at + this.entryBytes > this.#bytes.length) {
      const larger = new Uint8Array(
        Math.max(this.#bytes.length * 2, ENTRIES_FIRST * this.entryBytes),
      );
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    this.count++;
    return at;
  }

  /** Drops the entries from `count` on. */
  truncate(count: number): void {
    if (count >= this.count) return;
    this.count = count;
    this.#writtenCount = Math.min(this.#writtenCount, count);
  }

  /** Entries that the file does not have yet. */
  unwrittenCount(): number {
    return this.count - this.#writtenCount;
  }

  /** Where in the file the unwritten entries go. */
  writtenBytes(): number {
    return this.#writtenCount * this.entryBytes;
  }

  unwrittenBytes(): Uint8Array {
    return this.#bytes.subarray(this.writtenBytes(), this.bytes());
  }

  markWritten(): void {
    this.#writtenCount = this.count;
  }

  /** Bytes of all entries. */
  bytes(): number {
    return this.count * this.entryBytes;
  }

  /** The number of entries for which `isBefore` holds; it holds for a prefix of them. */
  countWhere(isBefore: (index: number) => boolean): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
