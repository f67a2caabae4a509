import { describe, expect, test } from "bun:test";
import { toMs } from "../../src/ground/numbers.ts";
import { type BegunRebalance, History, HISTORY_ENTRIES_MAX } from "../../src/group/history.ts";

function begun(generation: number, at = generation): BegunRebalance {
  return { atMs: toMs(at), generation, reason: "somebody came", memberCount: 1 };
}

describe("History", () => {
  test("has an open rebalance until it ends, and says how long it took", () => {
    const history = new History();
    expect(history.entries()).toEqual([]);
    expect(history.open()).toBeUndefined();
    history.begin(begun(1, 100));
    expect(history.open()?.durationMs).toBe(-1);
    history.amend({ memberCount: 2 });
    history.end(toMs(130), { generation: 2 });
    expect(history.open()).toBeUndefined();
    expect(history.entries()).toEqual([
      { atMs: toMs(100), generation: 2, reason: "somebody came", memberCount: 2, durationMs: 30 },
    ]);
  });

  test("does not take the end or the amendment of what is not open", () => {
    const history = new History();
    history.end(toMs(1));
    history.begin(begun(1));
    history.end(toMs(2));
    history.end(toMs(50));
    history.amend({ memberCount: 9 });
    expect(history.entries().map(({ durationMs, memberCount }) => [durationMs, memberCount]))
      .toEqual([[1, 1]]);
  });

  test("takes the time that is told, and never less than none", () => {
    const history = new History();
    history.begin(begun(1, 100));
    history.end(toMs(200), { durationMs: 7 });
    history.begin(begun(2, 300));
    history.end(toMs(250));
    expect(history.entries().map(({ durationMs }) => durationMs)).toEqual([7, 0]);
  });

  test("keeps the newest", () => {
    const history = new History();
    for (let generation = 1; generation <= HISTORY_ENTRIES_MAX + 5; generation++) {
      history.begin(begun(generation));
      history.end(toMs(generation));
    }
    expect(history.entries().length).toBe(HISTORY_ENTRIES_MAX);
    expect(history.entries()[0]?.generation).toBe(6);
    expect(history.entries().at(-1)?.generation).toBe(HISTORY_ENTRIES_MAX + 5);
  });
});
