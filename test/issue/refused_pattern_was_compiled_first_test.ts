/**
 * A pattern that stands for three hundred thousand characters was made a program of before it was
 * refused, which took 150 ms each time a member came with it.
 */
import { expect, test } from "bun:test";
import { LazyRegexes } from "../../src/runtime/coordinator/lazy_regexes.ts";

test("a pattern that stands for too much is refused before a program is made of it", async () => {
  const { RE2JS } = await import("re2js");
  const compile = RE2JS.compile;
  const regexes = new LazyRegexes({ monotonicMs: () => 0 });
  await regexes.load();
  let made = 0;
  RE2JS.compile = (...given: Parameters<typeof compile>): ReturnType<typeof compile> => {
    made++;
    return compile.apply(RE2JS, given);
  };
  try {
    for (
      const pattern of ["a{1000}".repeat(290), "(((a{10}){10}){10})".repeat(100), "a".repeat(3000)]
    ) {
      expect(regexes.compile(pattern)).toBeUndefined();
    }
    expect(made).toBe(0);
  } finally {
    RE2JS.compile = compile;
  }
});
