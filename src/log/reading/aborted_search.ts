/** Looks up the aborted transactions that a read of committed records leaves out. */
import type { Segments } from "../segment/segments.ts";
import type { AbortedTransaction } from "../index/transaction_index.ts";

/**
 * Those that touch [from, upTo). An entry lies where its marker is, which may be far behind `upTo`: the
 * search ends where the last stable offset had passed it. At once, since these files are tiny, mostly
 * missing, and in memory when they were asked for before.
 * Source: kafka: UnifiedLog.collectAbortedTransactions, TransactionIndex.collectAbortedTxns.
 */
export function findAborted(
  segments: Segments,
  from: number,
  upTo: number,
): readonly AbortedTransaction[] {
  const found: AbortedTransaction[] = [];
  for (const segment of segments.all().slice(segments.floorIndex(from))) {
    for (const entry of segment.transactionsNow().entries) {
      if (entry.lastOffset >= from && entry.firstOffset < upTo) found.push(entry);
      if (entry.lastStableOffset >= upTo) return found;
    }
  }
  return found;
}
