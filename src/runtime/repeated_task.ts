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
  readonly everyMs: number;
  /** Must not reject: whoever works in the background knows what to do about its faults. */
  readonly run: (run: Run) => Promise<void>;
}

export class RepeatedTask {
  readonly #options: RepeatedTaskOptions;
  #timer: Timer | undefined;
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
    this.#running ??= this.#options.run(this).finally(() => {
      this.#running = undefined;
      this.#later(this.#options.everyMs);
    });
    return this.#running;
  }

  /** No run begins any more; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #later(delayMs: number): void {
    if (this.#isStopping) return;
    this.#timer = this.#options.clock.after(delayMs, () => void this.runNow());
  }
}
