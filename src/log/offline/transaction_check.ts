/**
 * Whether the transaction indexes of a log tell the truth: an entry for every transaction that the
 * batches say was aborted, and none else.
 *
 * Compaction and damage take batches away. Where offsets are missing, the first offset of a
 * transaction can no longer be known from the batches, and an entry is held to its marker only.
 * Source: kafka: TransactionIndex.sanityCheck, ProducerStateManager.completeTxn.
 */
import type { Offset } from "../../ground/numbers.ts";
import {
  type AbortedTransaction,
  TRANSACTION_ENTRY_BYTES,
  TransactionIndex,
} from "../transaction_index.ts";
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

export class TransactionCheck {
  /** First offset of the transaction under way, by producer. */
  readonly #open = new Map<number, number>();
  /** Transactions whose abort marker lies in this segment and whose first record was seen. */
  #aborted: { producerId: number; firstOffset: number; lastOffset: number }[] = [];
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
        this.#aborted.push({ producerId, firstOffset, lastOffset: batch.lastOffset });
      }
    } else if (batch.isTransactional && !this.#open.has(producerId)) {
      this.#open.set(producerId, batch.baseOffset);
    }
  }

  /** Behind a segment's last batch; `bytes` are its index file's, undefined where there is none. */
  finishSegment(baseOffset: number, bytes: Uint8Array | undefined): IndexFlaw | undefined {
    const index = new TransactionIndex(baseOffset as Offset, bytes ?? new Uint8Array(0));
    const flaw = index.flaw();
    const found = flaw === undefined ? this.#compare(index.entries) : { byte: 0, reason: flaw };
    this.#aborted = [];
    this.#markers = new Map();
    return found;
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
