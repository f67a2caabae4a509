import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";

function draws(prng: Prng, count = 100): number[] {
  return Array.from({ length: count }, () => prng.u32());
}

describe("Prng", () => {
  test("gives the same draws for a seed, for ever and on every runtime", () => {
    expect(draws(new Prng(41), 4)).toEqual([4157849073, 1537673390, 1779047116, 230631515]);
    expect(new Prng(0).u32()).toBe(1789933344);
    expect(draws(new Prng(7))).toEqual(draws(new Prng(7)));
  });

  test("gives other draws for another seed", () => {
    const first = new Set(draws(new Prng(1)));
    expect(draws(new Prng(2)).filter((draw) => first.has(draw))).toHaveLength(0);
  });

  test("a fork has a stream of its own", () => {
    const [one, other] = [new Prng(3), new Prng(3)];
    const [fork, same] = [one.fork(), other.fork()];
    draws(fork, 10);
    expect(draws(one)).toEqual(draws(other)); // draws of the fork do not reshuffle the rest
    expect(draws(fork)).toEqual(draws(same, 110).slice(10));
  });

  test("below() and between() stay inside their bounds and reach them", () => {
    const prng = new Prng(4);
    const seen = new Set<number>();
    const spread = new Set<number>();
    for (let round = 0; round < 2000; round++) {
      seen.add(prng.below(5));
      spread.add(prng.between(-2, 2));
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
    expect([...spread].sort((left, right) => left - right)).toEqual([-2, -1, 0, 1, 2]);
    expect(prng.below(1)).toBe(0);
    expect(prng.between(9, 9)).toBe(9);
  });

  test("is spread evenly enough", () => {
    const prng = new Prng(5);
    const buckets = new Array<number>(16).fill(0);
    for (let round = 0; round < 160_000; round++) {
      const bucket = prng.below(16);
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
    // Six standard deviations around 10,000.
    expect(Math.min(...buckets)).toBeGreaterThan(9_400);
    expect(Math.max(...buckets)).toBeLessThan(10_600);
  });

  test("bytes() and oneIn() draw as their names say", () => {
    const prng = new Prng(6);
    expect(prng.bytes(5)).toHaveLength(5);
    expect(new Set(prng.bytes(4000)).size).toBe(256);
    const hits = Array.from({ length: 4000 }, () => prng.oneIn(4)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(850);
    expect(hits).toBeLessThan(1150);
    expect(prng.oneIn(1)).toBeTrue();
  });
});
