/** Measures by how much timers come late: how long the event loop was busy with something else. */
import type { Clock, Timer } from "../env/clock.ts";
import type { Histogram } from "./metrics.ts";

/** Each look wakes the process: an idle node should sleep. */
const PERIOD_MS = 2000;

export class LoopDelay {
  readonly #clock: Clock;
  readonly #seconds: Histogram;
  #timer: Timer | undefined;

  constructor(clock: Clock, seconds: Histogram) {
    this.#clock = clock;
    this.#seconds = seconds;
  }

  start(): void {
    const dueMs = this.#clock.monotonicMs() + PERIOD_MS;
    this.#timer = this.#clock.after(PERIOD_MS, () => {
      this.#seconds.observe(Math.max(this.#clock.monotonicMs() - dueMs, 0) / 1000);
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
