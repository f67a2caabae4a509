/** Holds the small `expect` and the hooks to Bun's answers: this file runs under both. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";

class Refusal extends Error {}

function refuse(): never {
  throw new Refusal("Cannot append: it is full");
}

/** Whether the expectation made by `claim` failed. */
function fails(claim: () => void): boolean {
  try {
    claim();
    return false;
  } catch {
    return true;
  }
}

describe("expect()", () => {
  test("toBe tells 0 from -0 and knows NaN", () => {
    expect(NaN).toBe(NaN);
    expect(fails(() => expect(0).toBe(-0))).toBe(true);
    expect(fails(() => expect({}).toBe({}))).toBe(true);
  });

  test("toEqual compares content", () => {
    expect({ a: [1, { b: "x" }], c: undefined }).toEqual({ a: [1, { b: "x" }] });
    expect(new Map([["a", [1]]])).toEqual(new Map([["a", [1]]]));
    expect(Uint8Array.of(1, 2)).toEqual(Uint8Array.of(1, 2));
    expect(fails(() => expect(Uint8Array.of(1, 2)).toEqual(Uint8Array.of(1, 3)))).toBe(true);
    expect(fails(() => expect([1]).toEqual([1, 2]))).toBe(true);
    expect(fails(() => expect({ a: 1 }).toEqual({ a: 1, b: 2 }))).toBe(true);
    expect(fails(() => expect(new Set([1])).toEqual(new Set([2])))).toBe(true);
    expect(fails(() => expect(new Map([["a", 1]])).toEqual(new Map([["b", 1]])))).toBe(true);
  });

  test("each matcher can say no", () => {
    expect(fails(() => expect(1).toBeUndefined())).toBe(true);
    expect(fails(() => expect(undefined).toBeDefined())).toBe(true);
    expect(fails(() => expect(undefined).toBeNull())).toBe(true);
    expect(fails(() => expect(1).toBeTrue())).toBe(true);
    expect(fails(() => expect(0).toBeFalse())).toBe(true);
    expect(fails(() => expect(1).toBeGreaterThan(1))).toBe(true);
    expect(fails(() => expect(1).toBeGreaterThanOrEqual(2))).toBe(true);
    expect(fails(() => expect(1).toBeLessThan(1))).toBe(true);
    expect(fails(() => expect(2).toBeLessThanOrEqual(1))).toBe(true);
    expect(fails(() => expect([1]).toContain(2))).toBe(true);
    expect(fails(() => expect("abc").toMatch(/d/))).toBe(true);
    expect(fails(() => expect("abc").toHaveLength(2))).toBe(true);
    expect(fails(() => expect("abc").toBeInstanceOf(Refusal))).toBe(true);
  });

  test("not turns each answer round", () => {
    expect(1).not.toBe(2);
    expect([1]).not.toContain(2);
    expect(() => 1).not.toThrow();
    expect(fails(() => expect(1).not.toBe(1))).toBe(true);
    expect(fails(() => expect(refuse).not.toThrow())).toBe(true);
  });

  test("toThrow takes nothing, a text, a pattern or a class", () => {
    expect(refuse).toThrow();
    expect(refuse).toThrow("is full");
    expect(refuse).toThrow(/^Cannot/);
    expect(refuse).toThrow(Refusal);
    expect(fails(() => expect(() => 1).toThrow())).toBe(true);
    expect(fails(() => expect(refuse).toThrow("is empty"))).toBe(true);
    expect(fails(() => expect(refuse).toThrow(TypeError))).toBe(true);
  });

  test("rejects and resolves wait for the promise", async () => {
    await expect(Promise.reject(new Refusal("no"))).rejects.toThrow("no");
    await expect(Promise.resolve(4)).resolves.toBe(4);
    expect(await hasFailed(() => expect(Promise.resolve(4)).resolves.toBe(5))).toBe(true);
    expect(await hasFailed(() => expect(Promise.resolve(4)).rejects.toThrow())).toBe(true);
  });
});

/** Whether the expectation failed, at once (Bun, of a settled promise) or when it was waited for. */
async function hasFailed(claim: () => void | Promise<void>): Promise<boolean> {
  try {
    await claim();
    return false;
  } catch {
    return true;
  }
}

describe("hooks", () => {
  const seen: string[] = [];
  beforeAll(() => void seen.push("all"));
  beforeEach(() => void seen.push("each"));
  afterEach(() => void seen.push("after"));
  afterAll(() => {
    expect(seen).toEqual(["all", "each", "1", "after", "each", "inner", "2", "after"]);
  });

  test("run around a test", () => {
    seen.push("1");
    expect(seen).toEqual(["all", "each", "1"]);
  });

  describe("of an inner group", () => {
    beforeEach(() => void seen.push("inner"));
    test("run inside those of the outer", () => {
      seen.push("2");
      expect(seen).toEqual(["all", "each", "1", "after", "each", "inner", "2"]);
    });
  });
});
