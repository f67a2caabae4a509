import { describe, expect, test } from "bun:test";
import { type Tail, TailCache } from "../../../src/log/reading/tail_cache.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { seedOf } from "../log_fixture.ts";

const OVERHEAD = 160;

function offsets(tail: Tail, to: number): number[] {
  return Array.from({ length: to }, (_, offset) => offset).filter((offset) =>
    tail.indexOf(offset) >= 0
  );
}

describe("TailCache", () => {
  test("drops the oldest batch of all tails first", () => {
    const cache = new TailCache({ bytesMax: 3 * (100 + OVERHEAD) });
    const [first, second] = [cache.open(), cache.open()];
    first.add(0, 0, 0, new Uint8Array(100));
    second.add(0, 0, 0, new Uint8Array(100));
    first.add(1, 1, 100, new Uint8Array(100));
    second.add(1, 1, 100, new Uint8Array(100));
    expect(offsets(first, 4)).toEqual([1]);
    expect(offsets(second, 4)).toEqual([0, 1]);
    first.add(2, 2, 200, new Uint8Array(100));
    expect(offsets(second, 4)).toEqual([1]);
    expect(cache.bytes).toBe(3 * (100 + OVERHEAD));
  });

  test("keeps a copy of a small batch, and of a large one only where it lies", () => {
    const cache = new TailCache({ bytesMax: 1 << 20 });
    const tail = cache.open();
    const buffer = new Uint8Array(100_000).fill(7);
    tail.add(0, 0, 0, buffer.subarray(5000, 5100));
    tail.add(1, 1, 100, buffer.subarray(0, 90_000));
    buffer.fill(0); // it stays the caller's
    const small = tail.at(tail.indexOf(0));
    expect(small?.bytes).toEqual(new Uint8Array(100).fill(7));
    expect(small?.bytes?.buffer.byteLength).toBe(100);
    const large = tail.at(tail.indexOf(1));
    expect(large?.bytes).toBeUndefined();
    expect([large?.position, large?.sizeInBytes]).toEqual([100, 90_000]);
    expect(cache.bytes).toBe(100 + 2 * OVERHEAD);
  });

  test("finds the batch that holds an offset or comes behind a gap", () => {
    const tail = new TailCache({ bytesMax: 1 << 20 }).open();
    tail.add(5, 9, 0, new Uint8Array(1));
    tail.add(20, 29, 1, new Uint8Array(1));
    const found = [4, 5, 9, 10, 20, 29, 30].map((offset) =>
      tail.at(tail.indexOf(offset))?.baseOffset
    );
    expect(found).toEqual([undefined, 5, 5, 20, 20, 20, undefined]);
  });

  test("stays within its bound over any adding and clearing", () => {
    const random = new Prng(seedOf("TailCache stays within its bound"));
    const bytesMax = 5000;
    const cache = new TailCache({ bytesMax });
    const tails = [cache.open(), cache.open(), cache.open()];
    const ends = [0, 0, 0];
    const cleared = [0, 0, 0];
    for (let step = 0; step < 20_000; step++) {
      const which = random.below(3);
      const tail = tails[which] as Tail;
      const end = ends[which] as number;
      if (random.below(50) === 0) {
        tail.clear();
        cleared[which] = end;
      } else {
        tail.add(end, end, 0, new Uint8Array(random.below(400)));
        ends[which] = end + 1;
      }
      expect(cache.bytes).toBeLessThanOrEqual(bytesMax);
      for (let index = 0; index < 3; index++) {
        // What is kept is the newest, without a hole, and nothing from before the clearing.
        const last = ends[index] as number;
        let kept = last;
        while (kept > 0 && (tails[index] as Tail).indexOf(kept - 1) >= 0) kept--;
        expect(kept).toBeGreaterThanOrEqual(cleared[index] as number);
        if (kept > 0) expect((tails[index] as Tail).indexOf(kept - 1)).toBe(-1);
      }
    }
  });
});
