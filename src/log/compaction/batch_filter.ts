/**
 * What becomes of each batch: copied as it is, written anew with fewer records, emptied, or dropped.
 *
 *     record                                              stays
 *     at or behind the end of what was mapped             always
 *     of an aborted transaction                           never
 *     without a key                                       never (none can be produced; counted)
 *     not the last one of its key                         never
 *     the last one of its key, with a value               always
 *     the last one of its key, a tombstone                until the delete horizon of its batch
 *     a marker                                            while data of its transaction is there, then
 *                                                         until the delete horizon of its batch
 *
 *     batch with no record left                           stays, as a header
 *     with the last sequence of a producer that is known  yes (a repeated batch is still found out)
 *     the last marker of a producer known by it alone     yes (its epoch still fences)
 *     the last one of a group of segments                 yes (a segment says where it ends)
 *     any other                                           no
 *
 * A batch gets its delete horizon (KIP-534) in the first run that finds a tombstone, or a marker of
 * nothing, in it below the end of what was mapped: from then on a reader has `delete.retention.ms`.
 * (Kafka also sets it behind that end, where the values that a tombstone removes are still to be read.)
 * Source: kafka: Cleaner.cleanInto, shouldRetainRecord; MemoryRecords.filterTo.
 */
import type { BatchView } from "../../record/batch_view.ts";
import type { BatchRewriter } from "./batch_rewrite.ts";
import type { CleanedBytes } from "./cleaned_bytes.ts";
import type { CleanedTransactions } from "./cleaned_transactions.ts";
import type { OffsetMap } from "./offset_map.ts";
import type { RecordWalk } from "./record_walk.ts";

/** So far away that no time of a record is out of reach of it. */
const HORIZON_MAX = 2 ** 52;

/** What is known of a producer: where its last batch of records ends, -1 where only a marker told. */
export interface LastOfProducer {
  readonly lastDataOffset: number;
  readonly producerEpoch: number;
}

export interface FilterOptions {
  readonly map: Pick<OffsetMap, "get">;
  /** Where what the map knows ends. */
  readonly mappedUpTo: number;
  /** Up to when delete horizons have passed. */
  readonly now: number;
  /** The delete horizon of batches that get one. */
  readonly horizonMs: number;
  readonly transactions: CleanedTransactions;
  readonly rewriter: BatchRewriter;
  readonly walk: RecordWalk;
}

/** Numbers of a run, for the event at its end. */
export interface FilterCounts {
  recordsRead: number;
  recordsKept: number;
  keylessDropped: number;
}

export class BatchFilter {
  readonly counts: FilterCounts = { recordsRead: 0, recordsKept: 0, keylessDropped: 0 };
  /** Whether every batch so far was copied as it was. */
  isUntouched = true;
  /** By producer id; set anew for every group of segments. */
  producers: ReadonlyMap<number, LastOfProducer> = new Map();
  /**
   * Behind the last offset of the group of segments. Its last batch stays, bare if need be: a cleaned
   * segment says where it ends, and thereby which segments it stands for.
   */
  groupEnd = -1;
  readonly #options: FilterOptions;
  readonly #horizonMs: number;
  /** Stretches of kept records: start, end, start, end … */
  #bounds: number[] = [];
  #hasTombstone = false;
  #maxTimestamp = -1;

  constructor(options: FilterOptions) {
    this.#options = options;
    this.#horizonMs = Math.min(options.horizonMs, HORIZON_MAX);
  }

  /** Puts behind `out` what stays of a sound batch; gives the reason where it cannot be read. */
  filter(batch: BatchView, out: CleanedBytes): string | undefined {
    this.counts.recordsRead += batch.recordCount();
    return batch.isControl() ? this.#filterControl(batch, out) : this.#filterData(batch, out);
  }

  #filterControl(batch: BatchView, out: CleanedBytes): undefined {
    const { transactions, now, mappedUpTo } = this.#options;
    const isOver = transactions.onControl(batch);
    const hasHorizon = batch.hasDeleteHorizon();
    const isPast = isOver && hasHorizon && batch.baseTimestamp() <= now;
    if (isPast || batch.recordCount() === 0) return this.#drop(batch, out);
    if (!isOver || hasHorizon || batch.lastOffset() >= mappedUpTo) return this.#copy(batch, out);
    this.#rewriteWhole(batch, out);
  }

  #filterData(batch: BatchView, out: CleanedBytes): string | undefined {
    const { transactions, walk, rewriter, mappedUpTo } = this.#options;
    if (transactions.onData(batch)) return this.#drop(batch, out);
    const count = this.#choose(batch);
    if (walk.failure !== undefined) return walk.failure;
    if (count === 0) return this.#drop(batch, out);
    const needsHorizon = this.#hasTombstone && !batch.hasDeleteHorizon() &&
      batch.lastOffset() < mappedUpTo;
    if (count === batch.recordCount() && !needsHorizon) return this.#copy(batch, out);
    const isAppendTime = batch.timestampType() === "append";
    const maxTimestamp = isAppendTime ? batch.maxTimestamp() : this.#maxTimestamp;
    const kept = { bytes: walk.bytes, bounds: this.#bounds, count, maxTimestamp };
    rewriter.rewrite(batch, kept, needsHorizon ? this.#horizonMs : undefined, out);
    this.counts.recordsKept += count;
    this.isUntouched = false;
    return undefined;
  }

  /** Notes which records stay, and how many they are. */
  #choose(batch: BatchView): number {
    const { walk } = this.#options;
    const bounds: number[] = [];
    this.#bounds = bounds;
    this.#hasTombstone = false;
    this.#maxTimestamp = -1;
    const baseOffset = batch.baseOffset();
    const baseTimestamp = batch.baseTimestamp();
    const isTombstoneDue = batch.hasDeleteHorizon() && baseTimestamp <= this.#options.now;
    let count = 0;
    walk.open(batch);
    while (walk.next()) {
      if (!this.#stays(baseOffset + walk.offsetDelta, isTombstoneDue)) continue;
      count++;
      if (walk.isTombstone) this.#hasTombstone = true;
      const timestamp = baseTimestamp + walk.timestampDelta;
      if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
      if (bounds.length > 0 && bounds[bounds.length - 1] === walk.start) {
        bounds[bounds.length - 1] = walk.end;
      } else bounds.push(walk.start, walk.end);
    }
    return count;
  }

  /** Whether the record that the walk has come to stays. */
  #stays(offset: number, isTombstoneDue: boolean): boolean {
    const { walk, map, mappedUpTo } = this.#options;
    if (offset >= mappedUpTo) return true;
    if (walk.keyStart < 0) {
      this.counts.keylessDropped++;
      return false;
    }
    if (walk.isTombstone && isTombstoneDue) return false;
    return offset >= map.get(walk.bytes, walk.keyStart, walk.keyEnd);
  }

  #copy(batch: BatchView, out: CleanedBytes): undefined {
    const at = batch.position();
    out.add(batch.bytes, at, at + batch.sizeInBytes());
    this.counts.recordsKept += batch.recordCount();
  }

  /** With all its records, and a delete horizon. */
  #rewriteWhole(batch: BatchView, out: CleanedBytes): void {
    const { walk, rewriter } = this.#options;
    walk.open(batch);
    const from = walk.end;
    while (walk.next()); // one record, which `markerOf` has read
    const maxTimestamp = batch.maxTimestamp();
    const count = batch.recordCount();
    const kept = { bytes: walk.bytes, bounds: [from, walk.end], count, maxTimestamp };
    rewriter.rewrite(batch, kept, this.#horizonMs, out);
    this.counts.recordsKept += count;
    this.isUntouched = false;
  }

  #drop(batch: BatchView, out: CleanedBytes): undefined {
    if (!this.#isHeld(batch)) {
      this.isUntouched = false;
      return;
    }
    if (batch.recordCount() === 0) return this.#copy(batch, out);
    this.#options.rewriter.empty(batch, out);
    this.isUntouched = false;
  }

  /** Whether the header is to stay when the records have gone. */
  #isHeld(batch: BatchView): boolean {
    if (batch.nextOffset() === this.groupEnd) return true;
    if (!batch.hasProducerId()) return false;
    const last = this.producers.get(batch.producerId());
    if (last === undefined) return false;
    return last.lastDataOffset >= 0
      ? batch.lastOffset() === last.lastDataOffset
      : batch.isControl() && batch.producerEpoch() === last.producerEpoch;
  }
}
