/**
 * Which wall clock time to believe where something is deleted by its age.
 *
 * A wall clock that is set ten years ahead by mistake makes every segment ten years old; Kafka deletes
 * them all at its next check. Here a jump ahead is not believed at once. The monotonic clock tells how
 * much time has passed, so the old reckoning is carried on, and the new time is taken over when it has
 * stood steady for as long as it jumped, a day at most:
 *
 *     wall       ──────────┐ jumped by J       ┌──────── believed again after min(J, a day)
 *     believed   ──────────┴───────────────────┘
 *                          old time + monotonic progress
 *
 * A jump back is believed at once: it deletes nothing. A machine that slept has jumped as well (its
 * monotonic clock stood still), and what is due goes a little later. What this cannot see: a clock
 * that was wrong already when the process started, and one that stays wrong for a day.
 */

/** Corrections up to this are no jumps. */
export const CLOCK_STEP_MAX_MS = 60_000;
const DOUBT_MAX_MS = 24 * 3_600_000;

export interface ClockReading {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** What is known of the wall clock after a reading. */
export interface ClockTrust {
  /** The time to go by; never ahead of the wall clock. */
  readonly believedMs: number;
  /** Wall clock minus monotonic clock, as believed. */
  readonly offsetMs: number;
  /** A jump ahead that is not believed yet. */
  readonly doubt?: ClockDoubt | undefined;
}

export interface ClockDoubt {
  /** Wall clock minus monotonic clock, as it is since the jump. */
  readonly offsetMs: number;
  readonly jumpMs: number;
  /** When it will be believed, by the monotonic clock. */
  readonly untilMonotonicMs: number;
}

/** The first reading is believed: there is nothing to compare it with. */
export function trustClock(before: ClockTrust | undefined, now: ClockReading): ClockTrust {
  const offsetMs = now.wallMs - now.monotonicMs;
  const jumpMs = before === undefined ? 0 : offsetMs - before.offsetMs;
  if (before === undefined || jumpMs <= CLOCK_STEP_MAX_MS) {
    return { believedMs: now.wallMs, offsetMs };
  }
  const doubt = isSteady(before.doubt, offsetMs)
    ? before.doubt
    : { offsetMs, jumpMs, untilMonotonicMs: now.monotonicMs + Math.min(jumpMs, DOUBT_MAX_MS) };
  if (now.monotonicMs >= doubt.untilMonotonicMs) return { believedMs: now.wallMs, offsetMs };
  return { believedMs: now.monotonicMs + before.offsetMs, offsetMs: before.offsetMs, doubt };
}

/** Whether the clock has gone on from where it had jumped to. */
function isSteady(doubt: ClockDoubt | undefined, offsetMs: number): doubt is ClockDoubt {
  return doubt !== undefined && Math.abs(offsetMs - doubt.offsetMs) <= CLOCK_STEP_MAX_MS;
}
