/**
 * A walk over the batches that lie one behind the other in a range of bytes.
 *
 * A range may end inside a batch (a fetch cut by its limit, a log torn by a crash): the walk gives the
 * whole batches and then tells how it ended. It looks at lengths only: magic, CRC and the rest are the
 * caller's to check.
 *
 *     const walk = new BatchWalk(bytes);
 *     while (walk.next()) use(walk.batch);
 *     if (walk.ending() !== "clean") …
 */
import { BatchView } from "./batch_view.ts";
import { BATCH_HEADER_BYTES, BATCH_LENGTH_MIN } from "./format.ts";

/** "clean": behind the last batch is nothing; "partial": a piece of one; "corrupt": a length that no batch has. */
export type WalkEnding = "clean" | "partial" | "corrupt";

export class BatchWalk {
  /** The batch that the last `next()` came to; moves with the walk. */
  readonly batch: BatchView;
  readonly #end: number;
  #next: number;
  #isCorrupt = false;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.batch = new BatchView(bytes, start);
    this.#next = start;
    this.#end = Math.min(end, bytes.length);
  }

  /** Goes to the next whole batch; false where there is none. */
  next(): boolean {
    if (this.#isCorrupt || this.#end - this.#next < BATCH_HEADER_BYTES) return false;
    this.batch.moveTo(this.#next);
    if (this.batch.batchLength() < BATCH_LENGTH_MIN) {
      this.#isCorrupt = true;
      return false;
    }
    const sizeInBytes = this.batch.sizeInBytes();
    if (sizeInBytes > this.#end - this.#next) return false;
    this.#next += sizeInBytes;
    return true;
  }

  /** The position behind the last whole batch. */
  wholeEnd(): number {
    return this.#next;
  }

  /** How the walk ended; of use once `next()` gave false. */
  ending(): WalkEnding {
    if (this.#isCorrupt) return "corrupt";
    return this.#next === this.#end ? "clean" : "partial";
  }
}
