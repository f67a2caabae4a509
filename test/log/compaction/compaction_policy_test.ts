import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import {
  type Candidate,
  dirtOf,
  dirtySegments,
  filthiestOf,
  firstDirtyOffset,
  firstUncleanableOffset,
  isDue,
  type SegmentRange,
} from "../../../src/log/compaction/compaction_policy.ts";
import { groupSegments } from "../../../src/log/compaction/segment_groups.ts";

/** Segments of these sizes with a hundred offsets each; the last one is active. */
function segments(...sizes: readonly number[]): SegmentRange[] {
  return sizes.map((sizeInBytes, index) => ({
    baseOffset: toOffset(index * 100),
    nextOffset: toOffset(index * 100 + 100),
    sizeInBytes,
    isActive: index === sizes.length - 1,
  }));
}

function candidate(
  ratio: number,
  more: { isOverdue?: boolean; bytes?: number } = {},
): Candidate {
  const dirt = { ratio, cleanableBytes: more.bytes ?? 1 };
  return { dirt, minCleanableDirtyRatio: 0.5, isOverdue: more.isOverdue ?? false };
}

describe("firstDirtyOffset()", () => {
  const log = { logStartOffset: toOffset(10), logEndOffset: toOffset(50) };
  for (
    const [checkpoint, expected] of [[0, 10], [9, 10], [10, 10], [50, 50], [51, 10]] as const
  ) {
    test(`with a checkpoint of ${checkpoint} is ${expected}`, () => {
      expect(firstDirtyOffset(log, toOffset(checkpoint)) as number).toBe(expected);
    });
  }
});

describe("firstUncleanableOffset()", () => {
  const all = segments(10, 10, 10, 10);
  test("is the active segment where nothing else bounds it", () => {
    expect(firstUncleanableOffset(all, [undefined]) as number).toBe(300);
    expect(firstUncleanableOffset(all, [toOffset(400)]) as number).toBe(300);
  });

  test("is the segment that holds the lowest bound", () => {
    const bounds = [toOffset(250), undefined, toOffset(399)];
    expect(firstUncleanableOffset(all, bounds) as number).toBe(200);
    expect(firstUncleanableOffset(all, [toOffset(200)]) as number).toBe(200);
    expect(firstUncleanableOffset(all, [toOffset(199)]) as number).toBe(100);
    expect(firstUncleanableOffset(all, [toOffset(0)]) as number).toBe(0);
  });
});

describe("dirtOf()", () => {
  test("counts a segment that is clean in part on both sides", () => {
    const range = { firstDirty: toOffset(150), firstUncleanable: toOffset(300) };
    const dirt = dirtOf(segments(10, 20, 30, 40), range);
    expect(dirt.cleanableBytes).toBe(50);
    expect(dirt.ratio).toBe(50 / 80);
  });

  test("is nothing where all before the bound is clean", () => {
    const range = { firstDirty: toOffset(300), firstUncleanable: toOffset(300) };
    expect(dirtOf(segments(10, 20, 30, 40), range)).toEqual({ cleanableBytes: 0, ratio: 0 });
  });

  test("dirtySegments() leaves out the active one", () => {
    const dirty = dirtySegments(segments(1, 2, 3), toOffset(100));
    expect(dirty.map(({ sizeInBytes }) => sizeInBytes)).toEqual([2]);
  });
});

describe("filthiestOf()", () => {
  test("takes the greatest ratio above the least that is asked for", () => {
    const [half, more, most] = [candidate(0.5), candidate(0.6), candidate(0.9)];
    expect(filthiestOf([half, more, most, more])).toBe(most);
    expect(filthiestOf([half])).toBeUndefined();
    expect(filthiestOf([])).toBeUndefined();
  });

  test("takes what is overdue whatever its ratio, if there is something to clean", () => {
    expect(isDue(candidate(0.1, { isOverdue: true }))).toBeTrue();
    expect(isDue(candidate(0, { isOverdue: true, bytes: 0 }))).toBeFalse();
    expect(isDue(candidate(0.9, { bytes: 0 }))).toBeFalse();
  });
});

describe("groupSegments()", () => {
  const limits = { segmentBytes: 100, segmentIndexBytes: 50 };
  function groupsOf(
    sizes: readonly number[],
    more: { indexBytes?: number; timeIndexBytes?: number; offsets?: number } = {},
  ): number[][] {
    const offsets = more.offsets ?? 100;
    const all = sizes.map((sizeInBytes, index) => ({
      baseOffset: toOffset(index * offsets),
      nextOffset: toOffset((index + 1) * offsets),
      sizeInBytes,
      offsetIndexBytes: more.indexBytes ?? 0,
      timeIndexBytes: more.timeIndexBytes ?? 0,
    }));
    return groupSegments(all, limits).map((group) => group.map((each) => each.sizeInBytes));
  }

  test("joins neighbours up to the size of a segment", () => {
    expect(groupsOf([60, 40, 1, 99, 100, 5])).toEqual([[60, 40], [1, 99], [100], [5]]);
    expect(groupsOf([200, 1])).toEqual([[200], [1]]);
    expect(groupsOf([])).toEqual([]);
  });

  test("joins up to the size of either index", () => {
    expect(groupsOf([1, 1, 1], { indexBytes: 20 })).toEqual([[1, 1], [1]]);
    expect(groupsOf([1, 1, 1], { timeIndexBytes: 20 })).toEqual([[1, 1], [1]]);
  });

  test("joins only what an index can tell from the first base", () => {
    expect(groupsOf([1, 1, 1], { offsets: 2 ** 30 })).toEqual([[1, 1], [1]]);
    expect(groupsOf([1, 1, 0, 0], { offsets: 2 ** 30 })).toEqual([[1, 1], [0, 0]]);
    expect(groupsOf([1, 1], { offsets: 2 ** 32 })).toEqual([[1], [1]]);
  });
});
