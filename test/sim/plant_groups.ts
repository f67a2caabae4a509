/** Bugs on purpose of groups: as `plant.ts`, and planted there. */
import type { GroupRecord } from "../../src/api/coordinator_record/group_record.ts";
import { ClassicGroup } from "../../src/group/classic/classic_group.ts";
import { ConsumerGroup } from "../../src/group/consumer/consumer_group.ts";
import type { GroupRequest } from "../../src/group/group_request.ts";
import type { Token } from "../../src/group/turn.ts";
import { GroupCoordinator } from "../../src/runtime/coordinator/coordinator.ts";
import { type GroupAppend, RecordAppender } from "../../src/runtime/coordinator/record_append.ts";
import { ShardDriver } from "../../src/runtime/coordinator/shard_driver.ts";
import { CommittedOffsets } from "../../src/group/committed_offsets.ts";
import { ConsumerGroupState } from "../../src/group/consumer/group_state.ts";
import { MemberTimers } from "../../src/group/consumer/timers.ts";
import type { Decision } from "../../src/group/decision.ts";
import { GroupShard } from "../../src/group/group_shard.ts";
import { assignors } from "../../src/client/group/assignor/assignors.ts";
import { type Committable, GroupProgress } from "../../src/client/group/group_progress.ts";
import { type Ms, type Offset, toMs, toOffset } from "../../src/ground/numbers.ts";
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
  "old-generation-commits",
  "old-epoch-commits",
  "static-member-is-lost",
  "topics-are-stale",
  "tombstone-is-forgotten",
  "heartbeat-renews-nothing",
  "assignment-of-another",
  "offsets-of-another-group",
  "refused-append-is-replayed",
  "former-leader-answers",
] as const;

export type GroupPlantName = (typeof GROUP_PLANT_NAMES)[number];

/** So many records a load that ends early has replayed. */
const EARLY = 8;
/** The log takes all appends but one of so many. */
const REFUSED_EVERY = 10;

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
  "old-generation-commits": () => {
    return replace(ClassicGroup.prototype, "refuseCommit", () => undefined);
  },
  "old-epoch-commits": () => replace(ConsumerGroup.prototype, "refuseCommit", () => undefined),
  "static-member-is-lost": () => {
    return replace(ConsumerGroupState.prototype, "staticMember", () => undefined);
  },
  "topics-are-stale": () => {
    return replace(GroupShard.prototype, "topicsChanged", () => ({ records: [], replies: [] }));
  },
  "tombstone-is-forgotten": () => {
    const { replay, loaded } = GroupShard.prototype;
    const serving = new WeakSet<GroupShard>();
    return undoAll([
      replace(GroupShard.prototype, "loaded", function (this: GroupShard, now: Ms): Decision {
        serving.add(this);
        return loaded.call(this, now);
      }),
      replace(
        GroupShard.prototype,
        "replay",
        function (this: GroupShard, offset: Offset, record: GroupRecord): void {
          if (record.value !== null || serving.has(this)) replay.call(this, offset, record);
        },
      ),
    ]);
  },
  "heartbeat-renews-nothing": () => {
    const { startSession } = MemberTimers.prototype;
    return replace(
      MemberTimers.prototype,
      "startSession",
      function (this: MemberTimers, memberId: string, at: number): void {
        if (!this.has(memberId)) startSession.call(this, memberId, at);
      },
    );
  },
  "assignment-of-another": () => {
    return changeReplies((replies) => {
      const syncs = replies.filter(({ response }) => "assignment" in (response as object));
      return replies.map((reply) => {
        const at = syncs.indexOf(reply);
        if (at < 0) return reply;
        return { ...reply, response: syncs[(at + 1) % syncs.length]?.response };
      });
    });
  },
  "offsets-of-another-group": () => {
    const { decide } = GroupShard.prototype;
    return replace(
      GroupShard.prototype,
      "decide",
      function (this: GroupShard, now: Ms, request: GroupRequest, token: Token<never>): Decision {
        const other = [...this.groups()].find(({ groupId }) => groupId !== request.body.groupId);
        if (request.kind !== "OffsetFetch" || other === undefined) {
          return decide.call(this, now, request, token);
        }
        const body = { ...request.body, groupId: other.groupId, memberId: null, memberEpoch: -1 };
        const decision = decide.call(this, now, { ...request, body }, token);
        const { groupId } = request.body;
        return {
          ...decision,
          replies: decision.replies.map((reply) => ({
            ...reply,
            groupId,
            response: { ...(reply.response as object), groupId },
          })),
        };
      },
    );
  },
  "refused-append-is-replayed": () => {
    const { append } = RecordAppender.prototype;
    let count = 0;
    return replace(
      RecordAppender.prototype,
      "append",
      function (this: RecordAppender, records: readonly GroupRecord[]): GroupAppend {
        if (++count % REFUSED_EVERY > 0) return append.call(this, records);
        return { kind: "appended", baseOffset: toOffset(0) };
      },
    );
  },
  "former-leader-answers": () => {
    const drivers = new Map<string, ShardDriver>();
    const { ask } = ShardDriver.prototype;
    const coordinatorAsk = GroupCoordinator.prototype.ask;
    return undoAll([
      replace(ShardDriver.prototype, "ask", function (
        this: ShardDriver,
        request: GroupRequest,
      ): unknown {
        const { groupId } = request.body;
        drivers.set(groupId, this);
        if (this.isActive || this.isLoading) return ask.call(this, request);
        const { replies } = this.machine.decide(toMs(1), request, { id: -1 });
        return replies[0]?.response ?? ask.call(this, request);
      }),
      replace(GroupCoordinator.prototype, "ask", function (
        this: GroupCoordinator,
        request: GroupRequest,
      ): unknown {
        const former = drivers.get(request.body.groupId);
        if (former?.isGone === true) return former.ask(request);
        return coordinatorAsk.call(this, request);
      }),
    ]);
  },
};

function undoAll(undo: readonly Undo[]): Undo {
  return () => {
    for (const one of [...undo].reverse()) one();
  };
}

/** What every turn of a shard answers, as a bug has it. */
function changeReplies(change: (replies: Decision["replies"]) => Decision["replies"]): Undo {
  const { decide, wake } = GroupShard.prototype;
  const changed = (decision: Decision): Decision => {
    return { records: decision.records, replies: change(decision.replies) };
  };
  return undoAll([
    replace(
      GroupShard.prototype,
      "decide",
      function (this: GroupShard, now: Ms, request: GroupRequest, token: Token<never>): Decision {
        return changed(decide.call(this, now, request, token));
      },
    ),
    replace(GroupShard.prototype, "wake", function (this: GroupShard, now: Ms): Decision {
      return changed(wake.call(this, now));
    }),
  ]);
}

const CLASSIC_PLANTS: readonly GroupPlantName[] = [
  "revoked-is-not-awaited",
  "old-generation-commits",
  "assignment-of-another",
];

/** To be found they need members that the group goes on without. */
const CLIENT_FAULT_PLANTS: readonly GroupPlantName[] = [
  "old-generation-commits",
  "old-epoch-commits",
];

/** Worlds in which each of them has something to do. */
export function groupWorldOf(plant: GroupPlantName): Partial<SimOptions> {
  const isClassic = CLASSIC_PLANTS.includes(plant);
  const group: SimGroup = {
    groupId: "g1",
    protocol: isClassic ? "classic" : "consumer",
    assignor: plant === "assignment-of-another" ? "range" : "cooperative-sticky",
    members: 3,
    isStatic: plant === "static-member-is-lost",
    commit: "auto",
  };
  return {
    nodes: 1,
    clients: 2,
    thinkMeanMs: 50,
    faultMeanMs: 1000,
    faults: plant === "former-leader-answers"
      ? { "graceful-restart": 3, "write-error": 2, "sync-error": 3 }
      : CLIENT_FAULT_PLANTS.includes(plant)
      ? { kill: 3, pause: 6, partition: 6, "cut-connections": 3 }
      : { kill: 3, "power-loss": 3 },
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
    // Both on one shard.
    groups: plant === "offsets-of-another-group" ? [group, { ...group, groupId: "g3" }] : [group],
  };
}
