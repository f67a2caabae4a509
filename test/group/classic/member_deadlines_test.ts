import { describe, expect, test } from "bun:test";
import process from "node:process";
import { type Ms, toMs } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { MemberDeadlines, type Watched } from "../../../src/group/classic/member_deadlines.ts";

interface Named extends Watched {
  readonly name: number;
}

function watched(name: number): Named {
  return { name, deadline: undefined, entryAt: undefined };
}

describe("MemberDeadlines", () => {
  test("takeDue() gives each one once, when its latest deadline has come", () => {
    const deadlines = new MemberDeadlines<Named>();
    const [one, other] = [watched(1), watched(2)];
    deadlines.set(one, toMs(10));
    deadlines.set(other, toMs(20));
    deadlines.set(one, toMs(30)); // it was heard of
    expect(deadlines.takeDue(toMs(19))).toBeUndefined();
    expect(deadlines.takeDue(toMs(25))).toBe(other);
    expect(deadlines.takeDue(toMs(25))).toBeUndefined();
    expect(deadlines.next()).toBe(toMs(30));
    expect(deadlines.takeDue(toMs(30))).toBe(one);
    expect(deadlines.next()).toBeUndefined();
  });

  test("set() may bring a deadline forward", () => {
    const deadlines = new MemberDeadlines<Named>();
    const one = watched(1);
    deadlines.set(one, toMs(300_000));
    deadlines.set(one, toMs(10));
    expect(deadlines.next()).toBe(toMs(10));
    expect(deadlines.takeDue(toMs(10))).toBe(one);
    expect(deadlines.takeDue(toMs(300_000))).toBeUndefined();
  });

  test("clear() leaves nothing that would wake anybody", () => {
    const deadlines = new MemberDeadlines<Named>();
    const [one, other] = [watched(1), watched(2)];
    deadlines.set(one, toMs(10));
    deadlines.set(other, toMs(20));
    deadlines.clear(one);
    expect(deadlines.next()).toBe(toMs(20));
    deadlines.clear(other);
    expect(deadlines.next()).toBeUndefined();
    expect(deadlines.takeDue(toMs(100))).toBeUndefined();
  });

  test("it agrees with a plain list through thousands of random steps", () => {
    const seed = Number(process.env["MQ_SEED"] ?? 7);
    console.log(`seed ${seed}`);
    const random = new Prng(seed);
    const deadlines = new MemberDeadlines<Named>();
    const all = Array.from({ length: 300 }, (_, name) => watched(name));
    const due = new Map<Named, Ms>();
    let now = toMs(0);
    for (let step = 0; step < 20_000; step++) {
      const one = all[random.below(all.length)] as Named;
      if (random.oneIn(5)) {
        due.delete(one);
        deadlines.clear(one);
      } else {
        const at = toMs(now + random.between(1, 1000));
        due.set(one, at);
        deadlines.set(one, at);
      }
      now = toMs(now + random.below(10));
      const taken = new Set<Named>();
      for (let next = deadlines.takeDue(now); next !== undefined; next = deadlines.takeDue(now)) {
        taken.add(next);
      }
      const expected = new Set([...due].filter(([, at]) => at <= now).map(([named]) => named));
      if (step % 50 === 0 || expected.size !== taken.size) expect(taken).toEqual(expected);
      for (const named of expected) due.delete(named);
      const first = Math.min(...due.values());
      if ((deadlines.next() ?? Infinity) > first) throw new Error(`${first} is not woken for`);
    }
  });
});
