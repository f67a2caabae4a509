/** Bugs on purpose of groups: as `plant.ts`, and planted there. */
import { CommittedOffsets } from "../../src/group/committed_offsets.ts";
import { ConsumerGroupState } from "../../src/group/consumer/group_state.ts";
import { MemberTimers } from "../../src/group/consumer/timers.ts";
import type { Decision } from "../../src/group/decision.ts";
import { GroupShard } from "../../src/group/group_shard.ts";
import { assignors } from "../../src/client/group/assignor/assignors.ts";
import { type Committable, GroupProgress } from "../../src/client/group/group_progress.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import type { SimGroup } from "./group/group_options.ts";
import { replace, type Undo } from "./replace.ts";
import type { SimOptions } from "./sim_options.ts";

export const GROUP_PLANT_NAMES = [
  "two-owners-in-an-epoch",
  "revoked-is-not-awaited",
  "group-answers-before-commit",
  "commit-beyond-the-handed-out",
  "load-ends-early",
  "first-commit-wins",
  "silent-member-stays",
] as const;

export type GroupPlantName = (typeof GROUP_PLANT_NAMES)[number];

/** So many records a load that ends early has replayed. */
const EARLY = 8;

export const GROUP_BUGS: Readonly<Record<GroupPlantName, () => Undo>> = {
  "two-owners-in-an-epoch": () => {
    return replace(ConsumerGroupState.prototype, "isHeld", () => false);
  },
  "revoked-is-not-awaited": () => {
    return replace(assignors["cooperative-sticky"], "divide", assignors.range.divide);
  },
  "group-answers-before-commit": () => {
    return replace(GroupShard.prototype, "writtenOf", () => toOffset(0));
  },
  "commit-beyond-the-handed-out": () => {
    const { committable } = GroupProgress.prototype;
    return replace(
      GroupProgress.prototype,
      "committable",
      function (this: GroupProgress, ...words: Parameters<typeof committable>): Committable[] {
        return committable.apply(this, words).map((one) => ({ ...one, offset: one.offset + 2 }));
      },
    );
  },
  "load-ends-early": () => {
    const { replay, loaded } = GroupShard.prototype;
    const counts = new WeakMap<GroupShard, number>();
    const undo = [
      replace(
        GroupShard.prototype,
        "loaded",
        function (this: GroupShard, now): Decision {
          counts.set(this, -Infinity);
          return loaded.call(this, now);
        } as GroupShard["loaded"],
      ),
      replace(
        GroupShard.prototype,
        "replay",
        function (this: GroupShard, offset, record): void {
          const count = (counts.get(this) ?? 0) + 1;
          counts.set(this, count);
          if (count <= EARLY) replay.call(this, offset, record);
        } as GroupShard["replay"],
      ),
    ];
    return () => {
      for (const one of undo.reverse()) one();
    };
  },
  "first-commit-wins": () => {
    const { put } = CommittedOffsets.prototype;
    return replace(CommittedOffsets.prototype, "put", function (
      this: CommittedOffsets,
      ...words: Parameters<typeof put>
    ): void {
      if (this.get(words[0], words[1]) === undefined) put.apply(this, words);
    });
  },
  "silent-member-stays": () => replace(MemberTimers.prototype, "takeOverdue", () => []),
};

/** Worlds in which each of them has something to do. */
export function groupWorldOf(plant: GroupPlantName): Partial<SimOptions> {
  const isClassic = plant === "revoked-is-not-awaited";
  const group: SimGroup = {
    groupId: "g1",
    protocol: isClassic ? "classic" : "consumer",
    assignor: "cooperative-sticky",
    members: 3,
    isStatic: false,
    commit: "auto",
  };
  return {
    nodes: 1,
    clients: 2,
    thinkMeanMs: 50,
    faultMeanMs: 1000,
    faults: { kill: 3, "power-loss": 3 },
    operations: { "create-topic": 5, produce: 9 },
    safetyMs: 30_000,
    settings: {},
    // So that an answer can be there before the disk is through.
    disk: { readUs: 20, syncUs: 8000, isDroppedByFailedSync: false },
    network: {
      latencyUs: 50,
      jitterUs: 0,
      bytesPerUs: 100,
      kernelBytes: 65_536,
      splitOneIn: 0,
      giveUpMs: 15_000,
    },
    groups: [group],
  };
}
