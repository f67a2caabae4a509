/**
 * The time that groups live by: near the wall clock, but it neither leaps nor goes back with it.
 *
 * Sessions are measured by it, so a wall clock that is set an hour ahead must not end all of them at
 * once; and times of commits are told by it, so it must not go its own way for ever. It runs with the
 * monotonic clock and follows the wall clock by at most one part in a hundred: small corrections are
 * followed at once, a leap of an hour within four days, and no session is longer or shorter by more
 * than that hundredth. A restart begins at the wall clock.
 */
import type { Clock } from "../../env/clock.ts";
import { type Ms, toMs } from "../../ground/numbers.ts";

const SLEW = 0.01;

export class SteadyClock {
  readonly #clock: Clock;
  #atMs: number;
  #nowMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#atMs = clock.monotonicMs();
    this.#nowMs = clock.wallMs();
  }

  now(): Ms {
    const atMs = this.#clock.monotonicMs();
    const passedMs = atMs - this.#atMs;
    const straight = this.#nowMs + passedMs;
    const behindMs = this.#clock.wallMs() - straight;
    const mostMs = passedMs * SLEW;
    this.#atMs = atMs;
    this.#nowMs = straight + Math.min(Math.max(behindMs, -mostMs), mostMs);
    return toMs(this.#nowMs);
  }
}
