/**
 * A walk over the batches of a file that says which bytes it wants next.
 *
 * The file is read by `scan` or `scanNow` below; the walk itself does not care how. In "header" mode
 * it skips over the records of large batches, but for control batches, whose record says what they
 * mean; in "whole" mode every batch is there in full.
 * Not here: whether a batch is sound (CRC, offsets); the visitor looks at that.
 */
import type { DiskFile } from "../env/disk.ts";
import { assert } from "../ground/assert.ts";
import { BatchView } from "../record/batch_view.ts";
import { BATCH_HEADER_BYTES, BATCH_LENGTH_MIN, MAGIC } from "../record/format.ts";

/** Called for each batch; false ends the walk before it. */
export type BatchVisitor = (batch: BatchView, position: number) => boolean;

/**
 * "clean": the walk came to the end; "torn": a piece of a batch lies there; "corrupt": what lies there
 * is no batch; "stopped": the visitor said so.
 */
export type ScanEnding = "clean" | "torn" | "corrupt" | "stopped";

export interface ScanRange {
  readonly position: number;
  readonly end: number;
  readonly mode: "header" | "whole";
  /** Bytes of the first read; for a walk that will be short. */
  readonly firstBytes?: number;
}

const HEADER_CHUNK_BYTES = 64 * 1024;
const WHOLE_CHUNK_BYTES = 1024 * 1024;
const CONTROL_BATCH_BYTES_MAX = 64 * 1024;

export class BatchScanner {
  /** Behind the last batch that was visited and not stopped at. */
  position: number;
  ending: ScanEnding | undefined;
  readonly #end: number;
  readonly #isWhole: boolean;
  /**
   * Of batches up to this many headers come with one read; larger ones are skipped. A walk that will be
   * short skips sooner: it wants one header more, not four.
   */
  readonly #skippedBytes: number;
  #nextBytes: number;

  constructor(range: ScanRange) {
    assert(range.position <= range.end, "a scan goes forward");
    this.position = range.position;
    this.#end = range.end;
    this.#isWhole = range.mode === "whole";
    this.#nextBytes = range.firstBytes ?? this.#chunkBytes();
    this.#skippedBytes = HEADER_CHUNK_BYTES / (range.firstBytes === undefined ? 2 : 8);
    if (this.position === this.#end) this.ending = "clean";
  }

  /** Bytes wanted from `position` on; of use while there is no `ending`. */
  wantedBytes(): number {
    return Math.min(this.#nextBytes, this.#end - this.position);
  }

  feed(bytes: Uint8Array, visit: BatchVisitor): void {
    const isShort = bytes.length < this.wantedBytes(); // the file ends before it should
    const batch = new BatchView(bytes);
    let at = 0;
    let sizeInBytes = 0;
    let isCutOff = false;
    while (this.ending === undefined && at + BATCH_HEADER_BYTES <= bytes.length) {
      batch.moveTo(at);
      sizeInBytes = batch.sizeInBytes();
      this.ending = this.#flawOf(batch);
      if (this.ending !== undefined) return;
      if (at + sizeInBytes > bytes.length && (this.#isWhole || isSmallControl(batch))) {
        isCutOff = true;
        break;
      }
      if (!visit(batch, this.position)) {
        this.ending = "stopped";
        return;
      }
      at += sizeInBytes;
      this.position += sizeInBytes;
      if (this.position === this.#end) this.ending = "clean";
    }
    if (this.ending !== undefined) return;
    if (isShort || this.#end - this.position < BATCH_HEADER_BYTES) this.ending = "torn";
    else if (isCutOff) this.#nextBytes = Math.max(sizeInBytes, this.#chunkBytes());
    else if (this.#isWhole) this.#nextBytes = WHOLE_CHUNK_BYTES;
    else {this.#nextBytes = sizeInBytes > this.#skippedBytes
        ? BATCH_HEADER_BYTES
        : HEADER_CHUNK_BYTES;}
  }

  #flawOf(batch: BatchView): ScanEnding | undefined {
    if (batch.batchLength() < BATCH_LENGTH_MIN || batch.magic() !== MAGIC) return "corrupt";
    return batch.sizeInBytes() > this.#end - this.position ? "torn" : undefined;
  }

  #chunkBytes(): number {
    return this.#isWhole ? WHOLE_CHUNK_BYTES : HEADER_CHUNK_BYTES;
  }
}

/** A real one has a record of a few bytes; one that says it is large is not believed. */
function isSmallControl(batch: BatchView): boolean {
  return batch.isControl() && batch.sizeInBytes() <= CONTROL_BATCH_BYTES_MAX;
}

/** Where a scan ended. */
export interface ScanResult {
  readonly position: number;
  readonly ending: ScanEnding;
}

export async function scan(
  file: DiskFile,
  range: ScanRange,
  visit: BatchVisitor,
): Promise<ScanResult> {
  const scanner = new BatchScanner(range);
  while (scanner.ending === undefined) {
    scanner.feed(await file.read(scanner.position, scanner.wantedBytes()), visit);
  }
  return { position: scanner.position, ending: scanner.ending };
}

/** For what is small or known to be in memory. */
export function scanNow(file: DiskFile, range: ScanRange, visit: BatchVisitor): ScanResult {
  const scanner = new BatchScanner(range);
  while (scanner.ending === undefined) {
    scanner.feed(file.readNow(scanner.position, scanner.wantedBytes()), visit);
  }
  return { position: scanner.position, ending: scanner.ending };
}
