/** The system's clocks and timers. */
import type { Clock, Timer } from "../env/clock.ts";
import { type Ms, toMs } from "../ground/numbers.ts";

const DELAY_MS_MAX = 0x7fff_ffff; // what a timer of the runtime can hold

export class SystemClock implements Clock {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): Ms {
    return toMs(Date.now());
  }

  after(delayMs: number, action: () => void): Timer {
    // The runtime cuts fractions off, and whoever is called early has to wait once more.
    const wholeMs = Math.min(Math.max(Math.ceil(delayMs), 0), DELAY_MS_MAX);
    const id: unknown = setTimeout(action, wholeMs);
    if (typeof id === "object" && id !== null && "unref" in id) (id as { unref(): void }).unref();
    return { cancel: () => clearTimeout(id as number) };
  }
}
