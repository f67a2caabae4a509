/**
 * A pattern of 1,800 characters whose class reaches over all of Unicode again and again, without regard to
 * case, is a small program; but it took 800 ms to make it, each time a member came with another one.
 */
import { expect, test } from "bun:test";
import { LazyRegexes } from "../../src/runtime/coordinator/lazy_regexes.ts";

const UNREASONABLE = [
  `(?i)[${"\u0000-\uffff".repeat(600)}]`,
  `(?i)${"[!-\uffff]".repeat(300)}`,
  `(?i)(${"\\pL|".repeat(500)}x)`,
  `[${"\\PL".repeat(600)}]`,
  `(?i)[${"!-\\x{e000}".repeat(200)}]`,
];

test("a pattern that is wide a hundred times is refused before a program is made of it", async () => {
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
    for (const pattern of UNREASONABLE) expect(regexes.compile(pattern)).toBeUndefined();
    expect(made).toBe(0);
    expect(regexes.compile("(?i)größe-\\pL+[^\u0000-\u001f]*")?.("groesse")).toBeFalse();
    expect(made).toBe(1);
  } finally {
    RE2JS.compile = compile;
  }
});
