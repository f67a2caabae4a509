import { describe, expect, test } from "bun:test";
import { fetch } from "../../src/api/fetch.ts";
import { produce } from "../../src/api/produce.ts";
import { HANDLERS } from "../../src/broker/handlers.ts";
import { apiOf, apis, isFlexible, isServed } from "../../src/api/registry.ts";

describe("apis", () => {
  test("are in the order of their keys, each once, below mq's own keys", () => {
    const keys = apis.map(({ key }) => key);
    expect(keys).toEqual([...new Set(keys)].sort((left, right) => left - right));
    for (const key of keys) expect(key).toBeLessThan(0x4000);
  });

  test("have a handler each, in the same order", () => {
    expect(HANDLERS.map(({ api }) => api)).toEqual([...apis]);
  });

  test("apiOf() finds each by its key and nothing else", () => {
    for (const api of apis) expect(apiOf(api.key)).toBe(api);
    expect(apiOf(4)).toBeUndefined();
    expect(apiOf(-1)).toBeUndefined();
  });

  test("only Produce is advertised wider than it is served", () => {
    const wider = apis.filter(({ advertised }) => advertised !== undefined);
    expect(wider.map(({ name }) => name)).toEqual(["Produce"]);
    expect(produce.advertised).toEqual([0, 11]);
  });

  test("isServed() and isFlexible() hold at the borders", () => {
    expect([2, 3, 11, 12].map((version) => isServed(produce, version)))
      .toEqual([false, true, true, false]);
    expect([11, 12, 99].map((version) => isFlexible(fetch, version))).toEqual([false, true, true]);
  });
});
