/**
 * What reads of all logs share: how often bytes are checked, and who hears of what is wrong.
 *
 * A damaged batch is told once, not at every fetch that comes to it; a disk that cannot be read is told
 * at most once a minute for each partition. Both are counted.
 */
import type { Clock } from "../../env/clock.ts";
import { DiskFault } from "../../env/disk.ts";
import type { Trace } from "../../env/trace.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { LeaderEpochs } from "../leader_epochs.ts";
import { LogFault } from "../log_fault.ts";

/** Damage that was told of is remembered by its place, so many places at most. */
const TOLD_MAX = 10_000;
const TELL_AGAIN_MS = 60_000;
/** So long a damaged batch is believed to be one without being read again. */
const DAMAGE_BELIEVED_MS = 60_000;
/** Times of checks are rounded down to this share of the interval, so that ranges grow together. */
const STEPS = 8;

/** A batch that is not what was written: nothing of it is served. */
export class DamagedBatch extends LogFault {
  readonly position: number;
  readonly offset: number;

  constructor(path: string, at: { position: number; offset: number; reason: string }) {
    super(
      path,
      `Cannot serve offset ${at.offset} of ${path}: the batch at byte ${at.position} is damaged, ` +
        `${at.reason}; look at it with mq log verify, cut it out with mq log repair`,
    );
    this.position = at.position;
    this.offset = at.offset;
  }
}

export interface ReadChecksOptions {
  readonly clock: Clock;
  readonly crc32c: Crc32c;
  readonly trace: Trace;
  /** So long a check counts; 0 checks at every read. */
  readonly intervalMs: number;
}

export class ReadChecks {
  readonly crc32c: Crc32c;
  readonly metrics = { damagedBatches: 0, errors: 0, checkedBytes: 0 };
  readonly #clock: Clock;
  readonly #trace: Trace;
  readonly #intervalMs: number;
  readonly #stepMs: number;
  /** What was told of and when. */
  readonly #told = new Map<string, number>();

  constructor({ clock, crc32c, trace, intervalMs }: ReadChecksOptions) {
    this.crc32c = crc32c;
    this.#clock = clock;
    this.#trace = trace;
    this.#intervalMs = intervalMs;
    this.#stepMs = Math.max(1, intervalMs / STEPS);
  }

  /** The time to note with what was checked or appended now; never later than now. */
  nowMs(): number {
    return Math.floor(this.#clock.monotonicMs() / this.#stepMs) * this.#stepMs;
  }

  /** Checks at or behind this time count. */
  sinceMs(): number {
    return this.#intervalMs === 0 ? Infinity : this.#clock.monotonicMs() - this.#intervalMs;
  }

  /** Damage found at or behind this time is believed without a look. */
  damageSinceMs(): number {
    return this.#intervalMs === 0 ? Infinity : this.#clock.monotonicMs() - DAMAGE_BELIEVED_MS;
  }

  /** Makes the fault of a damaged batch, and tells of it where that is news. */
  damaged(
    path: string,
    at: { readonly position: number; readonly offset: number; readonly reason: string },
  ): DamagedBatch {
    const fault = new DamagedBatch(path, at);
    if (this.#isNews(`${path}:${at.position}`, Infinity)) {
      this.metrics.damagedBatches++;
      this.#trace.event("error", "a batch is damaged", {
        segment: path,
        byte: at.position,
        offset: at.offset,
        error: fault.message,
      });
    }
    return fault;
  }

  /** Counts a read of the log in `directory` that failed, and tells of it now and then. */
  onFailed(directory: string, fault: unknown): void {
    if (fault instanceof DamagedBatch) return; // told by its place
    if (!(fault instanceof DiskFault || fault instanceof LogFault)) return;
    this.metrics.errors++;
    if (!this.#isNews(directory, TELL_AGAIN_MS)) return;
    const { path, message } = fault;
    this.#trace.event("error", "a log cannot be read", { directory, path, error: message });
  }

  /** The leader epochs of a log, unless they were found to be wrong. */
  epochsOf(
    { directory, epochs }: { directory: string; epochs: LeaderEpochs },
  ): LeaderEpochs | undefined {
    return this.#told.has(epochsKey(directory)) ? undefined : epochs;
  }

  /** The leader epochs of a log do not fit its batches: told once. */
  onEpochsLie(directory: string): void {
    if (!this.#isNews(epochsKey(directory), Infinity)) return;
    this.#trace.event("warn", "leader-epoch-checkpoint does not fit the batches", { directory });
  }

  #isNews(key: string, againMs: number): boolean {
    const now = this.#clock.monotonicMs();
    const toldMs = this.#told.get(key);
    if (toldMs !== undefined && now - toldMs < againMs) return false;
    this.#told.delete(key);
    this.#told.set(key, now);
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= TOLD_MAX) break;
      this.#told.delete(oldest);
    }
    return true;
  }
}

function epochsKey(directory: string): string {
  return `${directory}:epochs`;
}
