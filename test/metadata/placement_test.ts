import fc from "fast-check";
import process from "node:process";
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { type PlacedBroker, ReplicaPlacer } from "../../src/metadata/placement.ts";

const SEED = Number(process.env["MQ_SEED"] ?? 20261125);

function brokers(count: number, rackOf: (index: number) => string | null): readonly PlacedBroker[] {
  return Array.from({ length: count }, (_, index) => ({
    brokerId: index + 1,
    rack: rackOf(index),
    isActive: true,
  }));
}

function placed(
  all: readonly PlacedBroker[],
  partitionCount: number,
  replicationFactor: number,
  start = 0,
): readonly (readonly number[])[] {
  const replicas = new ReplicaPlacer(all, start).place(partitionCount, replicationFactor);
  if ("errorCode" in replicas) throw new Error(replicas.errorMessage);
  return replicas;
}

function spread(counts: Iterable<number>): number {
  const all = [...counts];
  return Math.max(...all) - Math.min(...all);
}

function countsOf(ids: readonly number[], among: readonly PlacedBroker[]): readonly number[] {
  return among.map(({ brokerId }) => ids.filter((id) => id === brokerId).length);
}

const broker = fc.record({
  rack: fc.constantFrom(null, "a", "b", "c"),
  isActive: fc.nat(3).map((chance) => chance > 0),
});
/** Brokers of which one at least is active, and as many replicas as can be had. */
const wanted = fc.array(broker, { minLength: 1, maxLength: 9 })
  .map((list) => list.map((one, index) => ({ ...one, brokerId: index * 3 + 1 })))
  .filter((list) => list.some(({ isActive }) => isActive))
  .chain((list) =>
    fc.record({
      all: fc.shuffledSubarray(list, { minLength: list.length }),
      replicationFactor: fc.integer({ min: 1, max: list.length }),
      partitionCount: fc.integer({ min: 1, max: 40 }),
      start: fc.nat(100),
    })
  );

describe("ReplicaPlacer", () => {
  test("goes round the brokers, one further in each round", () => {
    expect(placed(brokers(2, () => null), 2, 2)).toEqual([[1, 2], [2, 1]]);
    expect(placed(brokers(4, () => null), 8, 2)).toEqual([
      ...[[1, 2], [2, 3], [3, 4], [4, 1]],
      ...[[1, 3], [2, 4], [3, 1], [4, 2]],
    ]);
    expect(placed(brokers(3, () => null), 3, 1, 2)).toEqual([[3], [1], [2]]);
  });

  test("spreads every partition over racks, and leaders over brokers", () => {
    fc.assert(
      fc.property(wanted, ({ all, replicationFactor, partitionCount, start }) => {
        const partitions = placed(all, partitionCount, replicationFactor, start);
        expect(partitions).toHaveLength(partitionCount);
        const active = all.filter(({ isActive }) => isActive);
        const byId = new Map(all.map((one) => [one.brokerId, one]));
        for (const replicas of partitions) {
          expect(new Set(replicas).size).toBe(replicationFactor);
          const members = replicas.map((id) => byId.get(id) as PlacedBroker);
          expect(members[0]?.isActive).toBe(true);
          // Those that are not active only where there are no more of the others.
          const activeCount = members.filter(({ isActive }) => isActive).length;
          expect(activeCount).toBe(Math.min(replicationFactor, active.length));
          // As many racks as active brokers can give, where only they are used.
          if (replicationFactor > active.length) continue;
          const racks = new Set(active.map(({ rack }) => rack)).size;
          expect(new Set(members.map(({ rack }) => rack)).size)
            .toBe(Math.min(racks, replicationFactor));
        }
        const leaders = partitions.map(([leader]) => leader as number);
        expect(spread(countsOf(leaders, active))).toBeLessThanOrEqual(1);
      }),
      { seed: SEED, numRuns: 400 },
    );
    console.info(`placement: MQ_SEED=${SEED}`);
  });

  test("gives brokers of racks of equal size equal loads, and the work of one to many", () => {
    const sizes = fc.record({
      rackCount: fc.integer({ min: 1, max: 4 }),
      rackSize: fc.integer({ min: 1, max: 3 }),
      replicationFactor: fc.integer({ min: 1, max: 4 }),
      rounds: fc.integer({ min: 1, max: 12 }),
      start: fc.nat(20),
    });
    fc.assert(
      fc.property(sizes, ({ rackCount, rackSize, replicationFactor, rounds, start }) => {
        const count = rackCount * rackSize;
        fc.pre(replicationFactor <= count);
        const all = brokers(count, (index) => `rack ${index % rackCount}`);
        const partitions = placed(all, rounds * count, replicationFactor, start);
        expect(spread(countsOf(partitions.flat(), all))).toBeLessThanOrEqual(2);
        if (replicationFactor !== 2 || rackCount === 1) return;
        // Of the partitions that one broker leads, no other follows more than its share and one.
        for (const { brokerId } of all) {
          const followers = partitions.flatMap(([leader, follower]) =>
            leader === brokerId ? [follower as number] : []
          );
          const most = Math.max(...countsOf(followers, all));
          expect(most).toBeLessThanOrEqual(Math.ceil(rounds / (count - rackSize)) + 1);
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test("goes on where it was, whatever was refused between", () => {
    const placer = new ReplicaPlacer(brokers(3, () => null), 0);
    expect(placer.place(2, 1)).toEqual([[1], [2]]);
    expect("errorCode" in placer.place(1, 4)).toBe(true);
    expect(placer.place(2, 1)).toEqual([[3], [1]]);
  });

  test("says why it cannot", () => {
    const told = (all: readonly PlacedBroker[], replicationFactor: number): readonly unknown[] => {
      const result = new ReplicaPlacer(all, 0).place(1, replicationFactor);
      return "errorCode" in result ? [result.errorCode, result.errorMessage] : [result];
    };
    const { InvalidReplicationFactor } = ErrorCode;
    expect(told(brokers(2, () => null), 3)).toEqual([
      InvalidReplicationFactor,
      "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be " +
      "reached because only 2 broker(s) are registered.",
    ]);
    const fenced = brokers(2, () => null).map((one) => ({ ...one, isActive: false }));
    for (const all of [fenced, []]) {
      expect(told(all, 1)).toEqual([
        InvalidReplicationFactor,
        "Unable to replicate the partition 1 time(s): All brokers are currently fenced or in " +
        "controlled shutdown.",
      ]);
    }
    expect(told(brokers(1, () => null), 0)[0]).toBe(InvalidReplicationFactor);
  });
});
