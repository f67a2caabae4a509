/**
 * The server-side assignors over random groups: what each promises, whatever the members and topics.
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
const RUNS = 300;

function forRandomGroups(
  isHomogeneous: boolean,
  assign: Assign,
  check: (input: AssignorInput, targets: Targets) => void,
): void {
  playRandomGroups({ seed: SEED, runs: RUNS, isHomogeneous, assign, check });
}

/** The fewest that can move where every member has to end within one of every other. */
function fewestMoves({ members, partitionCountOf }: AssignorInput): number {
  const kept = members.map(({ topicIds, target }) => {
    let count = 0;
    for (const [topicId, ids] of target) {
      if (topicIds.includes(topicId)) {
        count += ids.filter((id) => id < partitionCountOf(topicId)).length;
      }
    }
    return count;
  });
  const total = (members[0]?.topicIds ?? []).reduce((sum, id) => sum + partitionCountOf(id), 0);
  const least = Math.floor(total / members.length);
  let odd = total % members.length;
  let moves = 0;
  for (const count of [...kept].sort((one, other) => other - one)) {
    const mayHave = least + (odd > 0 && count > least ? 1 : 0);
    if (mayHave > least) odd--;
    moves += Math.max(0, count - mayHave);
  }
  return moves;
}

describe(`uniform, seed ${SEED}`, () => {
  test("one subscription: all owned once, within one of each other, and no more moves than that", () => {
    forRandomGroups(true, assignUniformly, (input, targets) => {
      expectAllOwnedOnce(input, targets);
      const loads = loadsOf(targets, input.members);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      expect(movedCount(input, targets)).toBe(fewestMoves(input));
    });
  });

  test("many subscriptions: no owner has two more than another subscriber of the same topic", () => {
    forRandomGroups(false, assignUniformly, (input, targets) => {
      expectAllOwnedOnce(input, targets);
      const loads = loadsOf(targets, input.members);
      input.members.forEach(({ memberId }, at) => {
        for (const topicId of (targets.get(memberId) ?? new Map()).keys()) {
          input.members.forEach(({ topicIds }, other) => {
            if (!topicIds.includes(topicId)) return;
            expect((loads[at] ?? 0) - (loads[other] ?? 0)).toBeLessThanOrEqual(1);
          });
        }
      });
    });
  });

  for (const isHomogeneous of [true, false]) {
    test(`nothing moves where nothing has changed (${isHomogeneous ? "one" : "many"})`, () => {
      forRandomGroups(isHomogeneous, assignUniformly, (input, targets) => {
        const members = input.members.map((member) => ({
          ...member,
          target: targets.get(member.memberId) ?? new Map(),
        }));
        const again = { ...input, members };
        expect(movedCount(again, assignUniformly(again))).toBe(0);
      });
    });
  }

  test("a new member takes from those with the most, one that goes leaves the others theirs", () => {
    const member = (memberId: string, ...ids: number[]): AssignorMember => ({
      memberId,
      instanceId: null,
      rackId: null,
      topicIds: ["T" as Uuid],
      target: ids.length === 0 ? new Map() : new Map([["T" as Uuid, ids]]),
    });
    const input = {
      members: [member("a", 0, 1, 2), member("b", 3, 4, 5), member("c")],
      isHomogeneous: true,
      partitionCountOf: () => 6,
      racksOf: () => [],
    };
    const targets = assignUniformly(input);
    expect(movedCount(input, targets)).toBe(2);
    expect(targets.get("c")).toEqual(new Map([["T" as Uuid, [2, 5]]]));
  });

  test("a topic is shared by all, not held by one", () => {
    const topicIds = ["T" as Uuid, "U" as Uuid];
    const target = new Map(topicIds.map((topicId) => [topicId, [0, 1, 2, 3]] as const));
    const targets = assignUniformly({
      members: [
        { memberId: "a", instanceId: null, rackId: null, topicIds, target },
        { memberId: "b", instanceId: null, rackId: null, topicIds, target: new Map() },
      ],
      isHomogeneous: true,
      partitionCountOf: () => 4,
      racksOf: () => [],
    });
    for (const topicId of topicIds) expect(targets.get("b")?.get(topicId)?.length).toBe(2);
  });
});

describe(`range, seed ${SEED}`, () => {
  for (const isHomogeneous of [true, false]) {
    test(`stretches, all owned once (${isHomogeneous ? "one subscription" : "many"})`, () => {
      forRandomGroups(isHomogeneous, assignRanges, (input, targets) => {
        expectAllOwnedOnce(input, targets);
        for (const target of targets.values()) {
          for (const ids of target.values()) {
            expect((ids.at(-1) ?? 0) - (ids[0] ?? 0)).toBe(ids.length - 1);
          }
        }
      });
    });
  }

  test("topics of one size and one set of subscribers are cut alike", () => {
    forRandomGroups(true, assignRanges, ({ members, partitionCountOf }, targets) => {
      for (const { memberId, topicIds } of members) {
        const bySize = new Map<number, readonly number[]>();
        for (const topicId of topicIds) {
          const ids = targets.get(memberId)?.get(topicId) ?? [];
          const size = partitionCountOf(topicId);
          expect(ids).toEqual([...bySize.get(size) ?? ids]);
          bySize.set(size, ids);
        }
      }
    });
  });

  test("static members come first by their names: another member id changes nothing", () => {
    const members = ["x", "a"].map((memberId, at): AssignorMember => ({
      memberId,
      instanceId: `i${at}`,
      rackId: null,
      topicIds: ["T" as Uuid],
      target: new Map(),
    }));
    const input = { members, isHomogeneous: true, partitionCountOf: () => 3, racksOf: () => [] };
    expect(assignRanges(input).get("x")?.get("T" as Uuid)).toEqual([0, 1]);
    const renamed = members.map((member, at) => ({ ...member, memberId: `z${9 - at}` }));
    const again = assignRanges({ ...input, members: renamed });
    expect(again.get("z9")?.get("T" as Uuid)).toEqual([0, 1]);
    expect(again.get("z8")?.get("T" as Uuid)).toEqual([2]);
  });
});

describe("every assignor", () => {
  for (const [name, assign] of [["uniform", assignUniformly], ["range", assignRanges]] as const) {
    test(`${name} gives the same for the same, and nothing for nobody`, () => {
      for (const isHomogeneous of [true, false]) {
        forRandomGroups(isHomogeneous, assign, (input, targets) => {
          expect([...assign(input)].map(([id, target]) => [id, [...target]])).toEqual(
            [...targets].map(([id, target]) => [id, [...target]]),
          );
        });
        const nobody = { members: [], isHomogeneous, partitionCountOf: () => 1, racksOf: () => [] };
        expect(assign(nobody).size).toBe(0);
      }
    });

    test(`${name} takes no longer than a heartbeat for 1,000 members and 10,000 partitions`, () => {
      const topics = Array.from({ length: 100 }, (_, at) => `T${at + 100}` as Uuid);
      for (const isHomogeneous of [true, false]) {
        const members = Array.from({ length: 1000 }, (_, at): AssignorMember => ({
          memberId: `m${at + 1000}`,
          instanceId: null,
          rackId: null,
          topicIds: isHomogeneous ? topics : topics.filter((_, topic) => (topic + at) % 3 > 0),
          target: new Map(),
        }));
        const input = { members, isHomogeneous, partitionCountOf: () => 100, racksOf: () => [] };
        const startedAt = performance.now();
        const targets = assign(input);
        const tookMs = performance.now() - startedAt;
        expectAllOwnedOnce(input, targets);
        // Measured 5 to 50 ms; the bound is for a machine that has much else to do.
        expect(tookMs).toBeLessThan(2000);
      }
    });
  }
});
