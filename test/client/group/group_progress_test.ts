import { describe, expect, test } from "bun:test";
import { newPosition } from "../../../src/client/fetch_position.ts";
import { GroupProgress, type Progress } from "../../../src/client/group/group_progress.ts";
import { Prng } from "../../../src/ground/prng.ts";

const A = { topic: "a", partition: 0 };
const SEED = Number(process.env["MQ_SEED"] ?? 77);

function begun(from: number, committed = from): { progress: GroupProgress; entry: Progress } {
  const progress = new GroupProgress();
  const entry = progress.add(A);
  progress.begin(entry, newPosition({ ...A, from }), committed);
  return { progress, entry };
}

/** As the fetcher and the reader do: hidden batches first, then one that is handed out. */
function hand(progress: GroupProgress, entry: Progress, hidden: number, visible: number): void {
  const { position } = entry;
  if (position === undefined) throw new Error("It has not begun");
  const from = position.readOffset;
  position.readOffset = from + hidden + visible;
  if (visible > 0) {
    progress.handOut(A, { offset: from + hidden, leaderEpoch: -1 }, position.readOffset);
  }
}

const offsets = (progress: GroupProgress): number[] =>
  progress.committable().map(({ offset }) => offset);

describe("GroupProgress", () => {
  test("offers what is done, and never what was only handed out", () => {
    const { progress, entry } = begun(10);
    expect(offsets(progress)).toEqual([]);
    hand(progress, entry, 0, 5);
    expect(offsets(progress)).toEqual([]);
    progress.finish(A, 12);
    expect(offsets(progress)).toEqual([12]);
    progress.finish(A, 99);
    expect(offsets(progress)).toEqual([15]);
    progress.finish(A, 11);
    expect(offsets(progress)).toEqual([15]);
  });

  test("passes over what nobody is handed, where all the rest is done", () => {
    const { progress, entry } = begun(0);
    hand(progress, entry, 0, 2);
    hand(progress, entry, 3, 0); // control batches at the end
    expect(offsets(progress)).toEqual([]);
    progress.finish(A, 2);
    expect(offsets(progress)).toEqual([5]);
    hand(progress, entry, 1, 1);
    expect(offsets(progress)).toEqual([6]); // up to the record that is in somebody's hands
  });

  test("offers the place where it began, where nothing is committed", () => {
    const { progress } = begun(7, -1);
    expect(offsets(progress)).toEqual([7]);
  });

  test("an end inside a batch is where it ends", () => {
    const progress = new GroupProgress();
    const entry = progress.add(A);
    progress.begin(entry, newPosition({ ...A, from: 0, until: 3 }), 0);
    (entry.position as { readOffset: number }).readOffset = 5;
    progress.handOut(A, { offset: 0, leaderEpoch: -1 }, 3);
    progress.finish(A, 3);
    expect(offsets(progress)).toEqual([3]);
  });

  test("a log that went back begins anew", () => {
    const { progress, entry } = begun(100);
    hand(progress, entry, 0, 10);
    progress.finish(A, 110);
    entry.committed = 110;
    (entry.position as { readOffset: number }).readOffset = 0;
    progress.move(A, 0);
    hand(progress, entry, 0, 4);
    expect(offsets(progress)).toEqual([0]);
    progress.finish(A, 4);
    expect(offsets(progress)).toEqual([4]);
  });

  test("a word about an earlier life is cut down to this one", () => {
    const { progress, entry } = begun(0);
    hand(progress, entry, 0, 50);
    progress.delete(entry);
    progress.finish(A, 50);
    const again = progress.add(A);
    progress.finish(A, 50); // it is not known yet where it begins
    progress.begin(again, newPosition({ ...A, from: 20 }), 20);
    progress.finish(A, 50);
    expect(offsets(progress)).toEqual([]);
    progress.delete(entry); // the earlier life does not end this one
    expect(progress.has(again)).toBeTrue();
  });

  test(`committed never passes done, done never what was handed out (seed ${SEED})`, () => {
    const random = new Prng(SEED);
    for (let round = 0; round < 200; round++) {
      const { progress, entry } = begun(0);
      let committed = 0;
      let told = 0;
      const hidden = new Set<number>();
      for (let step = 0; step < 60; step++) {
        const at = entry.position?.readOffset ?? 0;
        const count = random.below(3);
        if (random.oneIn(2)) {
          hand(progress, entry, count, 1 + random.below(4));
          for (let offset = at; offset < at + count; offset++) hidden.add(offset);
        } else {
          const next = random.below(at + 5);
          progress.finish(A, next);
          told = Math.max(told, Math.min(next, entry.handedOut));
        }
        for (const { offset } of progress.committable()) {
          expect(offset).toBeGreaterThan(committed - 1);
          for (let each = told; each < offset; each++) expect(hidden.has(each)).toBeTrue();
          committed = offset;
          entry.committed = offset;
        }
      }
    }
  });
});
