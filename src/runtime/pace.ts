/**
 * Holds background work to so many bytes in a second, measured over the work's whole life with at most
 * one second of saved-up allowance. Not here: yielding the event loop, which the reads of the disk do.
 */
import type { Clock } from "../env/clock.ts";

const SAVED_MS_MAX = 1000;

export class Pace {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  /** When all that was taken so far will have been earned. */
  #earnedMs: number;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#earnedMs = clock.monotonicMs();
  }

  /** Takes so many bytes; resolves when it is time to go on. */
  take(bytes: number): Promise<void> | undefined {
    const now = this.#clock.monotonicMs();
    this.#earnedMs = Math.max(this.#earnedMs, now - SAVED_MS_MAX) + bytes / this.#bytesPerMs;
    const waitMs = this.#earnedMs - now;
    if (waitMs <= 0) return undefined;
    return new Promise((resolve) => this.#clock.after(waitMs, resolve));
  }
}
