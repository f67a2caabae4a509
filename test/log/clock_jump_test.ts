import { describe, expect, test } from "bun:test";
import { CLOCK_STEP_MAX_MS, type ClockTrust, trustClock } from "../../src/log/clock_jump.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const NOON_MS = 1_800_000_000_000;

/** A wall clock and a monotonic one, read as retention does. */
class Clocks {
  trust: ClockTrust;
  #monotonicMs = 5;
  #wallOffsetMs = NOON_MS;

  constructor() {
    this.trust = trustClock(undefined, this.#reading());
  }

  #reading(): { wallMs: number; monotonicMs: number } {
    return { wallMs: this.#wallOffsetMs + this.#monotonicMs, monotonicMs: this.#monotonicMs };
  }

  jump(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Lets time pass, reads once, and gives what is believed, since noon of the true time. */
  after(passedMs: number): number {
    this.#monotonicMs += passedMs;
    this.trust = trustClock(this.trust, this.#reading());
    return this.trust.believedMs - NOON_MS - 5;
  }

  /** Reads every five minutes for so long. */
  afterReading(passedMs: number): number {
    let believed = 0;
    for (let left = passedMs; left > 0; left -= 300_000) believed = this.after(300_000);
    return believed;
  }
}

describe("trustClock()", () => {
  test("goes by a wall clock that keeps pace", () => {
    const clocks = new Clocks();
    expect(clocks.after(HOUR_MS)).toBe(HOUR_MS);
    expect(clocks.after(10 * YEAR_MS)).toBe(10 * YEAR_MS + HOUR_MS);
    expect(clocks.trust.doubt).toBeUndefined();
  });

  test("takes a small correction as it is, a larger one not at once", () => {
    const clocks = new Clocks();
    clocks.jump(CLOCK_STEP_MAX_MS);
    expect(clocks.after(1000)).toBe(1000 + CLOCK_STEP_MAX_MS);
    clocks.jump(CLOCK_STEP_MAX_MS + 1);
    expect(clocks.after(1000)).toBe(2000 + CLOCK_STEP_MAX_MS);
    expect(clocks.trust.doubt?.jumpMs).toBe(CLOCK_STEP_MAX_MS + 1);
  });

  test("a jump of ten years ahead is believed after a day, and time goes on till then", () => {
    const clocks = new Clocks();
    clocks.jump(10 * YEAR_MS);
    expect(clocks.after(1000)).toBe(1000);
    expect(clocks.afterReading(DAY_MS - 300_000)).toBe(1000 + DAY_MS - 300_000);
    expect(clocks.after(300_000)).toBe(10 * YEAR_MS + DAY_MS + 1000);
    expect(clocks.trust.doubt).toBeUndefined();
  });

  test("a jump of two hours is believed after two hours", () => {
    const clocks = new Clocks();
    clocks.jump(2 * HOUR_MS);
    clocks.after(0);
    expect(clocks.after(2 * HOUR_MS - 1)).toBe(2 * HOUR_MS - 1);
    expect(clocks.after(1)).toBe(4 * HOUR_MS);
  });

  test("a clock that is put right again was never believed", () => {
    const clocks = new Clocks();
    clocks.jump(10 * YEAR_MS);
    clocks.afterReading(23 * HOUR_MS);
    clocks.jump(-10 * YEAR_MS);
    expect(clocks.after(300_000)).toBe(23 * HOUR_MS + 300_000);
    expect(clocks.trust.doubt).toBeUndefined();
    expect(clocks.afterReading(2 * DAY_MS)).toBe(23 * HOUR_MS + 300_000 + 2 * DAY_MS);
  });

  test("a clock that jumps on and on is not believed until it stands", () => {
    const clocks = new Clocks();
    for (let day = 0; day < 5; day++) {
      clocks.jump(YEAR_MS);
      clocks.afterReading(20 * HOUR_MS);
    }
    expect(clocks.after(0)).toBe(100 * HOUR_MS);
    // The last jump was noticed five minutes late.
    expect(clocks.afterReading(4 * HOUR_MS)).toBe(104 * HOUR_MS);
    expect(clocks.after(300_000)).toBe(104 * HOUR_MS + 300_000 + 5 * YEAR_MS);
  });

  test("a jump back is believed at once", () => {
    const clocks = new Clocks();
    clocks.jump(-10 * YEAR_MS);
    expect(clocks.after(1000)).toBe(1000 - 10 * YEAR_MS);
  });

  test("never is ahead of the wall clock", () => {
    const clocks = new Clocks();
    let wallMs = 0;
    for (const jumpMs of [YEAR_MS, -YEAR_MS, 5, -DAY_MS, DAY_MS, -3 * YEAR_MS, YEAR_MS]) {
      clocks.jump(jumpMs);
      wallMs += jumpMs + HOUR_MS;
      expect(clocks.after(HOUR_MS)).toBeLessThanOrEqual(wallMs);
    }
  });
});
