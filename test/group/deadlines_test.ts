import { describe, expect, test } from "bun:test";
import { toMs } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { Deadlines } from "../../src/group/deadlines.ts";

describe("Deadlines", () => {
  test("gives the earliest first, and those of one time in the order in which they were set", () => {
    const deadlines = new Deadlines<string>();
    deadlines.set("late", toMs(30));
    deadlines.set("first", toMs(10));
    deadlines.set("second", toMs(10));
    deadlines.set("never", toMs(20));
    deadlines.set("never", undefined);
    deadlines.set("late", toMs(10));
    expect(deadlines.takeDue(toMs(9))).toBeUndefined();
    expect(deadlines.nextAt).toBe(toMs(10));
    const taken = Array.from({ length: 4 }, () => deadlines.takeDue(toMs(10)));
    expect(taken).toEqual(["first", "second", "late", undefined]);
    expect(deadlines.nextAt).toBeUndefined();
    expect(deadlines.count).toBe(0);
  });

  test("agrees with a list that is sorted anew every time", () => {
    const seed = Number(process.env["MQ_SEED"] ?? 1);
    console.info(`deadlines: MQ_SEED=${seed}`);
    const random = new Prng(seed);
    const deadlines = new Deadlines<number>();
    let model: { key: number; at: number }[] = [];
    for (let step = 0; step < 20_000; step++) {
      const key = random.below(50);
      const at = random.below(1000);
      const before = model.find((entry) => entry.key === key);
      const act = random.below(3);
      if (act === 0) {
        deadlines.set(key, undefined);
        model = model.filter((entry) => entry !== before);
      } else if (act === 1) {
        const due = model.filter((entry) => entry.at <= at);
        const [first] = due.sort((one, other) => one.at - other.at);
        const taken = deadlines.takeDue(toMs(at));
        expect(taken).toBe(first?.key);
        model = model.filter((entry) => entry !== first);
      } else if (before?.at !== at) {
        deadlines.set(key, toMs(at));
        model = [...model.filter((entry) => entry !== before), { key, at }];
      }
      expect(deadlines.count).toBe(model.length);
      const earliest = model.length === 0 ? undefined : Math.min(...model.map((entry) => entry.at));
      expect(deadlines.nextAt).toBe(earliest as ReturnType<typeof toMs> | undefined);
    }
  });
});
