/**
 * A look at the end of the indexes of a segment, when they are first used after a start.
 *
 * That entries go up says that they may be an index (kafka: AbstractIndex.sanityCheck), not that they
 * are this segment's. Here the last entry must point to its batch, the batches behind it must be few
 * enough to need no entry, and none of them may be later than the latest time. What lies further
 * back is found out by the reads that use it.
 */
import type { BatchView } from "../../record/batch_view.ts";
import type { BatchVisitor, ScanResult } from "../batch_scanner.ts";
import type { SegmentIndexes } from "./segment_indexes.ts";

/** Bytes without an entry that are no flaw: `index.interval.bytes` may have been larger once. */
const SPARSE_BYTES = 256 * 1024;

export class TailCheck {
  /** From where to walk. */
  readonly position: number;
  readonly #lastOffset: number | undefined;
  readonly #maxTimestamp: number;
  readonly #sparseBytes: number;
  readonly #lastTimed: number;
  /** Behind the last batch that was visited. */
  #nextOffset = Infinity;
  #flaw: string | undefined;

  constructor(indexes: SegmentIndexes, indexIntervalBytes: number) {
    const last = indexes.offsets.lookup(Infinity);
    this.position = last.position;
    this.#lastOffset = last.lastOffset;
    this.#maxTimestamp = indexes.maxTimestamp;
    this.#lastTimed = indexes.offsetOfMaxTimestamp;
    this.#sparseBytes = indexIntervalBytes + SPARSE_BYTES;
  }

  readonly visit: BatchVisitor = (batch, position) => {
    this.#flaw = this.#flawAt(batch, position);
    this.#nextOffset = batch.nextOffset();
    return this.#flaw === undefined;
  };

  /** What is wrong with the indexes; undefined where they can be used. */
  flaw({ ending, position }: ScanResult): string | undefined {
    if (this.#flaw !== undefined) return this.#flaw;
    if (ending === "clean" && this.#lastTimed >= this.#nextOffset) {
      return "its latest time is of an offset behind the end";
    }
    const isAtEntry = position === this.position && this.#lastOffset !== undefined;
    return ending !== "clean" && isAtEntry ? "its last entry points to no batch" : undefined;
  }

  #flawAt(batch: BatchView, position: number): string | undefined {
    const isEntry = position === this.position && this.#lastOffset !== undefined;
    if (isEntry && batch.lastOffset() !== this.#lastOffset) {
      return "its last entry does not point to its batch";
    }
    if (batch.maxTimestamp() > this.#maxTimestamp) return "its latest time is not the latest";
    return position - this.position > this.#sparseBytes ? "it ends too soon" : undefined;
  }
}
