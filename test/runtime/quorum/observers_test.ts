import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import { Observers } from "../../../src/runtime/quorum/observers.ts";

/** Heard at a moment with what it has, of how much there was. */
function hear(observers: Observers, id: number, [nowMs, endOffset, logEnd]: number[]): void {
  const at = { endOffset: toOffset(endOffset as number), logEnd: toOffset(logEnd as number) };
  observers.heard({ id, directoryId: ZERO_UUID }, at, nowMs as number);
}

function caughtUpAt(observers: Observers): number | undefined {
  return observers.list(0)[0]?.lastCaughtUpMs;
}

describe("Observers", () => {
  test("one that has all there is has caught up now", () => {
    const observers = new Observers();
    hear(observers, 4, [10, 5, 9]);
    expect(caughtUpAt(observers)).toBe(-1);
    hear(observers, 4, [20, 9, 9]);
    expect(caughtUpAt(observers)).toBe(20);
  });

  test("one that has all there was when it was last heard had caught up then", () => {
    const observers = new Observers();
    hear(observers, 4, [10, 5, 9]);
    hear(observers, 4, [20, 9, 15]);
    expect(caughtUpAt(observers)).toBe(10);
    hear(observers, 4, [30, 14, 20]); // not all of 15
    expect(caughtUpAt(observers)).toBe(10);
    hear(observers, 4, [40, 21, 30]);
    expect(caughtUpAt(observers)).toBe(30);
  });

  test("forgets who is silent for long, and has a bound", () => {
    const observers = new Observers();
    hear(observers, 7, [0, 1, 1]);
    hear(observers, 4, [1000, 1, 1]);
    expect(observers.list(299_999).map(({ key }) => key.id)).toEqual([4, 7]);
    expect(observers.list(300_000).map(({ key }) => key.id)).toEqual([4]);
    for (let id = 1; id <= 2000; id++) hear(observers, id, [2000, 1, 1]);
    const ids = observers.list(2000).map(({ key }) => key.id);
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([1000, 1001, 2000]);
  });
});
