import { describe, expect, test } from "bun:test";
import { includesVersion } from "../../src/wire/version_range.ts";

describe("includesVersion()", () => {
  const versions = [0, 1, 2, 3, 4, 40];
  const inside = (range: string | undefined): number[] =>
    versions.filter((version) => includesVersion(range, version));

  test("knows single versions, closed and open ranges, and none", () => {
    expect(inside("3")).toEqual([3]);
    expect(inside("1-3")).toEqual([1, 2, 3]);
    expect(inside("2+")).toEqual([2, 3, 4, 40]);
    expect(inside("none")).toEqual([]);
    expect(inside(undefined)).toEqual([]);
  });

  test("refuses a range that nobody could mean", () => {
    for (const range of ["", "1..3", "+", "-1", "1-", "a"]) {
      expect(() => includesVersion(range, 1)).toThrow("well-formed");
    }
  });
});
