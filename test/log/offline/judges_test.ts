import { describe, expect, test } from "bun:test";
import { EpochCheck } from "../../../src/log/offline/epoch_check.ts";
import {
  entrySpan,
  OffsetIndexCheck,
  TimeIndexCheck,
} from "../../../src/log/offline/index_files.ts";
import { type BatchFacts, OffsetJudge } from "../../../src/log/offline/offset_judge.ts";

function facts(baseOffset: number, lastOffset = baseOffset + 9): BatchFacts {
  const position = baseOffset * 10;
  return { position, sizeInBytes: 100, baseOffset, lastOffset, maxTimestamp: 1, leaderEpoch: 0 };
}

function judge(batches: readonly BatchFacts[], limit = Infinity): Record<string, number[]> {
  const found = { kept: [] as number[], rejected: [] as number[] };
  const offsets = new OffsetJudge(0, limit, {
    onKept: (batch) => void found.kept.push(batch.baseOffset),
    onRejected: (batch) => void found.rejected.push(batch.baseOffset),
  });
  for (const batch of batches) offsets.push(batch);
  offsets.finish();
  return found;
}

describe("OffsetJudge", () => {
  test("keeps what goes up, gaps among it", () => {
    expect(judge([facts(0), facts(10), facts(50)])).toEqual({ kept: [0, 10, 50], rejected: [] });
  });

  test("rejects the one that jumped ahead, where its successor fits without it", () => {
    expect(judge([facts(0), facts(74, 83), facts(20)])).toEqual({ kept: [0, 20], rejected: [74] });
  });

  test("rejects the one that fell back", () => {
    expect(judge([facts(0), facts(10), facts(4), facts(20)]))
      .toEqual({ kept: [0, 10, 20], rejected: [4] });
  });

  test("rejects what reaches into the next segment", () => {
    expect(judge([facts(0), facts(95)], 100)).toEqual({ kept: [0], rejected: [95] });
  });
});

function epochs(values: readonly number[]): EpochCheck {
  const check = new EpochCheck();
  for (const [index, leaderEpoch] of values.entries()) {
    const batch = { position: index, baseOffset: index, lastOffset: index, leaderEpoch };
    check.onBatch(batch, "x.log");
  }
  return check;
}

describe("EpochCheck", () => {
  const wrongOf = (values: readonly number[], file?: readonly number[]): readonly unknown[] => {
    const epochFor = file && ((offset: number): number | undefined => file[offset]);
    const { wrong, fileFlaw } = epochs(values).verdict(epochFor, { from: 0, until: Infinity });
    return [
      wrong.map(({ batch, expected }) => [batch.baseOffset, expected]),
      fileFlaw === undefined,
    ];
  };

  test("finds the batch whose epoch fits nothing", () => {
    expect(wrongOf([0, 0, 8, 0, 1])).toEqual([[[2, 0]], true]);
    expect(wrongOf([1, 1, 0, 1])).toEqual([[[2, 1]], true]);
    expect(wrongOf([0, -5, 0])).toEqual([[[1, 0]], true]);
    expect(wrongOf([0, 0, 1, 1, 2])).toEqual([[], true]);
  });

  test("believes a file that agrees with all others, and takes what should be there from it", () => {
    expect(wrongOf([0, 0, 9], [0, 0, 0])).toEqual([[[2, 0]], true]);
    expect(wrongOf([0, 0, 9, 1, 1], [0, 0, 1, 1, 1])).toEqual([[[2, 1]], true]);
  });

  test("does not believe a file that disagrees with many", () => {
    expect(wrongOf([0, 0, 1, 1], [5, 5, 5, 5])).toEqual([[], false]);
  });

  test("does not hold what lies below the log's start to the file, which has forgotten it", () => {
    const trimmed = (file: readonly (number | undefined)[], from: number): readonly unknown[] => {
      const span = { from, until: Infinity };
      const { wrong, fileFlaw } = epochs([0, 0, 1, 1]).verdict((offset) => file[offset], span);
      return [wrong, fileFlaw === undefined];
    };
    const not = undefined;
    expect(trimmed([not, 0, 1, 1], 1)).toEqual([[], true]);
    expect(trimmed([not, not, not, 1], 3)).toEqual([[], true]);
    expect(trimmed([not, not, not, not], 4)).toEqual([[], true]);
    expect(trimmed([not, not, not, 7], 3)).toEqual([[], false]);
  });

  test("does not hold what was never durable to the file", () => {
    const { wrong } = epochs([0, 0, 1]).verdict(() => 0, { from: 0, until: 2 });
    expect(wrong).toEqual([]);
  });
});

function offsetIndex(entries: readonly (readonly [number, number])[], zeros = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(entries.length * 8 + zeros));
  for (const [index, [offset, position]] of entries.entries()) {
    view.setInt32(index * 8, offset);
    view.setInt32(index * 8 + 4, position);
  }
  return new Uint8Array(view.buffer);
}

function timeIndex(entries: readonly (readonly [number, number])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(entries.length * 12));
  for (const [index, [timestamp, offset]] of entries.entries()) {
    view.setInt32(index * 12 + 4, timestamp);
    view.setInt32(index * 12 + 8, offset);
  }
  return new Uint8Array(view.buffer);
}

/** Three batches of ten offsets and 100 bytes each, at times 5, 9, 7. */
const PLACES = [[0, 9, 5], [100, 19, 9], [200, 29, 7]].map(([position = 0, last = 0, time = 0]) => {
  return { position, lastOffset: 1000 + last, maxTimestamp: time };
});

describe("index checks", () => {
  const offsetFlaw = (bytes: Uint8Array, isGrowing = false): string | undefined => {
    const check = new OffsetIndexCheck(bytes, 1000);
    for (const place of PLACES) check.onBatch(place);
    return check.finish(isGrowing)?.reason;
  };
  const timeFlaw = (bytes: Uint8Array, isSealed = true): string | undefined => {
    const check = new TimeIndexCheck(bytes, 1000);
    for (const place of PLACES) check.onBatch(place);
    return check.finish(isSealed, false)?.reason;
  };

  test("entrySpan() takes Kafka's preallocated zeros for none", () => {
    const bytes = offsetIndex([[9, 100], [256, 512]], 80);
    expect(entrySpan(bytes, 8)).toEqual({ count: 2, zeroBytes: 80, oddBytes: 0 });
    expect(entrySpan(bytes.slice(0, 13), 8)).toEqual({ count: 1, zeroBytes: 0, oddBytes: 5 });
    expect(entrySpan(new Uint8Array(0), 8).count).toBe(0);
  });

  test("an offset index is sound with a batch's last offset, or the last of several (a follower's)", () => {
    expect(offsetFlaw(offsetIndex([[19, 100], [29, 200]]))).toBeUndefined();
    expect(offsetFlaw(offsetIndex([[29, 100]], 400))).toBeUndefined();
  });

  test("an offset index that leads astray has a flaw", () => {
    expect(offsetFlaw(offsetIndex([[19, 101]]))).toMatch(/inside a batch/);
    expect(offsetFlaw(offsetIndex([[9, 100]]))).toMatch(/where offsets from 1010 on lie/);
    expect(offsetFlaw(offsetIndex([[19, 100], [39, 300]]))).toMatch(/no batch begins/);
    expect(offsetFlaw(offsetIndex([[19, 100], [39, 300]]), true)).toBeUndefined();
    expect(offsetFlaw(offsetIndex([[500, 200]]))).toMatch(/the segment ends with offset 1029/);
  });

  test("a time index is as late as what lies before its offsets, and ends with the latest", () => {
    expect(timeFlaw(timeIndex([[5, 9], [9, 19]]))).toBeUndefined();
    expect(timeFlaw(timeIndex([[5, 9]]))).toMatch(/latest time is 5, and the segment's 9/);
    expect(timeFlaw(timeIndex([[5, 9]]), false)).toBeUndefined();
    expect(timeFlaw(timeIndex([[4, 15], [9, 19]]))).toMatch(/there is time 5 before/);
    expect(timeFlaw(timeIndex([[8, 9], [9, 19]]))).toMatch(/nothing up to there is later than 5/);
    expect(timeFlaw(timeIndex([[9, 19], [5, 29]]))).toMatch(/the entry before has time 9/);
  });
});
