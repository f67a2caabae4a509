import { describe, expect, test } from "bun:test";
import { fetch } from "../../src/api/fetch.ts";
import { negotiate } from "../../src/wire/negotiate.ts";

describe("negotiate()", () => {
  const served = (minVersion: number, maxVersion: number): number | undefined =>
    negotiate(fetch, { minVersion, maxVersion }); // fetch is served 4 to 17

  test("takes the highest version that both have", () => {
    expect(served(0, 12)).toBe(12);
    expect(served(4, 18)).toBe(17);
    expect(served(0, 4)).toBe(4);
    expect(served(17, 30)).toBe(17);
  });

  test("gives nothing where none is common, or the broker lacks the API", () => {
    expect(served(0, 3)).toBeUndefined();
    expect(served(18, 20)).toBeUndefined();
    expect(served(3, 2)).toBeUndefined();
    expect(negotiate(fetch, undefined)).toBeUndefined();
  });
});
