import { describe, expect, test } from "bun:test";
import { editDistance, nearestName } from "../../src/ground/nearest.ts";

describe("editDistance()", () => {
  test("counts insertions, removals, replacements and swaps of neighbours", () => {
    const distances = [
      ["", "", 0],
      ["topic", "topic", 0],
      ["topic", "topics", 1],
      ["topic", "opic", 1],
      ["topic", "tobic", 1],
      ["topic", "tpoic", 1],
      ["kitten", "sitting", 3],
      ["", "abc", 3],
    ] as const;
    for (const [one, other, distance] of distances) {
      expect([one, other, editDistance(one, other)]).toEqual([one, other, distance]);
      expect(editDistance(other, one)).toBe(distance);
    }
  });

  test("gives up at the bound where the lengths alone are that far apart", () => {
    expect(editDistance("a", "abcdef", 3)).toBe(3);
  });
});

describe("nearestName()", () => {
  const names = ["produce", "consume", "topic", "broker"];

  test("finds what was probably meant, whatever its case", () => {
    expect(nearestName("prodcue", names)).toBe("produce");
    expect(nearestName("TOPICS", names)).toBe("topic");
    expect(nearestName("konsum", names)).toBe("consume");
  });

  test("takes the first of equally near names", () => {
    expect(nearestName("cat", ["bat", "rat"])).toBe("bat");
  });

  test("says nothing where none is near, or nothing was said", () => {
    for (const asked of ["zookeeper", "x", "", "xy"]) {
      expect(nearestName(asked, names)).toBeUndefined();
    }
    expect(nearestName("topic", [])).toBeUndefined();
  });
});
