/**
 * Transactions as compaction meets them, batch by batch: which data was aborted, and which markers have
 * lost all that they were about.
 *
 * Data of an aborted transaction goes at once. A marker stays while any batch of its transaction does,
 * an emptied one included; it may go in a later run that meets no batch of it. An entry of the
 * transaction index lives as long as data did in the run before its marker was reached.
 * Source: kafka: CleanedTransactionMetadata (KAFKA-14055, KAFKA-13727).
 */
import type { BatchView } from "../../record/batch_view.ts";
import type { AbortedTransaction } from "../index/transaction_index.ts";
import { markerOf } from "../producers/transaction_marker.ts";

interface AbortedUnderWay {
  readonly transaction: AbortedTransaction;
  hasData: boolean;
}

export class CleanedTransactions {
  /** By first offset, the first one first: not reached yet. */
  #ahead: AbortedTransaction[] = [];
  /** By producer: aborted transactions whose marker was not reached yet. */
  readonly #aborted = new Map<number, AbortedUnderWay>();
  /** Producers with data since their last marker that was not aborted. */
  readonly #committed = new Set<number>();
  #kept: AbortedTransaction[] = [];

  /** Tells of the transactions that touch the range that is walked next. */
  expect(
    transactions: readonly AbortedTransaction[],
    range: { readonly from: number; readonly upTo: number },
  ): void {
    const touching = transactions.filter((each) =>
      // One that had ended before would take what its producer wrote later for aborted.
      each.lastOffset >= range.from && each.firstOffset < range.upTo
    );
    if (touching.length === 0) return;
    this.#ahead = [...this.#ahead, ...touching].sort((left, right) =>
      left.firstOffset - right.firstOffset
    );
  }

  /** Whether a batch of records belongs to a transaction that was aborted. */
  onData(batch: BatchView): boolean {
    if (!batch.isTransactional()) return false;
    this.#reach(batch.lastOffset());
    const producerId = batch.producerId();
    const aborted = this.#aborted.get(producerId);
    if (aborted !== undefined && batch.lastOffset() <= aborted.transaction.lastOffset) {
      aborted.hasData = true;
      return true;
    }
    this.#committed.add(producerId);
    return false;
  }

  /** Whether nothing is left of what a control batch ends. */
  onControl(batch: BatchView): boolean {
    this.#reach(batch.lastOffset());
    if (batch.recordCount() === 0) return true; // emptied by an earlier run
    const marker = markerOf(batch);
    if (marker === undefined) return false; // not one that ends a transaction
    const producerId = batch.producerId();
    if (!marker.isAbort) return !this.#committed.delete(producerId);
    const aborted = this.#aborted.get(producerId);
    this.#aborted.delete(producerId);
    // Data without an entry in the index: what the index does not know stays as it was, marker and all.
    if (aborted === undefined) return !this.#committed.delete(producerId);
    if (!aborted.hasData) return true;
    this.#kept.push(aborted.transaction);
    return false;
  }

  /** The entries of the transaction index for what was walked since the last call. */
  takeKept(): readonly AbortedTransaction[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }

  #reach(offset: number): void {
    let reached = 0;
    for (const transaction of this.#ahead) {
      if (transaction.firstOffset > offset) break;
      reached++;
      const { producerId, lastOffset } = transaction;
      const present = this.#aborted.get(producerId)?.transaction.lastOffset ?? -1;
      if (present < lastOffset) this.#aborted.set(producerId, { transaction, hasData: false });
    }
    if (reached > 0) this.#ahead.splice(0, reached);
  }
}
