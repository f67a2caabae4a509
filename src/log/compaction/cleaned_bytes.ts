/**
 * Batches on their way into a cleaned segment: one growing buffer, written out in large pieces.
 *
 * A batch is built in place: room for its header is taken first and filled in when its records are
 * there. Not here: the file (`cleaned_segment.ts`), and which records stay (`batch_filter.ts`).
 */

const BYTES_FIRST = 64 * 1024;

export class CleanedBytes {
  length = 0;
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(BYTES_FIRST);
  #view = new DataView(this.bytes.buffer);

  /** For header fields; renewed when the buffer grows. */
  get view(): DataView {
    return this.#view;
  }

  /** Makes room for `count` bytes behind what is there. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  add(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    this.bytes.set(source.subarray(start, end), this.length);
    this.length += end - start;
  }

  filled(from = 0): Uint8Array {
    return this.bytes.subarray(from, this.length);
  }

  clear(): void {
    this.length = 0;
  }
}
