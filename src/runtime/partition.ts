/**
 * A partition that this broker has: its log, its high watermark, and who waits for that to move. Only
 * one that it leads is served; a follower copies nothing yet.
 *
 *     produce ─► append ─► page cache ─► (fsync, one for all who wait) ─► high watermark moves
 *                                                                          ├─► parked produce replies
 *                                                                          └─► parked fetches
 *
 * Not here: what a batch must look like (`partition_append.ts`), bytes on the wire (`broker/`). Longer
 * than most: all that moves the one number is beside it.
 */
import type { Clock, Timer } from "../env/clock.ts";
import { DiskFault, isPassing } from "../env/disk.ts";
import type { Trace } from "../env/trace.ts";
import { type LeaderEpoch, type Offset, toOffset } from "../ground/numbers.ts";
import type { Uuid } from "../ground/uuid.ts";
import type { Log } from "../log/log.ts";
import { LogFault } from "../log/log_fault.ts";
import type { LogSlice } from "../log/reading/log_slice.ts";
import { leaderHighWatermark } from "../replica/high_watermark.ts";
import type { PartitionSettings } from "./partition_settings.ts";
import type { Counter, Histogram } from "./metrics.ts";

/** Of the log directory that a partition lies in: one object for all partitions there. */
export interface PartitionPlace {
  /** Whether so many bytes may be appended: undefined, or why not. */
  admit(bytes: number): string | undefined;
  /** Why nothing may be appended now: full, or offline. */
  readonly refusal: string | undefined;
  /** To be set when a log has become durable further than before. */
  hasNewRecoveryPoints: boolean;
}

export interface PartitionOptions {
  readonly topic: string;
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly leaderEpoch: LeaderEpoch;
  /** Whether this broker leads it; true where left out. */
  readonly isLeader?: boolean;
  readonly log: Log;
  readonly settings: PartitionSettings;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly fsyncSeconds: Histogram;
  readonly appendErrors: Counter;
  /** The owner of the disk hears of a fault here, and takes the directory offline. */
  readonly onDiskFault: (fault: DiskFault) => void;
  /** Without one everything is admitted. */
  readonly place?: PartitionPlace;
}

export type ReadResult =
  | { readonly kind: "slice"; readonly slice: LogSlice }
  | { readonly kind: "empty" }
  | { readonly kind: "out-of-range" };

interface CommitWaiter {
  readonly offset: Offset;
  readonly resolve: (isCommitted: boolean) => void;
}

const SYNC_AGAIN_MS = 100;
const NOBODY: readonly CommitWaiter[] = [];

export class Partition {
  readonly topic: string;
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly log: Log;
  readonly #options: PartitionOptions;
  #leaderEpoch: LeaderEpoch;
  #isLeader: boolean;
  #settings: PartitionSettings;
  #highWatermark: Offset;
  #durableOffset: Offset;
  /** These two are made when somebody comes: most of many partitions have nobody. */
  #waiters: CommitWaiter[] | undefined;
  #watchers: Set<() => void> | undefined;
  #sync: Promise<void> | undefined;
  #isSyncWanted = false;
  #flushTimer: Timer | undefined;
  #state: "online" | "offline" | "closed" = "online";

  constructor(options: PartitionOptions) {
    this.#options = options;
    this.topic = options.topic;
    this.topicId = options.topicId;
    this.partitionId = options.partitionId;
    this.#leaderEpoch = options.leaderEpoch;
    this.#isLeader = options.isLeader ?? true;
    this.log = options.log;
    this.#settings = options.settings;
    this.#durableOffset = options.log.recoveryPoint;
    this.#highWatermark = options.log.logEndOffset; // what recovery kept was synced, if it must be
  }

  get settings(): PartitionSettings {
    return this.#settings;
  }

  get leaderEpoch(): LeaderEpoch {
    return this.#leaderEpoch;
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  get highWatermark(): Offset {
    return this.#highWatermark;
  }

  get isOnline(): boolean {
    return this.#state === "online";
  }

  /** The topic was deleted, or the broker stops: it is not here any more. */
  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Whether a batch of so many bytes has room: undefined, or why not. */
  admit(bytes: number): string | undefined {
    return this.#options.place?.admit(bytes);
  }

  /** Why nothing can be served or appended; undefined where it can. */
  get refusal(): string | undefined {
    return this.#options.place?.refusal;
  }

  configure(settings: PartitionSettings): void {
    this.#settings = settings;
    this.log.configure(settings.log);
    if (this.#state !== "online") return;
    this.#flushTimer?.cancel(); // it was set by what flush.ms was before
    this.#flushTimer = undefined;
    this.onAppended();
  }

  /** What metadata says now of who leads it; never an older leader epoch than before. */
  assign(leaderEpoch: LeaderEpoch, isLeader: boolean): void {
    if (leaderEpoch < this.#leaderEpoch) return;
    const wasLeader = this.#isLeader;
    this.#leaderEpoch = leaderEpoch;
    this.#isLeader = isLeader;
    if (wasLeader && !isLeader) this.#release(); // nobody is acknowledged by a former leader
    else this.#wakeWatchers();
  }

  /** To be called after the log has grown: moves the high watermark or sees to it that it will. */
  onAppended(): void {
    const { durability, flushMessages, flushMs } = this.#settings;
    const unsynced = this.log.logEndOffset - this.#durableOffset;
    if (durability !== "memory" || unsynced >= flushMessages) this.#wantSync();
    else if (this.#flushTimer === undefined && flushMs < Number.MAX_SAFE_INTEGER) {
      this.#flushTimer = this.#options.clock.after(flushMs, () => this.#wantSync());
    }
    this.#advance();
  }

  /** Makes what a durability class of memory left to the background durable. */
  flush(): void {
    if (this.#state === "online" && this.log.logEndOffset > this.#durableOffset) this.#wantSync();
  }

  /**
   * Resolves with true once the high watermark has reached `offset`, with false if the partition goes
   * offline or is closed before; undefined where there is nothing to wait for.
   */
  whenCommitted(offset: Offset): Promise<boolean> | undefined {
    if (this.#highWatermark >= offset) return undefined;
    if (this.#state !== "online") return Promise.resolve(false);
    return new Promise((resolve) => (this.#waiters ??= []).push({ offset, resolve }));
  }

  /** Calls `onMove` whenever there is more to read, or the partition is gone, until it is taken off. */
  watch(onMove: () => void): () => void {
    const watchers = this.#watchers ??= new Set();
    watchers.add(onMove);
    return () => {
      watchers.delete(onMove);
      if (watchers.size === 0 && this.#watchers === watchers) this.#watchers = undefined;
    };
  }

  /** Committed batches from the one that holds `offset` on. */
  read(offset: number, bytesMax: number): ReadResult | Promise<ReadResult> {
    if (offset < this.log.logStartOffset || offset > this.log.logEndOffset) {
      return { kind: "out-of-range" };
    }
    if (offset >= this.#highWatermark) return { kind: "empty" };
    const read = this.log.read(toOffset(offset), { bytesMax, upTo: this.#highWatermark });
    return read instanceof Promise ? this.#readCold(read) : asResult(read);
  }

  /** The disk has failed: nothing is served or acknowledged any more. */
  goOffline(): void {
    if (this.#state === "online") this.#state = "offline";
    this.#release();
  }

  /** Ends it; the log is closed cleanly where `isClean`, otherwise left as it is. */
  async close(isClean: boolean): Promise<void> {
    const wasOnline = this.#state === "online";
    this.#state = "closed";
    this.#flushTimer?.cancel();
    this.#release();
    await this.#sync;
    if (isClean && wasOnline) await this.log.close();
  }

  /**
   * A fault while appending: nothing of the batch is there. Tells the owner of the disk, and gives the
   * reason for the producer.
   */
  onFault(error: unknown): string {
    if (error instanceof LogFault) {
      this.#told("the log is damaged", error);
      return damagedLog(error);
    }
    if (!(error instanceof DiskFault)) throw error;
    this.#told("a batch could not be appended", error);
    this.#options.onDiskFault(error);
    return this.refusal ?? error.message;
  }

  #told(message: string, error: Error): void {
    this.#options.appendErrors.add(1);
    const partition = `${this.topic}-${this.partitionId}`;
    this.#options.trace.event("error", message, { partition, error: error.message });
  }

  async #readCold(read: Promise<LogSlice | undefined>): Promise<ReadResult> {
    return asResult(await read);
  }

  #wantSync(): void {
    this.#isSyncWanted = true;
    // Not at once: batches of other requests that came in the same chunk are appended first, so that
    // one fdatasync serves them all.
    this.#sync ??= Promise.resolve().then(() => this.#syncUntilDone());
  }

  async #syncUntilDone(): Promise<void> {
    try {
      while (this.#isSyncWanted && this.#state !== "offline") {
        this.#isSyncWanted = false;
        this.#flushTimer?.cancel();
        this.#flushTimer = undefined;
        const startMs = this.#options.clock.monotonicMs();
        // One after the other on purpose: a second fdatasync of the same file gains nothing.
        // deno-lint-ignore no-await-in-loop
        this.#durableOffset = await this.log.sync();
        if (this.#options.place !== undefined) this.#options.place.hasNewRecoveryPoints = true;
        this.#options.fsyncSeconds.observe((this.#options.clock.monotonicMs() - startMs) / 1000);
        this.#advance();
      }
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      if (this.log.isClosed) return; // it was let go of meanwhile: that is no fault of the disk
      this.#options.onDiskFault(error);
      if (isPassing(error)) this.#syncLater();
    } finally {
      this.#sync = undefined;
    }
  }

  /** There was no room for a handle or a name: whoever waits goes on waiting. */
  #syncLater(): void {
    this.#flushTimer = this.#options.clock.after(SYNC_AGAIN_MS, () => this.flush());
  }

  #advance(): void {
    const present = this.#highWatermark;
    this.#highWatermark = leaderHighWatermark(
      present,
      this.#settings.durability,
      this.log.logEndOffset,
      this.#durableOffset,
    );
    if (this.#highWatermark === present) return;
    const waiting = this.#waiters;
    this.#waiters = undefined;
    for (const waiter of waiting ?? NOBODY) {
      if (waiter.offset <= this.#highWatermark) waiter.resolve(true);
      else (this.#waiters ??= []).push(waiter);
    }
    this.#wakeWatchers();
  }

  #release(): void {
    const waiters = this.#waiters;
    this.#waiters = undefined;
    for (const { resolve } of waiters ?? NOBODY) resolve(false);
    this.#wakeWatchers();
  }

  #wakeWatchers(): void {
    if (this.#watchers === undefined) return;
    for (const onMove of [...this.#watchers]) onMove();
  }
}

/** What a client and the log of the broker are told. */
export function damagedLog({ message }: LogFault): string {
  if (message.includes("mq log verify")) return message;
  return `${message}; look at it with mq log verify, cut it out with mq log repair`;
}

function asResult(slice: LogSlice | undefined): ReadResult {
  return slice === undefined ? { kind: "out-of-range" } : { kind: "slice", slice };
}
