/**
 * The image and how far it has come: committed batches in, listeners and waiters told.
 *
 * The only caller of `replay` for live batches, on voters and followers alike. Batches go in one after
 * the other: the next one waits until all listeners are done with the one before.
 *
 * It may be fed from two sides, by the own metadata log and by a controller elsewhere, while a node becomes
 * a voter or is one no longer: what is committed is the same everywhere, so whoever has the next batch
 * first applies it, and the other one's is left.
 */
import type { Clock } from "../../env/clock.ts";
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { ClusterImage } from "../../metadata/image.ts";
import type { Configuration } from "../../raft/configuration.ts";
import type { SnapshotId } from "../../raft/entry.ts";
import { asMetadataRecord, type MetadataRecord } from "../../metadata/record.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { misfit } from "../../metadata/record_fit.ts";
import { decodeMessagePack } from "../../wire/msgpack.ts";
import { atMost } from "../at_most.ts";
import type { MetadataView, ReplaceListener, ReplayListener } from "./metadata_view.ts";
import { MetadataCorrupt } from "./not_controller.ts";
import { entryOf, newCursor, SLICE_RECORDS } from "./quorum_batches.ts";
import type { LoadedSnapshot } from "./snapshot_store.ts";

/** Consequences of one batch that are under way at once: each may hold a file open. */
const CONCURRENT_MAX = 16;
const NO_BYTES = new Uint8Array(0);

interface Waiter {
  readonly offset: Offset;
  settle(isApplied: boolean): void;
}

export class AppliedImage implements MetadataView {
  readonly image = new ClusterImage();
  readonly #clock: Clock;
  readonly #cursor = newCursor();
  readonly #onReplayed: ReplayListener[] = [];
  readonly #onReplaced: ReplaceListener[] = [];
  readonly #waiters = new Set<Waiter>();
  #appliedOffset = toOffset(0);
  #lastTerm = 0;
  #configuration: Configuration | undefined;
  /** While one batch, or a snapshot, is under way. */
  #turn: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get appliedOffset(): Offset {
    return this.#appliedOffset;
  }

  /** Of the batch below; 0 where there is none. */
  get lastTerm(): number {
    return this.#lastTerm;
  }

  /** Who votes by what was applied; undefined while nothing has said it. */
  get configuration(): Configuration | undefined {
    return this.#configuration;
  }

  onReplayed(listener: ReplayListener): void {
    this.#onReplayed.push(listener);
  }

  onImageReplaced(listener: ReplaceListener): void {
    this.#onReplaced.push(listener);
  }

  whenApplied(offset: Offset, timeoutMs: number): Promise<boolean> {
    if (offset <= this.#appliedOffset) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = this.#clock.after(timeoutMs, () => waiter.settle(false));
      const waiter: Waiter = {
        offset,
        settle: (isApplied) => {
          this.#waiters.delete(waiter);
          timer.cancel();
          resolve(isApplied);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /**
   * Applies one committed batch, which begins where the last one ended; one that was applied already is
   * left. Throws `MetadataCorrupt`: the node stops then, whatever of the batch is in the image.
   */
  async apply(batch: BatchView): Promise<void> {
    // deno-lint-ignore no-await-in-loop -- until it is its turn
    while (this.#turn !== undefined) await this.#turn;
    if (batch.nextOffset() <= this.#appliedOffset) return;
    const told = this.#applyRecords(batch);
    const place = { offset: toOffset(batch.nextOffset()), term: batch.partitionLeaderEpoch() };
    if (told === undefined) this.#moveTo(place);
    else await this.#inTurn(told.then(() => this.#moveTo(place)));
  }

  /** Puts the state of a snapshot in the place of the present one, where it is not older than that. */
  async replace(snapshot: Pick<LoadedSnapshot, "id" | "records" | "configuration">): Promise<void> {
    // deno-lint-ignore no-await-in-loop -- until it is its turn
    while (this.#turn !== undefined) await this.#turn;
    const { id, records, configuration } = snapshot;
    if (id.offset < this.#appliedOffset) return;
    this.image.replaceWith(records, id.offset);
    this.#configuration = configuration;
    await this.#inTurn(this.#tellReplaced().then(() => this.#moveTo(id)));
  }

  /** Does something while nothing is applied, from no side, and nobody is being told of what was. */
  async whileStill(work: () => Promise<void>): Promise<void> {
    // deno-lint-ignore no-await-in-loop -- until it is its turn
    while (this.#turn !== undefined) await this.#turn;
    await this.#inTurn(work());
  }

  /** Undefined where nobody is to be waited for. */
  #applyRecords(batch: BatchView): Promise<void> | undefined {
    if (batch.isControl()) {
      this.#configuration = entryOf(batch, this.#cursor).configuration ?? this.#configuration;
      return undefined;
    }
    const records = recordsIn(batch, this.#cursor);
    const baseOffset = batch.baseOffset();
    if (batch.recordCount() <= SLICE_RECORDS) return this.#replayAll([...records], baseOffset);
    return this.#readSlices(records).then((all) => this.#replayAll(all, baseOffset));
  }

  /** Reading is what takes time; others have their turns, and see the image as it was before. */
  async #readSlices(records: Iterable<MetadataRecord>): Promise<readonly MetadataRecord[]> {
    const all: MetadataRecord[] = [];
    for (const record of records) {
      all.push(record);
      if (all.length % SLICE_RECORDS !== 0) continue;
      // deno-lint-ignore no-await-in-loop -- that is what a pause is
      await new Promise<void>((resolve) => this.#clock.after(0, resolve));
    }
    return all;
  }

  /** In one go: nobody sees a part of a batch. */
  #replayAll(records: readonly MetadataRecord[], baseOffset: number): Promise<void> | undefined {
    for (const [index, record] of records.entries()) {
      this.#replay(toOffset(baseOffset + index), record);
    }
    return this.#onReplayed.length > 0 ? this.#tell(records, baseOffset) : undefined;
  }

  /** Others wait meanwhile; what goes wrong is heard by who applies, not by who waits. */
  #inTurn(work: Promise<void>): Promise<void> {
    const over = (): void => {
      this.#turn = undefined;
    };
    this.#turn = work.then(over, over);
    return work;
  }

  async #tellReplaced(): Promise<void> {
    // deno-lint-ignore no-await-in-loop -- in the order in which they came
    for (const listener of this.#onReplaced) await listener();
  }

  /** Whoever waits hears that it will not come. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.settle(false);
  }

  /** What no decision can have made is damage, or the work of a program that this one is not. */
  #replay(offset: Offset, record: MetadataRecord): void {
    const reason = misfit(this.image, record);
    if (reason !== undefined) {
      throw new MetadataCorrupt(`Cannot replay metadata offset ${offset}: ${reason}`);
    }
    this.image.replay(offset, record);
  }

  async #tell(records: readonly MetadataRecord[], baseOffset: number): Promise<void> {
    const told = records.map((record, index) => ({ record, offset: toOffset(baseOffset + index) }));
    await atMost(CONCURRENT_MAX, told, async ({ record, offset }) => {
      // deno-lint-ignore no-await-in-loop -- in the order in which they came
      for (const listener of this.#onReplayed) await listener(record, offset);
    });
  }

  #moveTo({ offset, term }: SnapshotId): void {
    this.#appliedOffset = offset;
    this.#lastTerm = term;
    for (const waiter of [...this.#waiters]) if (waiter.offset <= offset) waiter.settle(true);
  }
}

function* recordsIn(
  batch: BatchView,
  cursor: ReturnType<typeof newCursor>,
): Iterable<MetadataRecord> {
  cursor.open(batch);
  while (cursor.next()) {
    const record = asMetadataRecord(decodeMessagePack(cursor.value() ?? NO_BYTES));
    if (typeof record === "string") {
      throw new MetadataCorrupt(`Cannot replay metadata offset ${cursor.offset()}: ${record}`);
    }
    yield record;
  }
  if (cursor.failure !== undefined) {
    throw new MetadataCorrupt(
      `Cannot replay metadata offset ${batch.baseOffset()}: ${cursor.failure}`,
    );
  }
}
