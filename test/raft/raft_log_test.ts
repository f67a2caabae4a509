/**
 * Raft §5.3: the log as positions.
 */
import { describe, expect, test } from "bun:test";
import type { Entry } from "../../src/raft/entry.ts";
import { RaftLog } from "../../src/raft/raft_log.ts";
import { offset, voters } from "./cluster.ts";

function entry(baseOffset: number, nextOffset: number, term: number): Entry {
  return { baseOffset: offset(baseOffset), nextOffset: offset(nextOffset), term, byteLength: 10 };
}

/** Batches end at 3, 4 (term 1), 9 (term 2), 10, 12 (term 5). */
function log(): RaftLog {
  const made = new RaftLog({ offset: offset(0), term: 0 }, voters(1), false);
  for (const each of [entry(0, 3, 1), entry(3, 4, 1), entry(4, 9, 2), entry(9, 10, 5)]) {
    made.append(each);
  }
  made.append({ ...entry(10, 12, 5), configuration: voters(1, 2) });
  return made;
}

describe("Raft §5.3: RaftLog", () => {
  test("termAt() knows the ends of batches and nothing between", () => {
    const terms = Array.from({ length: 14 }, (_, position) => log().termAt(position));
    expect(terms).toEqual(
      [
        0,
        undefined,
        undefined,
        1,
        1,
        undefined,
        undefined,
        undefined,
        undefined,
        2,
        5,
        undefined,
        5,
        undefined,
      ],
    );
  });

  test("lastPositionWithin() is the last end that fits, by a look at every one", () => {
    const made = log();
    const ends = [[0, 0], [3, 1], [4, 1], [9, 2], [10, 5], [12, 5]] as const;
    for (let at = 0; at <= 13; at++) {
      for (let term = 0; term <= 6; term++) {
        const expected = ends.filter(([end, of]) => end <= at && of <= term).at(-1);
        const found = made.lastPositionWithin(at, term);
        expect([found?.offset as number, found?.term]).toEqual([...(expected ?? [])]);
      }
    }
  });

  test("slice() keeps to the bytes, but gives one entry at least", () => {
    const ends = (from: number, bytesMax: number): readonly number[] =>
      log().slice(offset(from), bytesMax).map((each) => each.nextOffset);
    expect(ends(0, 25)).toEqual([3, 4]);
    expect(ends(3, 1)).toEqual([4]);
    expect(ends(12, 100)).toEqual([]);
  });

  test("truncateTo() takes configurations out of force, and not in the middle of a batch", () => {
    const made = log();
    expect(made.configuration.voters).toHaveLength(2);
    made.truncateTo(offset(10));
    expect(made.configuration.voters).toHaveLength(1);
    expect(made.isConfigurationRecorded).toBe(false);
    expect(() => made.truncateTo(offset(6))).toThrow("between two batches");
    made.truncateTo(offset(0));
    expect(made.endOffset).toBe(offset(0));
    expect(made.lastTerm).toBe(0);
  });

  test("compactTo() keeps what rules, and positions from there on", () => {
    const made = log();
    made.compactTo({ offset: offset(9), term: 2 });
    expect(made.termAt(9)).toBe(2);
    expect(made.termAt(4)).toBeUndefined();
    expect(made.configurationAt(10).voters).toHaveLength(1);
    expect(made.lastPositionWithin(8, 9)).toBeUndefined();
    expect(made.lastPositionWithin(11, 2)?.offset).toBe(offset(9));
    made.compactTo({ offset: offset(12), term: 5 });
    expect(made.configuration.voters).toHaveLength(2);
    expect(made.isConfigurationRecorded).toBe(true);
    expect(made.entries).toHaveLength(0);
  });

  test("append() refuses holes and falling terms", () => {
    expect(() => log().append(entry(13, 14, 5))).toThrow("begins where the log ends");
    expect(() => log().append(entry(12, 13, 4))).toThrow("never fall");
    expect(() => log().append(entry(12, 12, 5))).toThrow("at least one record");
  });
});
