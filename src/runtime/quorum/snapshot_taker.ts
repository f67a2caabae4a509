/**
 * When a voter takes a snapshot of its own state, and what follows.
 *
 *     enough bytes, or records and enough time
 *        │  encode the state, slice by slice; nothing is applied meanwhile
 *        ▼  sync, rename: it is durable                          (applying goes on)
 *     keep two; the log may go up to the *older* one: who lags a little is served from the log
 *
 * No room for it costs nothing but a longer start; it is tried again later.
 */
import type { Clock, Timer } from "../../env/clock.ts";
import { DiskFault, isPassing } from "../../env/disk.ts";
import type { Trace } from "../../env/trace.ts";
import type { SnapshotId } from "../../raft/entry.ts";
import type { BatchView } from "../../record/batch_view.ts";
import type { RaftStorage } from "./raft_storage.ts";
import type { SnapshotContent } from "./snapshot_store.ts";

export interface SnapshotLimits {
  /** `metadata.log.max.record.bytes.between.snapshots`. */
  readonly bytesMax: number;
  /** `metadata.log.max.snapshot.interval.ms`; 0 is for ever. */
  readonly intervalMs: number;
}

export interface SnapshotTakerOptions {
  readonly storage: RaftStorage;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly limits: SnapshotLimits;
  /** Time has come; what is due is asked by `isDue`. */
  onDue(): void;
  /** The state up to here is in a durable snapshot, and a newer one, too. */
  onTaken(older: SnapshotId): void;
  onFault(fault: unknown): void;
}

/** After one that had no room. */
const AGAIN_MS = 60_000;

export class SnapshotTaker {
  readonly #options: SnapshotTakerOptions;
  #bytes = 0;
  #hasRecords = false;
  /** Of the first record that no snapshot has. */
  #sinceMs = 0;
  #notBeforeMs = -Infinity;
  #takenMs: number | undefined;
  #timer: Timer | undefined;
  #finishing: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: SnapshotTakerOptions) {
    this.#options = options;
  }

  /** A committed batch was applied that no snapshot has. */
  note(batch: BatchView): void {
    this.#bytes += batch.sizeInBytes();
    if (batch.isControl() || this.#hasRecords) return;
    const { clock, limits } = this.#options;
    this.#hasRecords = true;
    this.#sinceMs = clock.monotonicMs();
    if (limits.intervalMs > 0) this.#wakeIn(limits.intervalMs);
  }

  get isDue(): boolean {
    const { clock, limits } = this.#options;
    const now = clock.monotonicMs();
    if (!this.#hasRecords || this.#finishing !== undefined || this.#isStopped) return false;
    if (now < this.#notBeforeMs) return false;
    const isOld = limits.intervalMs > 0 && now - this.#sinceMs >= limits.intervalMs;
    return isOld || this.#bytes >= limits.bytesMax;
  }

  /** When the newest one became durable, by the monotonic clock; undefined where none did yet. */
  get takenMs(): number | undefined {
    return this.#takenMs;
  }

  /** Resolves when the state may change again. */
  async take(content: SnapshotContent): Promise<void> {
    const { storage, clock } = this.#options;
    const { id } = content;
    try {
      const pause = (): Promise<void> => new Promise((resolve) => clock.after(0, resolve));
      await storage.snapshots.write(content, pause);
    } catch (fault) {
      return this.#onFault(id, fault);
    }
    this.reset();
    this.#finishing = this.#finish(id)
      .catch((fault: unknown) => this.#onFault(id, fault))
      .finally(() => {
        this.#finishing = undefined;
        this.#options.onDue(); // enough for another one may have come meanwhile
      });
  }

  /** A snapshot stands for all that was applied. */
  reset(): void {
    this.#bytes = 0;
    this.#hasRecords = false;
    this.#timer?.cancel();
  }

  /** What is under way is waited for, where the disk lets it. */
  async stop(): Promise<void> {
    this.abandon();
    await this.#finishing;
  }

  abandon(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #finish(id: SnapshotId): Promise<void> {
    const { storage, clock, trace, onTaken } = this.#options;
    await storage.snapshots.finish(id);
    this.#takenMs = clock.monotonicMs();
    trace.event("info", "took a metadata snapshot", { offset: id.offset, term: id.term });
    await storage.snapshots.dropOld();
    const ids = storage.snapshots.ids();
    const [older] = ids;
    if (older === undefined || ids.length < 2 || this.#isStopped) return;
    onTaken(older);
    await storage.moveStart(older.offset);
  }

  #onFault(id: SnapshotId, fault: unknown): void {
    const { storage, clock, trace } = this.#options;
    if (this.#isStopped) return;
    if (!(fault instanceof DiskFault && isPassing(fault))) return this.#options.onFault(fault);
    storage.snapshots.discard(id);
    this.#hasRecords = true;
    this.#notBeforeMs = clock.monotonicMs() + AGAIN_MS;
    this.#wakeIn(AGAIN_MS);
    trace.event("warn", "no room for a metadata snapshot", { error: fault.message });
  }

  #wakeIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delayMs, () => this.#options.onDue());
  }
}
