/**
 * Work of the background that comes again: retention, compaction, scrubbing, checkpoints.
 *
 * One run after the other, never two at once; the pause begins when a run has ended. Who stops it waits
 * for the run under way, which is told by `isStopping` to come to an end.
 */
import type { Clock, Timer } from "../env/clock.ts";

/** What a run may ask between two of its steps. */
export interface Run {
  readonly isStopping: boolean;
}

export interface RepeatedTaskOptions {
  readonly clock: Clock;
  readonly firstMs: number;
  /** The pause between two runs, asked for anew behind each. */
  readonly everyMs: number | (() => number);
  /** Must not reject: whoever works in the background knows what to do about its faults. */
  readonly run: (run: Run) => Promise<void>;
}

export class RepeatedTask {
  readonly #options: RepeatedTaskOptions;
  #timer: Timer | undefined;
  /** When the next run is to begin; Infinity before the start. */
  #dueMs = Infinity;
  /** When the last one ended. */
  #endedMs = -Infinity;
  /** Of the run under way: how soon behind it the next one is wanted. */
  #wantedMs = Infinity;
  #running: Promise<void> | undefined;
  #isStopping = false;

  constructor(options: RepeatedTaskOptions) {
    this.#options = options;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  start(): void {
    this.#later(this.#options.firstMs);
  }

  /** Begins a run now, or joins the one under way. */
  runNow(): Promise<void> {
    if (this.#isStopping) return Promise.resolve();
    this.#timer?.cancel();
    this.#running ??= this.#options.run(this).finally(() => this.#onEnded());
    return this.#running;
  }

  /**
   * Brings the next run forward: it begins at once, but not within `gapMs` of the end of the last one.
   * However many ask meanwhile, it is one run. Before the start nobody is heard.
   */
  runSoon(gapMs: number): void {
    if (this.#running !== undefined) {
      this.#wantedMs = Math.min(this.#wantedMs, gapMs);
      return;
    }
    if (this.#timer === undefined) return;
    const now = this.#options.clock.monotonicMs();
    const dueMs = Math.max(now, this.#endedMs + gapMs);
    if (dueMs < this.#dueMs) this.#later(dueMs - now);
  }

  /** No run begins any more; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #onEnded(): void {
    const { clock, everyMs } = this.#options;
    const wantedMs = this.#wantedMs;
    this.#running = undefined;
    this.#wantedMs = Infinity;
    this.#endedMs = clock.monotonicMs();
    this.#later(Math.min(wantedMs, typeof everyMs === "number" ? everyMs : everyMs()));
  }

  #later(delayMs: number): void {
    if (this.#isStopping) return;
    this.#timer?.cancel();
    this.#dueMs = this.#options.clock.monotonicMs() + delayMs;
    this.#timer = this.#options.clock.after(delayMs, () => void this.runNow());
  }
}
