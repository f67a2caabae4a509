/**
 * The records of one partition on their way: the batch being filled, those that wait, those under way.
 *
 *     append ─► open ─seal─► pending ─take─► inflight ─► reported
 *                               ▲                │
 *                               └────retry───────┘
 *
 * Order and sequences. A batch gets its sequence when it is first taken, and keeps it over retries,
 * so that the broker recognises what it has already (KIP-98). When one has to be sent again, nothing
 * more is sent until everything under way has been answered; then all go out again in the order of
 * their sequences.
 *
 * When a batch is given up, the broker waits for a sequence that never comes. Then the partition's
 * epoch is raised and its sequences begin at 0 anew (KIP-360), but only after every batch of which it
 * is not known whether the broker has it (`isUncertain`) was answered under its old sequence: a new
 * one would make a second copy of it. It is enough to look at the first in line: where the broker does
 * not have it, it has nothing behind it either.
 *
 * Not here: when and where to send (`sender.ts`).
 */
import { assert } from "../ground/assert.ts";
import { BatchBuilder, type BuildTools, type RecordInput } from "../record/batch_builder.ts";
import type { CompressionType } from "../record/compression.ts";
import { sequenceAfter } from "../record/format.ts";
import type { ClientError } from "./client_error.ts";
import type { ProducerBatch, ProducerIdentity } from "./producer_batch.ts";
import type { OnDelivery } from "./producer_options.ts";

/** What a broker keeps of a producer's batches to recognise a duplicate; so at most this many fly. */
export const INFLIGHT_COUNT_MAX = 5;
const EPOCH_MAX = 0x7fff;

export interface PartitionQueueOptions {
  readonly topic: string;
  readonly partition: number;
  readonly compressionType: CompressionType;
  readonly compress: BuildTools["compress"];
  readonly deliveryTimeoutMs: number;
}

export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /** By the monotonic clock: when the first record of the open batch came. */
  openedAtMs = 0;
  /** Records of all batches ever sealed. */
  sealedCount = 0;
  /** By the monotonic clock: nothing is sent before. */
  notBeforeMs = 0;
  /** What the last try failed with, for whoever is told that there were enough. */
  lastFailure: ClientError | undefined;
  /** By the monotonic clock: the first failure behind which nothing was delivered. */
  failingSinceMs = 0;
  /** The broker that the batches under way were sent to. */
  inflightBrokerId = -1;
  readonly #options: PartitionQueueOptions;
  readonly #tools: BuildTools;
  #builder: BatchBuilder;
  #batchBytes: number;
  #callbacks: (OnDelivery | undefined)[] | undefined;

  #nextPlace = 0;
  /** The last batch that the broker has acknowledged in this epoch. */
  #deliveredPlace = -1;
  #pending: ProducerBatch[] = [];
  #inflight: ProducerBatch[] = [];
  #isHalted = false;
  #needsReset = false;
  #identity: ProducerIdentity | undefined;
  #nextSequence = 0;
  /** The sequence that the broker takes next, as far as its answers tell. */
  #expectedSequence = 0;

  constructor(options: PartitionQueueOptions, batchBytes: number) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.#options = options;
    this.#batchBytes = batchBytes;
    this.#builder = this.#newBuilder();
    this.#tools = { crc32c: () => 0, compress: options.compress }; // see batch_stamp.ts
  }

  /** Records in the batch being filled. */
  get openCount(): number {
    return this.#builder.recordCount;
  }

  get openBytes(): number {
    return this.#builder.sizeInBytes;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  get inflightCount(): number {
    return this.#inflight.length;
  }

  /** All records in front of this one, counted as `order` counts, are reported. */
  reportedOrder(): number {
    let order = this.sealedCount;
    for (const batch of this.#inflight) order = Math.min(order, batch.order);
    const first = this.#pending[0];
    return first === undefined ? order : Math.min(order, first.order);
  }

  /** Puts a record into the open batch; false where it does not fit, and the batch is to be sealed. */
  append(record: RecordInput, onDelivery: OnDelivery | undefined): boolean {
    if (!this.#builder.append(record)) return false;
    if (onDelivery !== undefined) {
      this.#callbacks ??= [];
      this.#callbacks[this.#builder.recordCount - 1] = onDelivery;
    }
    return true;
  }

  /** Closes the open batch, which then waits to be sent. */
  seal(): ProducerBatch {
    const builder = this.#builder;
    assert(builder.recordCount > 0, "a batch that is sealed has a record");
    const batch: ProducerBatch = {
      queue: this,
      order: this.sealedCount,
      place: this.#nextPlace++,
      recordCount: builder.recordCount,
      bufferedBytes: builder.sizeInBytes,
      bytes: builder.finish({}, this.#tools),
      deadlineMs: this.openedAtMs + this.#options.deliveryTimeoutMs,
      callbacks: this.#callbacks,
      stamp: undefined,
      stamped: undefined,
      attemptCount: 0,
      isUncertain: false,
    };
    this.#callbacks = undefined;
    this.sealedCount += builder.recordCount;
    builder.reset();
    this.#pending.push(batch);
    return batch;
  }

  /** From the next batch on, smaller ones: the broker refused one of the present size. */
  limitBatchBytes(batchBytes: number): void {
    if (batchBytes >= this.#batchBytes) return;
    this.#batchBytes = batchBytes;
    if (this.openCount === 0) this.#builder = this.#newBuilder();
  }

  /**
   * Whether the first batch in line may be sent to the partition's leader now.
   *
   * Keeps: a batch is never sent while one that is not answered lies five or more places before it.
   * The broker recognises its last five batches of a producer, so every retry is recognised.
   *
   * Keeps: nothing follows the first batch of an epoch before that is acknowledged. A broker that knows
   * nothing of a producer takes whatever sequence comes first, so that one behind the first would hide
   * that the first has failed.
   */
  maySend(now: number, leaderId: number): boolean {
    const first = this.#pending[0];
    if (first === undefined || now < this.notBeforeMs) return false;
    if (this.#inflight.length === 0) {
      this.#isHalted = false;
      return true;
    }
    if (this.#isHalted || this.#needsReset || this.inflightBrokerId !== leaderId) return false;
    if (this.#identity !== undefined && this.#deliveredPlace < 0) return false;
    return this.#inflight.every(({ place }) => first.place - place < INFLIGHT_COUNT_MAX);
  }

  /** Whether all epochs of the producer id are used up here: the next batch needs another id. */
  needsProducerId(current: ProducerIdentity): boolean {
    const identity = this.#identity;
    return identity !== undefined && identity.producerEpoch >= EPOCH_MAX &&
      identity.producerId === current.producerId && this.#mayReset();
  }

  firstPending(): ProducerBatch | undefined {
    return this.#pending[0];
  }

  /**
   * Takes the first batch in line, with its stamp where `identity` is given.
   * Keeps: sequences follow each other without a gap, in the order of the queue.
   */
  take(identity: ProducerIdentity | undefined): ProducerBatch {
    if (identity !== undefined) this.#maybeReset();
    const batch = this.#pending.shift();
    assert(batch !== undefined, "a batch that is taken waits in line");
    if (identity !== undefined && batch.stamp === undefined) {
      this.#identity ??= identity;
      batch.stamp = { ...this.#identity, baseSequence: this.#nextSequence };
      this.#nextSequence = sequenceAfter(this.#nextSequence, batch.recordCount);
    }
    batch.attemptCount++;
    this.#inflight.push(batch);
    return batch;
  }

  /** Whether the broker, by its own answers, should have taken this batch next. */
  isExpected(batch: ProducerBatch): boolean {
    return batch.stamp?.baseSequence === this.#expectedSequence;
  }

  /**
   * Whether the broker has acknowledged a batch behind this one in the same epoch. That says nothing of
   * this one: a broker that has lost what it knew of a producer takes any sequence as its first.
   */
  isOvertaken(batch: ProducerBatch): boolean {
    return batch.place < this.#deliveredPlace;
  }

  /** Ends a batch that was under way and is delivered. */
  complete(batch: ProducerBatch): void {
    this.#land(batch);
    this.#deliveredPlace = Math.max(this.#deliveredPlace, batch.place);
    if (batch.stamp === undefined) return;
    if (this.#deliveredPlace > batch.place) return;
    this.#expectedSequence = sequenceAfter(batch.stamp.baseSequence, batch.recordCount);
  }

  /** Puts a batch that was under way back in line, by its sequence. */
  retry(batch: ProducerBatch, isUncertain: boolean): void {
    batch.isUncertain = isUncertain;
    this.#putBack([batch], batch);
  }

  /** Puts two parts in the place of a batch that was under way; together they have its records. */
  replace(batch: ProducerBatch, parts: readonly [ProducerBatch, ProducerBatch]): void {
    for (const other of this.batches()) if (other.place > batch.place) other.place++;
    parts[1].place++;
    this.#nextPlace++;
    this.#putBack(parts, batch);
  }

  /** Gives up a batch, wherever it is. */
  giveUp(batch: ProducerBatch): void {
    this.#land(batch);
    this.#pending = this.#pending.filter((other) => other !== batch);
    if (batch.stamp !== undefined) this.#needsReset = true;
  }

  /** The broker has lost track of the sequences: begins anew when all that flies has landed. */
  requestReset(): void {
    this.#needsReset = true;
  }

  /** All that waits or flies, in order, for a producer that stops. */
  batches(): readonly ProducerBatch[] {
    return [...this.#inflight, ...this.#pending];
  }

  #newBuilder(): BatchBuilder {
    const { compressionType } = this.#options;
    return new BatchBuilder({ bytesMax: this.#batchBytes, compressionType });
  }

  #land(batch: ProducerBatch): void {
    const index = this.#inflight.indexOf(batch);
    if (index >= 0) this.#inflight.splice(index, 1);
  }

  #putBack(parts: readonly ProducerBatch[], batch: ProducerBatch): void {
    this.#isHalted = true;
    this.#land(batch);
    const at = this.#pending.findIndex((other) => other.order > batch.order);
    this.#pending.splice(at < 0 ? this.#pending.length : at, 0, ...parts);
  }

  #mayReset(): boolean {
    return this.#needsReset && this.#inflight.length === 0 &&
      this.#pending[0]?.isUncertain !== true;
  }

  #maybeReset(): void {
    if (!this.#mayReset()) return;
    this.#needsReset = false;
    this.#identity = this.#identity && this.#identity.producerEpoch < EPOCH_MAX
      ? { ...this.#identity, producerEpoch: this.#identity.producerEpoch + 1 }
      : undefined;
    this.#nextSequence = 0;
    this.#expectedSequence = 0;
    this.#deliveredPlace = -1;
    for (const batch of this.#pending) {
      batch.stamp = undefined;
      batch.isUncertain = false;
    }
  }
}
