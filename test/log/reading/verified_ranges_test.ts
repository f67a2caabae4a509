import { describe, expect, test } from "bun:test";
import { Prng } from "../../../src/ground/prng.ts";
import { VerifiedRanges } from "../../../src/log/reading/verified_ranges.ts";
import { seedOf } from "../log_fixture.ts";

const SIZE = 60;

describe("VerifiedRanges", () => {
  test("never says more than was noted, and keeps few ranges", () => {
    const random = new Prng(seedOf("VerifiedRanges"));
    for (let round = 0; round < 300; round++) {
      const ranges = new VerifiedRanges();
      /** When each byte was noted last. */
      const noted = new Array<number>(SIZE).fill(-1);
      for (let now = 1; now < 40; now++) {
        const start = random.below(SIZE);
        const end = start + random.below(SIZE - start + 1);
        ranges.note(start, end, now);
        noted.fill(now, start, end);
        expect(ranges.count).toBeLessThanOrEqual(8);
        const isRoomy = ranges.count < 8; // beyond that the newest may take its neighbour's time
        if (end > start && isRoomy) {
          expect(ranges.coveredTo(start, now)).toBeGreaterThanOrEqual(end);
        }
        const from = random.below(SIZE);
        const since = random.below(now + 1);
        const to = ranges.coveredTo(from, since);
        const isTrue = noted.slice(from, to).every((at) => at >= since);
        expect([from, to, since, isTrue]).toEqual([from, to, since, true]);
      }
    }
  });

  test("appends grow into one range, whose older half is forgotten first", () => {
    const ranges = new VerifiedRanges();
    for (let at = 0; at < 1000; at++) ranges.note(at * 10, at * 10 + 10, at < 500 ? 1 : 2);
    expect(ranges.count).toBe(2);
    expect(ranges.coveredTo(0, 1)).toBe(10_000);
    expect(ranges.coveredTo(0, 2)).toBe(0);
    expect(ranges.coveredTo(5000, 2)).toBe(10_000);
    ranges.clear();
    expect(ranges.coveredTo(5000, 0)).toBe(5000);
  });
});
