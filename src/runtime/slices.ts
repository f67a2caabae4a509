/**
 * Long work in slices, so that whoever else uses the event loop has a turn in between: heartbeats of the
 * quorum and of this broker are answered while ten thousand logs are made.
 *
 * One for all who do that work at the same time: together they take one slice, not each its own.
 */
import type { Clock } from "../env/clock.ts";

/** A tenth of the interval of heartbeats. */
const SLICE_MS = 10;
/** Who comes so long after a slice has ended begins one: others have had their turns. */
const IDLE_MS = 50;

export class Slices {
  readonly #clock: Clock;
  #endMs = -Infinity;
  #pause: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be awaited between two pieces of work; undefined while the slice has time left. */
  next(): Promise<void> | undefined {
    if (this.#pause !== undefined) return this.#pause;
    const now = this.#clock.monotonicMs();
    if (now >= this.#endMs + IDLE_MS) this.#endMs = now + SLICE_MS;
    if (now < this.#endMs) return undefined;
    return this.#pause = new Promise((resolve) => {
      this.#clock.after(0, () => {
        this.#pause = undefined;
        this.#endMs = this.#clock.monotonicMs() + SLICE_MS;
        resolve();
      });
    });
  }
}
