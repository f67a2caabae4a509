import { describe, expect, test } from "bun:test";
import { Slices } from "../../src/runtime/slices.ts";
import { ManualClock } from "../client/manual_clock.ts";

describe("Slices", () => {
  test("let others have a turn when their time is over, all who work together", async () => {
    const clock = new ManualClock();
    const slices = new Slices(clock);
    expect(slices.next()).toBeUndefined();
    clock.leap(9);
    expect(slices.next()).toBeUndefined();
    clock.leap(1);
    let turns = 0;
    clock.after(0, () => turns++);
    const pauses = [slices.next(), slices.next()];
    expect(pauses[0]).toBeDefined();
    expect(pauses[1]).toBe(pauses[0] as Promise<void>);
    await clock.until(Promise.all(pauses));
    expect(turns).toBe(1);
    expect(slices.next()).toBeUndefined();
  });

  test("who comes after a while does not wait", () => {
    const clock = new ManualClock();
    const slices = new Slices(clock);
    slices.next();
    clock.leap(100);
    expect(slices.next()).toBeUndefined();
  });
});
