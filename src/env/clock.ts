/** Time as a value: two clocks and the only timer. The simulator has its own. */
import type { Ms } from "../ground/numbers.ts";

export interface Clock {
  /** Milliseconds since some fixed point, with a fraction; never goes back. For durations. */
  monotonicMs(): number;
  /** Milliseconds since 1970, whole; may jump. For timestamps and retention, nothing else. */
  wallMs(): Ms;
  /** Calls `action` once, `delayMs` from now. A timer does not keep the program alive. */
  after(delayMs: number, action: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}
