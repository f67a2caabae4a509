/**
 * Whether the transaction indexes of a log tell the truth: an entry for every transaction that the
 * batches say was aborted, and none else.
 *
 * Compaction and damage take batches away. Where offsets are missing, the first offset of a
 * transaction can no longer be known from the batches, and an entry is held to its marker only. Entries
 * whose markers lie behind the segment's last batch hide nothing: they are let be.
 * A start makes a missing index anew only where it walks the segment: so a wrong one is replaced by what
 * the batches say.
 * Source: kafka: TransactionIndex.sanityCheck, ProducerStateManager.completeTxn.
 */
import type { Offset } from "../../ground/numbers.ts";
import {
  type AbortedTransaction,
  TRANSACTION_ENTRY_BYTES,
  TransactionIndex,
} from "../index/transaction_index.ts";
import type { IndexFlaw } from "./index_files.ts";

/** What the check needs to know of a batch. */
export interface TransactionalBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly producerId: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  /** What the control batch does to the producer's transaction. */
  readonly marker: "abort" | "commit" | undefined;
}

/** What is wrong with a segment's file, and what should be in it. */
export interface WrongTransactions {
  readonly flaw: IndexFlaw;
  readonly entries: readonly AbortedTransaction[];
}

export class TransactionCheck {
  /** First offset of the transaction under way, by producer. */
  readonly #open = new Map<number, number>();
  /** Transactions whose abort marker lies in this segment and whose first record was seen. */
  #aborted: AbortedTransaction[] = [];
  /** Producer by offset of its abort marker in this segment. */
  #markers = new Map<number, number>();
  /** False once offsets were missing. */
  #isExact = true;

  onGap(): void {
    this.#isExact = false;
  }

  onBatch(batch: TransactionalBatch): void {
    const { producerId } = batch;
    if (batch.isControl) {
      if (batch.marker === undefined) return;
      const firstOffset = this.#open.get(producerId);
      this.#open.delete(producerId);
      if (batch.marker === "commit") return;
      this.#markers.set(batch.lastOffset, producerId);
      if (firstOffset !== undefined) {
        const { lastOffset } = batch;
        const lastStableOffset = Math.min(lastOffset + 1, ...this.#open.values());
        this.#aborted.push({ producerId, firstOffset, lastOffset, lastStableOffset });
      }
    } else if (batch.isTransactional && !this.#open.has(producerId)) {
      this.#open.set(producerId, batch.baseOffset);
    }
  }

  /** Behind a segment's last batch; `bytes` are its index file's, undefined where there is none. */
  finishSegment(
    segment: { readonly baseOffset: number; readonly nextOffset: number },
    bytes: Uint8Array | undefined,
  ): WrongTransactions | undefined {
    const index = new TransactionIndex(segment.baseOffset as Offset, bytes ?? new Uint8Array(0));
    const reason = index.flaw();
    const entries = index.entries.filter(({ lastOffset }) => lastOffset < segment.nextOffset);
    const flaw = reason === undefined ? this.#compare(entries) : { byte: 0, reason };
    const found = flaw && { flaw, entries: this.#expected(entries) };
    this.#aborted = [];
    this.#markers = new Map();
    return found;
  }

  /** Entries of the file whose markers are there, and those that the batches tell of. */
  #expected(entries: readonly AbortedTransaction[]): readonly AbortedTransaction[] {
    const expected = new Map<number, AbortedTransaction>();
    for (const entry of this.#isExact ? [] : entries) {
      const { producerId, firstOffset, lastOffset } = entry;
      const isWhole = firstOffset >= 0 && firstOffset <= lastOffset;
      if (isWhole && this.#markers.get(lastOffset) === producerId) expected.set(lastOffset, entry);
    }
    for (const aborted of this.#aborted) {
      const known = expected.get(aborted.lastOffset);
      if (known === undefined || known.firstOffset > aborted.firstOffset) {
        expected.set(aborted.lastOffset, aborted);
      }
    }
    return [...expected.values()].sort((one, other) => one.lastOffset - other.lastOffset);
  }

  #compare(entries: readonly AbortedTransaction[]): IndexFlaw | undefined {
    const byMarker = new Map(entries.map((entry) => [entry.lastOffset, entry]));
    for (const aborted of this.#aborted) {
      const entry = byMarker.get(aborted.lastOffset);
      const isThere = entry?.producerId === aborted.producerId &&
        (!this.#isExact || entry.firstOffset === aborted.firstOffset);
      if (isThere) continue;
      const { producerId, firstOffset, lastOffset } = aborted;
      const reason =
        `no entry for the transaction of producer ${producerId} that began at offset ` +
        `${firstOffset} and was aborted at ${lastOffset}`;
      return { byte: entries.length * TRANSACTION_ENTRY_BYTES, reason };
    }
    for (const [index, entry] of entries.entries()) {
      if (this.#markers.get(entry.lastOffset) === entry.producerId) continue;
      if (!this.#isExact) continue;
      const reason = `entry ${index} names an abort at offset ${entry.lastOffset} of producer ` +
        `${entry.producerId}, and no such marker is there`;
      return { byte: index * TRANSACTION_ENTRY_BYTES, reason };
    }
    return undefined;
  }
}
