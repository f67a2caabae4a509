import { describe, expect, test } from "bun:test";
import { FairTurns } from "../../../src/runtime/coordinator/fair_turns.ts";
import { ManualClock } from "../../client/manual_clock.ts";

const SPELL_MS = 10;

function burst(count: number, workMs: number): {
  readonly clock: ManualClock;
  readonly turns: FairTurns;
  readonly done: number[];
  readonly waits: readonly (number | Promise<number>)[];
} {
  const clock = new ManualClock();
  const turns = new FairTurns(clock);
  const done: number[] = [];
  const waits = Array.from({ length: count }, (_, at) =>
    turns.take(() => {
      clock.leap(workMs);
      return done.push(at);
    }));
  return { clock, turns, done, waits };
}

describe("FairTurns", () => {
  test("does a burst in pieces, in its order, and what comes later behind it", async () => {
    const { clock, turns, done, waits } = burst(20, 2);
    expect(done).toEqual([0, 1, 2, 3, 4]);
    expect(waits.filter((wait) => wait instanceof Promise).length).toBe(15);
    const late = turns.take(() => done.push(99));
    const seen: number[] = [];
    for (let round = 0; round < 10; round++) {
      // deno-lint-ignore no-await-in-loop -- one turn of the loop after the other
      await clock.advance(SPELL_MS);
      seen.push(done.length);
    }
    expect([...new Set(seen)]).toEqual([15, 20, 21]);
    expect(done).toEqual([...Array(20).keys(), 99]);
    expect(await Promise.all([...waits, late])).toEqual([...Array(21).keys()].map((at) => at + 1));
  });

  test("never lets wait who comes alone, however long it takes", () => {
    const { clock, turns } = burst(0, 0);
    for (let round = 0; round < 10; round++) {
      expect(turns.take(() => {
        clock.leap(100);
        return round;
      })).toBe(round);
      clock.leap(2);
    }
  });

  test("does all that waits at the end, or nothing of it", async () => {
    const ended = burst(20, 2);
    ended.turns.finish();
    expect(ended.done.length).toBe(20);
    await ended.clock.advance(10);
    expect(ended.done.length).toBe(20);
    const abandoned = burst(20, 2);
    abandoned.turns.abandon();
    await abandoned.clock.advance(10);
    expect(abandoned.done.length).toBe(5);
  });
});
