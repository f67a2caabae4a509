import { describe, expect, test } from "bun:test";
import { SystemClock } from "../../src/host/clock.ts";

describe("SystemClock", () => {
  test("after() is never early, also where the delay has a fraction", async () => {
    const clock = new SystemClock();
    const early: number[] = [];
    const keepsAlive = setInterval(() => undefined, 1000); // a timer of the clock does not
    await Promise.all(Array.from({ length: 40 }, (_, at) => {
      const delayMs = 1 + at * 0.37;
      const dueMs = clock.monotonicMs() + delayMs;
      return new Promise<void>((resolve) =>
        clock.after(delayMs, () => {
          // The runtime's own clock of timers is a little coarser than this one.
          if (clock.monotonicMs() < dueMs - 0.05) early.push(delayMs);
          resolve();
        })
      );
    }));
    clearInterval(keepsAlive);
    expect(early).toEqual([]);
  });
});
