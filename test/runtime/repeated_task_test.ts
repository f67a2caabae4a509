import { describe, expect, test } from "bun:test";
import { RepeatedTask } from "../../src/runtime/repeated_task.ts";
import { ManualClock } from "../client/manual_clock.ts";

const EVERY_MS = 60_000;
const GAP_MS = 1000;

/** A task whose runs take `lastsMs`; when each began, counted from now. */
function start(lastsMs = 0, everyMs: number | (() => number) = EVERY_MS): {
  clock: ManualClock;
  task: RepeatedTask;
  begun: readonly number[];
} {
  const clock = new ManualClock();
  const nowMs = clock.monotonicMs();
  const begun: number[] = [];
  const task = new RepeatedTask({
    clock,
    firstMs: EVERY_MS,
    everyMs,
    run: async () => {
      begun.push(clock.monotonicMs() - nowMs);
      if (lastsMs > 0) await new Promise<void>((resolve) => clock.after(lastsMs, resolve));
    },
  });
  return { clock, task, begun };
}

describe("RepeatedTask", () => {
  test("runSoon() begins a run at once, and the pause counts from there", async () => {
    const { clock, task, begun } = start();
    task.start();
    await clock.advance(10_000);
    task.runSoon(GAP_MS);
    await clock.advance(EVERY_MS + 5000);
    expect(begun).toEqual([10_000, 70_000]);
  });

  test("runSoon() many times is one run at once and one behind the gap", async () => {
    const { clock, task, begun } = start();
    task.start();
    for (let count = 0; count < 30; count++) {
      task.runSoon(GAP_MS);
      await clock.advance(100);
    }
    await clock.advance(EVERY_MS - 2000);
    expect(begun).toEqual([0, 1000, 2000, 3000]);
  });

  test("runSoon() during a run has another one behind it: that one may have passed what is new", async () => {
    const { clock, task, begun } = start(5000);
    task.start();
    task.runSoon(GAP_MS);
    await clock.advance(1);
    task.runSoon(GAP_MS);
    task.runSoon(GAP_MS);
    await clock.advance(EVERY_MS);
    expect(begun).toEqual([0, 6000]);
  });

  test("runSoon() is not heard before the start, nor after the stop", async () => {
    const { clock, task, begun } = start();
    task.runSoon(GAP_MS);
    await clock.advance(10_000);
    expect(begun).toEqual([]);
    task.start();
    await task.stop();
    task.runSoon(GAP_MS);
    await clock.advance(2 * EVERY_MS);
    expect(begun).toEqual([]);
  });

  test("a pause may be asked for anew behind each run", async () => {
    let pauseMs = 5000;
    const { clock, task, begun } = start(0, () => pauseMs);
    task.start();
    await clock.advance(EVERY_MS + 10_000);
    pauseMs = 100_000;
    await clock.advance(5000);
    pauseMs = 1;
    await clock.advance(50_000);
    expect(begun).toEqual([60_000, 65_000, 70_000, 75_000]);
  });
});
