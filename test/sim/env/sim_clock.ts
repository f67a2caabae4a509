/**
 * A process's two clocks and its timers.
 *
 * The monotonic clock of a machine runs a little too fast or too slow for its whole life; the wall clock
 * runs with it and jumps. A timer is never early, has a resolution of a millisecond as that of the
 * runtimes, and is a little late.
 */
import type { Clock, Timer } from "../../../src/env/clock.ts";
import { type Ms, toMs } from "../../../src/ground/numbers.ts";
import type { Prng } from "../../../src/ground/prng.ts";
import type { Life } from "../life.ts";
import type { Scheduler } from "../scheduler.ts";

/** Of a machine: it outlives its processes. */
export interface MachineClock {
  /** Seconds of this clock in a second of the world. */
  rate: number;
  /** What it showed when the world began. */
  offsetMs: number;
  wallOffsetMs: number;
}

const US_PER_MS = 1000;
const DELAY_MS_MAX = 0x7fff_ffff;

/** In one event. */
const READS_MAX = 1_000_000;

export interface SimClockOptions {
  readonly scheduler: Scheduler;
  readonly life: Life;
  readonly machine: MachineClock;
  readonly chance: Prng;
  readonly lateUsMax: number;
}

export class SimClock implements Clock {
  readonly #options: SimClockOptions;

  constructor(options: SimClockOptions) {
    this.#options = options;
  }

  monotonicMs(): number {
    const { scheduler, machine } = this.#options;
    if (++scheduler.clockReads > READS_MAX) throw new Error("Goes on for ever: time stands still");
    return machine.offsetMs + scheduler.nowUs / US_PER_MS * machine.rate;
  }

  wallMs(): Ms {
    return toMs(Math.floor(this.monotonicMs() + this.#options.machine.wallOffsetMs));
  }

  after(delayMs: number, action: () => void): Timer {
    const { scheduler, life, machine, chance, lateUsMax } = this.#options;
    if (!life.isAlive) return { cancel: () => undefined };
    const delayUs = Math.min(Math.max(delayMs, 1), DELAY_MS_MAX) * US_PER_MS / machine.rate;
    const lateUs = lateUsMax === 0 ? 0 : chance.below(lateUsMax);
    // Up, so that the clock has moved by at least as much when it fires.
    const event = scheduler.after(
      Math.ceil(delayUs) + 1 + lateUs,
      { life, label: "timer" },
      action,
    );
    return {
      cancel: () => scheduler.cancel(event),
    };
  }
}
