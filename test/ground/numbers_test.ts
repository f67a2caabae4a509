import { describe, expect, test } from "bun:test";
import { assert, AssertionFailure, unreachable } from "../../src/ground/assert.ts";
import {
  toBrokerId,
  toLeaderEpoch,
  toMs,
  toOffset,
  toProducerId,
} from "../../src/ground/numbers.ts";

describe("branded numbers", () => {
  test("are the safe integers they are made of", () => {
    for (const make of [toOffset, toMs, toLeaderEpoch, toProducerId, toBrokerId]) {
      for (const value of [0, -1, Number.MAX_SAFE_INTEGER]) expect(Number(make(value))).toBe(value);
      for (const value of [2 ** 53, NaN, Infinity]) {
        expect(() => make(value)).toThrow("safe integer");
      }
    }
  });

  test("toMs() cuts a fraction off, the others refuse it", () => {
    expect(Number(toMs(1.9))).toBe(1);
    expect(() => toOffset(1.5)).toThrow("offset 1.5 is a safe integer");
  });
});

describe("assert()", () => {
  test("says what was relied on", () => {
    assert(true, "nothing");
    let thrown: unknown;
    try {
      assert(false, "the log grows");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AssertionFailure);
    expect(String(thrown)).toBe("AssertionFailure: Assertion failed: the log grows");
  });

  test("unreachable() names the value", () => {
    expect(() => unreachable("x" as never)).toThrow("unreachable value x");
  });
});
