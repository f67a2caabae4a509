/**
 * A pattern of some ten characters that repeats a class of letters a thousand times was judged for half
 * a second for each name of a topic.
 */
import { expect, test } from "bun:test";
import { LazyRegexes } from "../../src/runtime/coordinator/lazy_regexes.ts";

test("a pattern that would take too long to judge by is none", async () => {
  const regexes = new LazyRegexes({ monotonicMs: () => 0 });
  await regexes.load();
  expect(regexes.compile("\\pL{1000}".repeat(10))).toBeUndefined();
  expect(regexes.compile("t".repeat(2048))?.("t".repeat(2048))).toBeTrue();
  expect(regexes.compile("(a+)+b")?.("a".repeat(249))).toBeFalse();
});
