/** A clock that stands still until a test moves it, and a way to run a program on it. */
import type { Clock, Timer } from "../../src/env/clock.ts";
import { type Ms, toMs } from "../../src/ground/numbers.ts";

interface Entry {
  readonly atMs: number;
  readonly action: () => void;
}

/** Turns of the microtask queue after which nothing is left to happen without a timer. */
const TURNS = 200;
/** Settles without a timer after which a promise will not be settled any more. */
const IDLE_MAX = 1000;

export class ManualClock implements Clock {
  #nowMs = 1000;
  #wallOffsetMs = 1_700_000_000_000;
  readonly #entries = new Set<Entry>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): Ms {
    return toMs(Math.floor(this.#wallOffsetMs + this.#nowMs));
  }

  /** Sets the wall clock forward, or back; the monotonic one does not notice. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Time that passes at once: what was due in it happens late, with the next step. */
  leap(byMs: number): void {
    this.#nowMs += byMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const entry = { atMs: this.#nowMs + Math.max(delayMs, 0), action };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry) };
  }

  /** Timers that are set. */
  get timerCount(): number {
    return this.#entries.size;
  }

  /** Lets happen what needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
  }

  /** Lets so much time pass, timer by timer. */
  async advance(delayMs: number): Promise<void> {
    const endMs = this.#nowMs + delayMs;
    await this.settle();
    while ((this.#next()?.atMs ?? Infinity) <= endMs) await this.#fire();
    this.#nowMs = endMs;
  }

  /** Lets as much time pass as the promise needs; fails where no amount of time would do. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const watched = promise.finally(() => isSettled = true);
    watched.catch(() => undefined); // the caller hears of it below
    await this.settle();
    for (let idle = 0; !isSettled;) {
      if (this.#next() !== undefined) await this.#fire();
      else if (idle++ === IDLE_MAX) {
        throw new Error("Cannot go on: nothing is left to wait for");
      } else await this.settle(); // long work that needs no time
    }
    return await watched;
  }

  async #fire(): Promise<void> {
    const entry = this.#next() as Entry;
    this.#entries.delete(entry);
    this.#nowMs = Math.max(this.#nowMs, entry.atMs);
    entry.action();
    await this.settle();
  }

  #next(): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.#entries) {
      if (next === undefined || entry.atMs < next.atMs) next = entry;
    }
    return next;
  }
}
