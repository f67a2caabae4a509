import { describe, expect, test } from "bun:test";
import { LazyRegexes } from "../../../src/runtime/coordinator/lazy_regexes.ts";
import { roughProgramSize } from "../../../src/runtime/coordinator/pattern_size.ts";

/** Every look at the clock takes so long. */
async function loaded(lookMs = 0): Promise<LazyRegexes> {
  let nowMs = 0;
  const regexes = new LazyRegexes({ monotonicMs: () => nowMs += lookMs });
  await regexes.load();
  return regexes;
}

describe("LazyRegexes", () => {
  test("says that nothing is a pattern before it is loaded, and loads once", async () => {
    const regexes = new LazyRegexes({ monotonicMs: () => 0 });
    expect(regexes.compile("a.*")).toBeUndefined();
    const loading = regexes.load();
    expect(regexes.load()).toBe(loading);
    await loading;
    expect(regexes.load()).toBeUndefined();
    const fits = regexes.compile("a.*");
    expect([fits?.("abc"), fits?.("bac")]).toEqual([true, false]); // the whole name
    expect(regexes.compile("(a")).toBeUndefined();
    expect(regexes.compile("(?=a)b")).toBeUndefined(); // not RE2's
  });

  test("makes the program of a pattern once for all who have it, and of many again", async () => {
    const { RE2JS } = await import("re2js");
    const compile = RE2JS.compile;
    let made = 0;
    RE2JS.compile = (...given: Parameters<typeof compile>): ReturnType<typeof compile> => {
      made++;
      return compile.apply(RE2JS, given);
    };
    try {
      const regexes = await loaded();
      for (let member = 0; member < 1000; member++) regexes.compile("orders-.*");
      for (let member = 0; member < 1000; member++) regexes.compile("[");
      expect(made).toBe(2);
      for (let other = 0; other < 31; other++) regexes.compile(`other-${other}`);
      made = 0;
      regexes.compile("other-0"); // used again, so it stays longer than its neighbours
      for (let other = 31; other < 62; other++) regexes.compile(`other-${other}`);
      expect(made).toBe(31);
      regexes.compile("other-0");
      expect(made).toBe(31);
      regexes.compile("other-1");
      expect(made).toBe(32);
    } finally {
      RE2JS.compile = compile;
    }
  });

  test("takes one for no pattern any more that is far slower than sensible ones", async () => {
    const regexes = await loaded(5);
    const fits = regexes.compile("a.*");
    const answers = Array.from({ length: 20 }, () => fits?.("abc"));
    expect(answers).toEqual([...Array(11).fill(true), ...Array(9).fill(false)]);
    expect(regexes.compile("a.*")).toBeUndefined();
  });

  test("lets one stay that is slow for once, or a little slow for many names", async () => {
    const stalled = await loaded(100_000);
    for (let round = 0; round < 10; round++) {
      const fits = stalled.compile("a.*"); // begins anew each time
      expect([1, 2, 3, 4].map(() => fits?.("abc"))).toEqual([true, true, true, true]);
    }
    const regexes = await loaded(0.009);
    const fits = regexes.compile("a.*");
    for (let name = 0; name < 100_000; name++) fits?.("abc");
    expect(regexes.compile("a.*")).toBeDefined();
  });
});

describe("roughProgramSize()", () => {
  test("is near what the engine makes of a pattern", async () => {
    const { RE2JS } = await import("re2js");
    const patterns = [
      "orders",
      "a|b|c",
      "(?:orders|mails)-[0-9]{1,3}",
      "a{1000}",
      "a{2,}",
      "(?:ab{10}){20}",
      "((a{10}){10}){10}",
      "\\pL{1000}",
      "\\p{Greek}{500}",
      "\\x{10FFFF}{7}",
      "[]\\]{9}]{300}",
      "[^]a]{300}",
      "\\{1000}",
    ];
    for (const pattern of patterns) {
      const exact = RE2JS.compile(pattern).programSize();
      const rough = roughProgramSize(pattern);
      expect([pattern, rough <= 2 * exact + 10, exact <= 2 * rough + 10])
        .toEqual([pattern, true, true]);
    }
  });

  test("has an answer for whatever is no pattern", () => {
    for (const text of ["", "{5}", "(((", ")))", "[", "\\", "\\p{", "a{", "a{1000}{1000}{1000}"]) {
      expect(roughProgramSize(text)).toBeGreaterThanOrEqual(0);
    }
  });
});
