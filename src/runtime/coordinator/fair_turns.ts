/**
 * Work that comes in a burst is done in pieces, in its order: a thousand members that join at the same
 * moment are a second of work, and whoever else wants something of this process, a produced record say,
 * must not wait behind all of it.
 *
 *     at once ── 10 ms without a break ──► the rest waits until the event loop has been round
 *
 * Only work that follows work without a break is counted, so that who comes alone never waits.
 */
import type { Clock, Timer } from "../../env/clock.ts";

const SPELL_MS = 10;
/** Where nothing was done here for so long, others had their turn. */
const BREAK_MS = 1;

export class FairTurns {
  readonly #clock: Pick<Clock, "monotonicMs" | "after">;
  readonly #waiting: (() => void)[] = [];
  #timer: Timer | undefined;
  #beganMs = -Infinity;
  #endedMs = -Infinity;

  constructor(clock: Pick<Clock, "monotonicMs" | "after">) {
    this.#clock = clock;
  }

  /** Does it at once, or behind all who wait. */
  take<Result>(work: () => Result | Promise<Result>): Result | Promise<Result> {
    if (this.#waiting.length === 0 && !this.#isOver()) return this.#measured(work);
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(this.#measured(work)));
      this.#goOnLater();
    });
  }

  /** All that waits, now. */
  finish(): void {
    for (const work of this.#waiting.splice(0)) work();
  }

  /** Nothing of what waits is done. */
  abandon(): void {
    this.#timer?.cancel();
    this.#waiting.length = 0;
  }

  #isOver(): boolean {
    if (this.#clock.monotonicMs() - this.#endedMs > BREAK_MS) this.#beganMs = Infinity;
    return this.#endedMs - this.#beganMs >= SPELL_MS;
  }

  #measured<Result>(work: () => Result): Result {
    this.#beganMs = Math.min(this.#beganMs, this.#clock.monotonicMs());
    const result = work();
    this.#endedMs = this.#clock.monotonicMs();
    return result;
  }

  #goOnLater(): void {
    this.#timer ??= this.#clock.after(0, () => {
      this.#timer = undefined;
      this.#beganMs = Infinity; // others have had their turn
      while (this.#waiting.length > 0 && this.#endedMs - this.#beganMs < SPELL_MS) {
        this.#waiting.shift()?.();
      }
      if (this.#waiting.length > 0) this.#goOnLater();
    });
  }
}
