import { describe, expect, test } from "bun:test";
import { BatchWalk } from "../../src/record/batch_walk.ts";
import { batchOf, record } from "./batches.ts";

const batches = [0, 2, 3].map((baseOffset, index) =>
  batchOf(index === 0 ? [record("a"), record("b")] : [record("c".repeat(index * 50))], {
    baseOffset,
  })
);
const bytes = Uint8Array.from(batches.flatMap((batch) => [...batch]));

function offsetsOf(walk: BatchWalk): readonly number[] {
  const offsets: number[] = [];
  while (walk.next()) offsets.push(walk.batch.baseOffset());
  return offsets;
}

describe("BatchWalk", () => {
  test("next() comes to every batch and ends clean", () => {
    const walk = new BatchWalk(bytes);
    expect(offsetsOf(walk)).toEqual([0, 2, 3]);
    expect(walk.ending()).toBe("clean");
    expect(walk.wholeEnd()).toBe(bytes.length);
    expect(walk.next()).toBeFalse();
  });

  test("next() gives the whole batches of a range cut at any byte", () => {
    const ends: number[] = [];
    for (const batch of batches) ends.push((ends.at(-1) ?? 0) + batch.length);
    for (let end = 0; end <= bytes.length; end++) {
      const whole = ends.filter((each) => each <= end);
      const walk = new BatchWalk(bytes, 0, end);
      expect(offsetsOf(walk)).toHaveLength(whole.length);
      expect(walk.wholeEnd()).toBe(whole.at(-1) ?? 0);
      expect(walk.ending()).toBe(walk.wholeEnd() === end ? "clean" : "partial");
    }
  });

  test("next() begins where it is told", () => {
    const start = (batches[0] as Uint8Array).length;
    const walk = new BatchWalk(bytes, start);
    expect(offsetsOf(walk)).toEqual([2, 3]);
  });

  test("ending() is corrupt at a length that no batch has", () => {
    for (const length of [0, 48, -1, -0x80000000]) {
      const bent = bytes.slice();
      new DataView(bent.buffer).setInt32((batches[0] as Uint8Array).length + 8, length);
      const walk = new BatchWalk(bent);
      expect(offsetsOf(walk)).toEqual([0]);
      expect(walk.ending()).toBe("corrupt");
      expect(walk.next()).toBeFalse();
    }
  });

  test("ending() of nothing is clean", () => {
    const walk = new BatchWalk(new Uint8Array(0));
    expect(walk.next()).toBeFalse();
    expect(walk.ending()).toBe("clean");
  });
});
