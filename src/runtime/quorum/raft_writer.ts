/**
 * Does what the machine wants persisted, in the order it wants it.
 *
 *     vote ─► reset or cut ─► append ─┬─► sync ─► durable
 *                                     │
 *                next one: vote ─► … ─┴─► append ─► sync (shared with others) ─► durable
 *
 * A persist that only appends is in the log at once where none is before it. A disk without room or
 * handles is asked again until it has them, or until the stop: nothing is told as durable meanwhile, so
 * that a follower with a full disk is silent and goes on by itself. Any other fault ends it.
 */
import type { Clock } from "../../env/clock.ts";
import { DiskFault, isPassing } from "../../env/disk.ts";
import { assert } from "../../ground/assert.ts";
import type { Entry } from "../../raft/entry.ts";
import type { Persist } from "../../raft/ready.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import type { RaftStorage } from "./raft_storage.ts";

export interface RaftWriterOptions {
  readonly storage: RaftStorage;
  readonly clock: Clock;
  /** The batch of an entry that the machine made by itself. */
  makeBatch(entry: Entry): Uint8Array;
  /** In the order of the numbers. */
  onDurable(number: number): void;
  /** There is no room; it is tried again. */
  onNoRoom(fault: DiskFault): void;
  /** Nothing more is written. */
  onFault(fault: unknown): void;
}

const AGAIN_MS = 100;

export class RaftWriter {
  readonly #options: RaftWriterOptions;
  /** Persists whose appends are not done yet. */
  #writingCount = 0;
  #written: Promise<void> = Promise.resolve();
  #durable: Promise<void> = Promise.resolve();
  #isEnding = false;
  #hasFailed = false;
  #onEnding = new Set<() => void>();

  constructor(options: RaftWriterOptions) {
    this.#options = options;
  }

  /** Whether something waits to be appended, cut or replaced. */
  get isWriting(): boolean {
    return this.#writingCount > 0;
  }

  /** When all that was asked for so far is in the log, durable or not. */
  written(): Promise<void> {
    return this.#written;
  }

  /** When all that was asked for so far is durable; never where the disk has failed. */
  durable(): Promise<void> {
    return this.#durable;
  }

  write(persist: Persist): void {
    const { hardState, truncateTo, resetTo } = persist;
    const isPlain = hardState === undefined && truncateTo === undefined && resetTo === undefined;
    const isDone = isPlain && !this.isWriting && !this.#hasFailed && this.#tryAppend(persist);
    if (!isDone) this.#queue(() => this.#write(persist));
    const written = this.#written;
    const isSynced = persist.entries.length > 0;
    const done = written.then(() => isSynced ? this.#again(() => this.#sync()) : undefined);
    done.catch(() => undefined); // it is heard of below, in its turn
    this.#durable = this.#durable.then(() => done).then(() => {
      this.#options.onDurable(persist.number);
    });
    this.#durable.catch((fault: unknown) => this.#onFault(fault));
  }

  /** What waits for room waits no longer; what can be done is done. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (const wake of [...this.#onEnding]) wake();
    await this.#durable.catch(() => undefined);
  }

  /** Nothing more is written. */
  abandon(): void {
    this.#hasFailed = true;
    this.#isEnding = true;
    for (const wake of [...this.#onEnding]) wake();
  }

  #queue(work: () => Promise<void>): void {
    this.#writingCount++;
    this.#written = this.#written.then(work).finally(() => this.#writingCount--);
    // At once: the promise that it is durable waits for earlier syncs, and more may be written meanwhile.
    this.#written.catch((fault: unknown) => this.#onFault(fault));
  }

  async #write(persist: Persist): Promise<void> {
    const { storage } = this.#options;
    const { hardState, truncateTo, resetTo } = persist;
    if (hardState !== undefined) await this.#again(() => storage.writeHardState(hardState));
    if (resetTo !== undefined) await this.#again(() => storage.resetTo(resetTo));
    if (truncateTo !== undefined && truncateTo < storage.logEndOffset) {
      await this.#again(() => this.#truncate(truncateTo));
    }
    await this.#again(() => this.#append(persist));
  }

  /** A cut that has failed half-way leaves a log that only another opening makes usable. */
  async #truncate(offset: Parameters<RaftStorage["truncateTo"]>[0]): Promise<void> {
    const { storage } = this.#options;
    if (!storage.log.isUsable) await storage.reopen();
    if (offset < storage.logEndOffset) await storage.truncateTo(offset);
  }

  async #sync(): Promise<void> {
    await this.#options.storage.sync();
  }

  #tryAppend(persist: Persist): boolean {
    try {
      this.#append(persist);
      return true;
    } catch (fault) {
      if (!(fault instanceof DiskFault)) throw fault;
      return false; // the queue tries again, and tells of what it meets
    }
  }

  /** What is in the log already stays: the proposer's batches, and those before a disk was full. */
  #append({ entries, records }: Persist): void {
    const { storage, clock, makeBatch } = this.#options;
    const now = clock.wallMs();
    if (records === undefined) {
      for (const entry of entries) {
        if (entry.baseOffset >= storage.logEndOffset) storage.append(makeBatch(entry), now);
      }
    }
    for (const piece of records ?? []) {
      const walk = new BatchWalk(piece.records);
      while (walk.next()) {
        const { batch } = walk;
        const baseOffset = batch.baseOffset();
        if (baseOffset < piece.from || baseOffset >= piece.upTo) continue;
        if (baseOffset < storage.logEndOffset) continue;
        const at = batch.position();
        storage.append(batch.bytes.subarray(at, at + batch.sizeInBytes()), now);
      }
    }
    const end = entries.at(-1)?.nextOffset;
    assert(
      end === undefined || storage.logEndOffset >= end,
      "all entries of a persist are written",
    );
  }

  async #again(work: () => Promise<void> | void): Promise<void> {
    for (;;) {
      if (this.#hasFailed) throw new Error("Cannot write metadata: the disk has failed before");
      try {
        // deno-lint-ignore no-await-in-loop -- the same again
        await work();
        return;
      } catch (fault) {
        if (this.#isEnding || !(fault instanceof DiskFault && isPassing(fault))) throw fault;
        this.#options.onNoRoom(fault);
        // deno-lint-ignore no-await-in-loop
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    if (this.#isEnding) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#onEnding.delete(wake);
        timer.cancel();
        resolve();
      };
      const timer = this.#options.clock.after(AGAIN_MS, wake);
      this.#onEnding.add(wake);
    });
  }

  #onFault(fault: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.onFault(fault);
  }
}
