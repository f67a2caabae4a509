/**
 * What a log knows of its idempotent producers: epoch, the last five batches of each, and the
 * transaction that is under way.
 *
 * A batch that came before is answered with the offset it got; one that does not follow its
 * predecessor is refused. The state is a function of the batches in the log: appending and recovery
 * both go through `update`.
 *
 * As in Kafka 4.1 (KIP-360), a producer of whom nothing is known may begin at any sequence, and a
 * repeated batch older than the five is out of order; UNKNOWN_PRODUCER_ID and
 * DUPLICATE_SEQUENCE_NUMBER are given by no broker of that version.
 * Source: kafka: ProducerStateManager, ProducerAppendInfo.checkSequence, ProducerStateEntry.
 */
import type { BatchView } from "../../record/batch_view.ts";
import { NO_SEQUENCE, SEQUENCE_MAX } from "../../record/format.ts";
import { OngoingTransactions } from "./ongoing_transactions.ts";
import type { AbortedTransaction } from "../index/transaction_index.ts";
import { markerOf } from "./transaction_marker.ts";

/** Kafka: ProducerStateEntry.NUM_BATCHES_TO_RETAIN; a client has at most as many in flight. */
const BATCHES_KEPT = 5;
const NO_OFFSET = -1;

export interface ProducerBatch {
  readonly lastSequence: number;
  readonly lastOffset: number;
  readonly offsetDelta: number;
  readonly timestamp: number;
}

export interface ProducerEntry {
  readonly producerId: number;
  producerEpoch: number;
  /** The oldest first. */
  batches: ProducerBatch[];
  lastTimestamp: number;
  coordinatorEpoch: number;
  /** The first offset of the transaction under way; -1 where there is none. */
  currentTxnFirstOffset: number;
}

export interface ProducerCheck {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
}

export type ProducerRefusal =
  | "out-of-order-sequence"
  | "unknown-producer-id"
  | "invalid-producer-epoch"
  | "duplicate-sequence";

export type ProducerVerdict =
  | { readonly kind: "append" }
  | { readonly kind: "duplicate"; readonly baseOffset: number; readonly timestamp: number }
  | { readonly kind: "refuse"; readonly reason: ProducerRefusal; readonly message: string };

const APPEND: ProducerVerdict = { kind: "append" };

export class ProducerStates {
  readonly #entries = new Map<number, ProducerEntry>();
  readonly #ongoing = new OngoingTransactions();
  /** Gives the batches before the snapshot that this was loaded from; used at most once. */
  #recall: (() => ProducerStates) | undefined;

  get count(): number {
    return this.#entries.size;
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#entries.values();
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId);
  }

  /** Whether a client's batch may be appended; changes nothing. */
  check(batch: ProducerCheck): ProducerVerdict {
    if (batch.producerId < 0) return APPEND;
    const entry = this.#entries.get(batch.producerId);
    if (entry === undefined) return APPEND;
    if (batch.producerEpoch === entry.producerEpoch) {
      const before = entry.batches.find((kept) =>
        firstSequence(kept) === batch.baseSequence && kept.lastSequence === batch.lastSequence
      );
      if (before !== undefined) {
        const baseOffset = before.lastOffset - before.offsetDelta;
        return { kind: "duplicate", baseOffset, timestamp: before.timestamp };
      }
    }
    const verdict = checkEpochAndSequence(entry, batch);
    return verdict.kind === "refuse" && this.#recallOlder() ? this.check(batch) : verdict;
  }

  /**
   * Sets where to learn of older batches. A snapshot holds one batch of each producer, and Kafka
   * leaves it at that; a client that sends its five batches again after a restart is then refused.
   * Here the log is asked, once, before the first refusal.
   */
  onRefusal(recall: (() => ProducerStates) | undefined): void {
    this.#recall = recall;
  }

  /** First offset of the oldest transaction under way; undefined where there is none. */
  get firstUnstableOffset(): number | undefined {
    return this.#ongoing.firstOffset;
  }

  /**
   * Notes a batch that is in the log; one that was noted before changes nothing. Of a control batch
   * the whole is needed, of others the header. Returns the transaction that it aborts.
   */
  update(batch: BatchView): AbortedTransaction | undefined {
    if (!batch.hasProducerId()) return undefined;
    const entry = this.#entries.get(batch.producerId());
    const lastOffset = entry?.batches.at(-1)?.lastOffset ?? NO_OFFSET;
    if (batch.lastOffset() <= lastOffset) return undefined;
    if (batch.isControl()) return this.#onMarker(batch, entry);
    this.#onData(batch, entry ?? this.#addEntry(batch));
    return undefined;
  }

  /** Forgets who was silent for `expirationMs` and has no transaction under way. */
  removeExpired(now: number, expirationMs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.currentTxnFirstOffset !== NO_OFFSET) continue;
      if (now - entry.lastTimestamp >= expirationMs) this.#entries.delete(entry.producerId);
    }
  }

  /** Puts in what a snapshot holds. */
  load(entries: readonly ProducerEntry[]): void {
    for (const entry of entries) this.#entries.set(entry.producerId, entry);
    const transactions = entries.filter((entry) => entry.currentTxnFirstOffset !== NO_OFFSET);
    this.#ongoing.load(transactions.map((one) => [one.currentTxnFirstOffset, one.producerId]));
  }

  clear(): void {
    this.#entries.clear();
    this.#ongoing.clear();
    this.#recall = undefined;
  }

  /** Source: kafka: ProducerAppendInfo.appendDataBatch. */
  #onData(batch: BatchView, entry: ProducerEntry): void {
    this.#takeEpoch(batch, entry);
    entry.lastTimestamp = batch.maxTimestamp();
    if (entry.batches.length === BATCHES_KEPT) entry.batches.shift();
    entry.batches.push({
      lastSequence: batch.lastSequence(),
      lastOffset: batch.lastOffset(),
      offsetDelta: batch.lastOffsetDelta(),
      timestamp: batch.maxTimestamp(),
    });
    if (!batch.isTransactional() || entry.currentTxnFirstOffset !== NO_OFFSET) return;
    entry.currentTxnFirstOffset = batch.baseOffset();
    this.#ongoing.begin(entry.currentTxnFirstOffset, entry.producerId);
  }

  /** Source: kafka: ProducerAppendInfo.appendEndTxnMarker, ProducerStateManager.completeTxn. */
  #onMarker(batch: BatchView, known: ProducerEntry | undefined): AbortedTransaction | undefined {
    const marker = markerOf(batch);
    if (marker === undefined) return undefined;
    const entry = known ?? this.#addEntry(batch);
    this.#takeEpoch(batch, entry);
    entry.lastTimestamp = batch.maxTimestamp();
    entry.coordinatorEpoch = marker.coordinatorEpoch;
    const { producerId, currentTxnFirstOffset: firstOffset } = entry;
    if (firstOffset === NO_OFFSET) return undefined; // nothing of it was written to this log
    entry.currentTxnFirstOffset = NO_OFFSET;
    this.#ongoing.end(firstOffset);
    if (!marker.isAbort) return undefined;
    const lastOffset = batch.lastOffset();
    const lastStableOffset = this.#ongoing.firstOffset ?? lastOffset + 1;
    return { producerId, firstOffset, lastOffset, lastStableOffset };
  }

  #addEntry(batch: BatchView): ProducerEntry {
    const entry = newEntry(batch.producerId(), batch.producerEpoch());
    this.#entries.set(entry.producerId, entry);
    return entry;
  }

  /** Sequences count within an epoch. The marker of a transaction may bump it (KIP-890). */
  #takeEpoch(batch: BatchView, entry: ProducerEntry): void {
    if (entry.producerEpoch === batch.producerEpoch()) return;
    entry.batches = [];
    entry.producerEpoch = batch.producerEpoch();
  }

  /** False where there was nothing to learn. */
  #recallOlder(): boolean {
    const recall = this.#recall;
    this.#recall = undefined;
    if (recall === undefined) return false;
    for (const older of recall().entries()) {
      const entry = this.#entries.get(older.producerId);
      const oldest = entry?.batches[0];
      if (entry === undefined || oldest === undefined) continue;
      if (older.producerEpoch !== entry.producerEpoch) continue;
      const before = older.batches.filter((batch) => batch.lastOffset < oldest.lastOffset);
      entry.batches = [...before, ...entry.batches].slice(-BATCHES_KEPT);
    }
    return true;
  }
}

function newEntry(producerId: number, producerEpoch: number): ProducerEntry {
  return {
    producerId,
    producerEpoch,
    batches: [],
    lastTimestamp: -1,
    coordinatorEpoch: -1,
    currentTxnFirstOffset: NO_OFFSET,
  };
}

/** Source: kafka: ProducerAppendInfo.checkProducerEpoch and checkSequence. */
function checkEpochAndSequence(entry: ProducerEntry, batch: ProducerCheck): ProducerVerdict {
  const who = `producer ${batch.producerId}`;
  if (batch.producerEpoch < entry.producerEpoch) {
    return refuse(
      "invalid-producer-epoch",
      `Cannot append batch of ${who}: its epoch ${batch.producerEpoch} is below ${entry.producerEpoch}`,
    );
  }
  const { baseSequence } = batch;
  if (batch.producerEpoch > entry.producerEpoch) {
    if (baseSequence === 0) return APPEND;
    return refuse(
      "out-of-order-sequence",
      `Cannot append batch of ${who}: the first sequence of a new epoch is ${baseSequence}, not 0`,
    );
  }
  const last = entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE;
  const next = last === SEQUENCE_MAX ? 0 : last + 1;
  if (baseSequence === next) return APPEND;
  return refuse(
    "out-of-order-sequence",
    `Cannot append batch of ${who}: its first sequence is ${baseSequence}, expected ${next}`,
  );
}

function refuse(reason: ProducerRefusal, message: string): ProducerVerdict {
  return { kind: "refuse", reason, message };
}

function firstSequence(batch: ProducerBatch): number {
  const first = batch.lastSequence - batch.offsetDelta;
  return first < 0 ? first + SEQUENCE_MAX + 1 : first;
}
