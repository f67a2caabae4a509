/**
 * The server-side assignors where members and brokers say in which racks they are: partitions come to
 * members that have a replica near them, and all that holds without racks still holds.
 *
 * The seed is printed and taken from MQ_SEED.
 */
import process from "node:process";
import { describe, expect, test } from "bun:test";
import type { Uuid } from "../../../src/ground/uuid.ts";
import type {
  AssignorInput,
  AssignorMember,
} from "../../../src/group/consumer/assignor/assignor.ts";
import { assignRanges } from "../../../src/group/consumer/assignor/range.ts";
import { assignUniformly } from "../../../src/group/consumer/assignor/uniform.ts";
import {
  type Assign,
  expectAllOwnedOnce,
  loadsOf,
  movedCount,
  playRandomGroups,
  type Targets,
} from "./random_subscriptions.ts";

const SEED = Number(process.env["MQ_SEED"] ?? 20261123);
const RUNS = 60;
const RACKS = ["a", "b", "c"];
const ASSIGNORS: readonly (readonly [string, Assign])[] = [
  ["uniform", assignUniformly],
  ["range", assignRanges],
];

/** The owner of each partition of a topic, by place in the list of members. */
function ownersOf({ members }: AssignorInput, targets: Targets, topicId: Uuid): readonly number[] {
  const owners: number[] = [];
  members.forEach(({ memberId }, at) => {
    for (const id of targets.get(memberId)?.get(topicId) ?? []) owners[id] = at;
  });
  return owners;
}

function isAtHome(
  { members, racksOf }: AssignorInput,
  at: number,
  topicId: Uuid,
  id: number,
): boolean {
  const rackId = members[at]?.rackId ?? null;
  return rackId !== null && racksOf(topicId, id).includes(rackId);
}

function homeCount(input: AssignorInput, targets: Targets): number {
  let count = 0;
  for (const topicId of new Set(input.members.flatMap(({ topicIds }) => topicIds))) {
    ownersOf(input, targets, topicId).forEach((owner, id) => {
      if (isAtHome(input, owner, topicId, id)) count++;
    });
  }
  return count;
}

/** Whether two owners of a topic could exchange partitions so that more are at home than now. */
function canBeBettered(input: AssignorInput, targets: Targets, topicId: Uuid): boolean {
  const owners = ownersOf(input, targets, topicId);
  const home = (owner: number, id: number): number => Number(isAtHome(input, owner, topicId, id));
  return owners.some((one, id) =>
    owners.some((other, otherId) =>
      home(other, id) + home(one, otherId) > home(one, id) + home(other, otherId)
    )
  );
}

function members(racks: readonly (string | null)[], ...topics: string[]): AssignorMember[] {
  return racks.map((rackId, at) => ({
    memberId: `m${at + 1000}`,
    instanceId: null,
    rackId,
    topicIds: topics.map((topic) => topic as Uuid),
    target: new Map(),
  }));
}

describe(`racks, seed ${SEED}`, () => {
  for (const isHomogeneous of [true, false]) {
    const kind = isHomogeneous ? "one subscription" : "many subscriptions";
    const play = { seed: SEED, runs: RUNS, isHomogeneous, racks: RACKS };

    test(`uniform: owned once, level, and no exchange brings one more home (${kind})`, () => {
      playRandomGroups({
        ...play,
        assign: assignUniformly,
        check: (input, targets) => {
          expectAllOwnedOnce(input, targets);
          const loads = loadsOf(targets, input.members);
          if (isHomogeneous) {
            expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
          }
          for (const topicId of new Set(input.members.flatMap(({ topicIds }) => topicIds))) {
            expect(canBeBettered(input, targets, topicId)).toBeFalse();
          }
        },
      });
    });

    test(`uniform: loads are those that there are without racks (${kind})`, () => {
      playRandomGroups({
        ...play,
        assign: assignUniformly,
        check: (input, targets) => {
          const plain = assignUniformly({ ...input, racksOf: () => [] });
          const sorted = (of: Targets): readonly number[] =>
            [...loadsOf(of, input.members)].sort((one, other) => one - other);
          expect(sorted(targets)).toEqual([...sorted(plain)]);
          expect(homeCount(input, targets)).toBeGreaterThanOrEqual(homeCount(input, plain));
        },
      });
    });

    test(`uniform: nothing moves where nothing has changed (${kind})`, () => {
      playRandomGroups({
        ...play,
        assign: assignUniformly,
        check: (input, targets) => {
          const again = {
            ...input,
            members: input.members.map((member) => ({
              ...member,
              target: targets.get(member.memberId) ?? new Map(),
            })),
          };
          expect(movedCount(again, assignUniformly(again))).toBe(0);
        },
      });
    });

    test(`range: owned once, as many of each topic as without racks (${kind})`, () => {
      playRandomGroups({
        ...play,
        assign: assignRanges,
        check: (input, targets) => {
          expectAllOwnedOnce(input, targets);
          const plain = assignRanges({ ...input, racksOf: () => [] });
          for (const { memberId, topicIds } of input.members) {
            for (const topicId of topicIds) {
              expect(targets.get(memberId)?.get(topicId)?.length)
                .toBe(plain.get(memberId)?.get(topicId)?.length);
            }
          }
          expect(homeCount(input, targets)).toBeGreaterThanOrEqual(homeCount(input, plain));
        },
      });
    });
  }

  test("range: topics of one size and one set of subscribers are still cut alike", () => {
    playRandomGroups({
      seed: SEED,
      runs: RUNS,
      isHomogeneous: true,
      racks: RACKS,
      assign: assignRanges,
      check: ({ members, partitionCountOf }, targets) => {
        for (const { memberId, topicIds } of members) {
          const bySize = new Map<number, readonly number[]>();
          for (const topicId of topicIds) {
            const ids = targets.get(memberId)?.get(topicId) ?? [];
            const size = partitionCountOf(topicId);
            expect(ids).toEqual([...bySize.get(size) ?? ids]);
            bySize.set(size, ids);
          }
        }
      },
    });
  });

  for (const [name, assign] of ASSIGNORS) {
    test(`${name}: with one replica each, as many are at home as can be`, () => {
      const input: AssignorInput = {
        members: members(["a", "b", "c", "a", "b", "c"], "T"),
        isHomogeneous: true,
        partitionCountOf: () => 24,
        // 12 in a, 8 in b, 4 in c: there is room for 8 of each.
        racksOf: (_, id) => [id < 12 ? "a" : id < 20 ? "b" : "c"],
      };
      expect(homeCount(input, assign(input))).toBe(8 + 8 + 4);
    });

    test(`${name}: a topic with a replica in every rack is dealt as if there were no racks`, () => {
      const input: AssignorInput = {
        members: members(["a", "b", null, "c"], "T"),
        isHomogeneous: true,
        partitionCountOf: () => 10,
        racksOf: () => RACKS,
      };
      expect(assign(input)).toEqual(new Map(assign({ ...input, racksOf: () => [] })));
    });

    test(`${name} takes no longer than a heartbeat for 1,000 members in 3 or 100 racks`, () => {
      for (const rackCount of [3, 100]) {
        const rack = (at: number): string => `r${at % rackCount}`;
        const input: AssignorInput = {
          members: members(
            Array.from({ length: 1000 }, (_, at) => rack(at)),
            ...Array.from({ length: 100 }, (_, at) => `T${at + 100}`),
          ),
          isHomogeneous: true,
          partitionCountOf: () => 100,
          racksOf: (topicId, id) => {
            const at = id * 7 + Number(topicId.slice(1)) * 13;
            return [rack(at), rack(at + 1), rack(at * 3 + 2)];
          },
        };
        const startedAt = performance.now();
        const targets = assign(input);
        const tookMs = performance.now() - startedAt;
        expectAllOwnedOnce(input, targets);
        // Measured 20 to 200 ms; the bound is for a machine that has much else to do.
        expect(tookMs).toBeLessThan(3000);
      }
    });
  }

  test("uniform: one-partition topics are exchanged with each other", () => {
    const input: AssignorInput = {
      members: members(["a", "b"], "T1", "T2", "T3", "T4"),
      isHomogeneous: true,
      partitionCountOf: () => 1,
      racksOf: (topicId) => [topicId < "T3" ? "a" : "b"],
    };
    expect(homeCount(input, assignUniformly(input))).toBe(4);
  });

  test("uniform: who has the odd one is who is near it", () => {
    const input: AssignorInput = {
      members: members(["b", "a"], "T"),
      isHomogeneous: true,
      partitionCountOf: () => 3,
      racksOf: (_, id) => [id === 0 ? "b" : "a"],
    };
    expect(homeCount(input, assignUniformly(input))).toBe(3);
  });

  test("uniform: what an odd one is taken from does not keep it", () => {
    const topicId = "T" as Uuid;
    const [a, b] = members(["a", "b"], "T") as [AssignorMember, AssignorMember];
    const input: AssignorInput = {
      members: [
        { ...a, target: new Map([[topicId, [0, 1]]]) },
        { ...b, target: new Map([[topicId, [2]]]) },
      ],
      isHomogeneous: true,
      partitionCountOf: () => 3,
      racksOf: (_, id) => [id === 0 ? "a" : "b"],
    };
    const targets = assignUniformly(input);
    expectAllOwnedOnce(input, targets);
    expect(homeCount(input, targets)).toBe(3);
  });

  test("uniform: what was there before is exchanged only where nothing new serves as well", () => {
    const topicId = "T" as Uuid;
    const [a, b] = members(["a", "b"], "T") as [AssignorMember, AssignorMember];
    // a is dealt 1 and 3, b 2 and 5; the 1 is to come to b, for one of those that a is no further from.
    const input: AssignorInput = {
      members: [
        { ...a, target: new Map([[topicId, [0]]]) },
        { ...b, target: new Map([[topicId, [4]]]) },
      ],
      isHomogeneous: true,
      partitionCountOf: () => 6,
      racksOf: (_, id) => id === 1 ? ["b"] : id === 4 ? ["c"] : ["a", "b"],
    };
    const targets = assignUniformly(input);
    expect(homeCount(input, targets)).toBe(5);
    expect(movedCount(input, targets)).toBe(0);
  });

  test("uniform: nobody gives more than its odd one", () => {
    const input: AssignorInput = {
      members: members(["a", "b", "b"], "T"),
      isHomogeneous: true,
      partitionCountOf: () => 7,
      racksOf: () => ["b"],
    };
    const loads = loadsOf(assignUniformly(input), input.members);
    expect([...loads].sort()).toEqual([2, 2, 3]);
    expect(loads[0]).toBe(2);
  });

  test("range: of topics that are cut alike, home is where every one of them has a replica", () => {
    const input: AssignorInput = {
      members: members(["a", "b"], "T1", "T2"),
      isHomogeneous: true,
      partitionCountOf: () => 4,
      racksOf: (topicId, id) => (id < 2) === (topicId === "T1") ? ["b"] : ["a"],
    };
    expect(assignRanges(input)).toEqual(new Map(assignRanges({ ...input, racksOf: () => [] })));
  });
});
