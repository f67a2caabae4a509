/** Bugs on purpose of groups: as `plant.ts`, and planted there. Longer than most: it is a list. */
import type { GroupRecord } from "../../src/api/coordinator_record/group_record.ts";
import { ClassicGroup } from "../../src/group/classic/classic_group.ts";
import { ConsumerGroup } from "../../src/group/consumer/consumer_group.ts";
import type { GroupRequest, GroupResponses } from "../../src/group/group_request.ts";
import type { Token } from "../../src/group/turn.ts";
import { GroupCoordinator } from "../../src/runtime/coordinator/coordinator.ts";
import { type GroupAppend, RecordAppender } from "../../src/runtime/coordinator/record_append.ts";
import { ShardDriver } from "../../src/runtime/coordinator/shard_driver.ts";
import { CommittedOffsets } from "../../src/group/committed_offsets.ts";
import { ConsumerGroupState } from "../../src/group/consumer/group_state.ts";
import { MemberTimers } from "../../src/group/consumer/timers.ts";
import type { Decision } from "../../src/group/decision.ts";
import { GroupShard, type TopicsChange } from "../../src/group/group_shard.ts";
import { TopicHashes } from "../../src/group/consumer/metadata_hash.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import { WaitingReplies } from "../../src/runtime/coordinator/waiting_replies.ts";
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
  "partitions-are-stale",
  "generation-is-repeated",
  "anybody-may-come-in",
  "everybody-leads",
  "leader-misses-a-member",
  "answers-are-released-early",
  "told-before-it-is-kept",
  "deleted-topic-keeps-offsets",
  "offsets-in-use-expire",
] as const;

export type GroupPlantName = (typeof GROUP_PLANT_NAMES)[number];

type Joined = GroupResponses["JoinGroup"];

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
  "partitions-are-stale": () => replace(TopicHashes.prototype, "forget", () => undefined),
  // What members are told is one ahead of what a load finds.
  "generation-is-repeated": () => {
    return changeDecisions(({ records, replies }) => {
      const changed = records.map((record) => {
        if (record.kind !== "GroupMetadata" || record.value === null) return record;
        const generation = Math.max(0, record.value.generation - 1);
        return { ...record, value: { ...record.value, generation } };
      });
      return { records: changed, replies };
    });
  },
  "anybody-may-come-in": () => {
    const { decide } = GroupShard.prototype;
    return replace(
      GroupShard.prototype,
      "decide",
      function (this: GroupShard, now: Ms, request: GroupRequest, token: Token<never>): Decision {
        const caller = { ...request.caller, apiVersion: 3 };
        const isNew = request.kind === "JoinGroup" && request.body.memberId === "";
        return decide.call(this, now, isNew ? { ...request, caller } : request, token);
      },
    );
  },
  "everybody-leads": () => {
    return changeReplies((replies) =>
      replies.map((reply) => {
        const joined = reply.response as Joined;
        const isJoin = joined.leader !== undefined && (joined.generationId ?? 0) > 0;
        if (!isJoin || joined.leader === joined.memberId) return reply;
        const members = [{ memberId: joined.memberId, metadata: new Uint8Array(0) }];
        return { ...reply, response: { ...joined, leader: joined.memberId, members } };
      })
    );
  },
  "leader-misses-a-member": () => {
    return changeReplies((replies) =>
      replies.map((reply) => {
        const joined = reply.response as Joined;
        if ((joined.members?.length ?? 0) < 2 || joined.leader === undefined) return reply;
        const members = joined.members.filter(({ memberId }, index) => {
          return memberId === joined.leader || index < joined.members.length - 1;
        });
        return { ...reply, response: { ...joined, members } };
      })
    );
  },
  "answers-are-released-early": () => {
    const { release } = WaitingReplies.prototype;
    return replace(WaitingReplies.prototype, "release", function (this: WaitingReplies): void {
      release.call(this, toOffset(Number.MAX_SAFE_INTEGER));
    });
  },
  "told-before-it-is-kept": () => {
    const { ask } = ShardDriver.prototype;
    return replace(ShardDriver.prototype, "ask", function (
      this: ShardDriver,
      request: GroupRequest,
    ): unknown {
      if (request.kind !== "OffsetFetch" || !this.isActive) return ask.call(this, request);
      const { replies } = this.machine.decide(toMs(1), request, { id: -1 });
      return replies[0]?.response ?? ask.call(this, request);
    });
  },
  "deleted-topic-keeps-offsets": () => {
    const { topicsChanged } = GroupShard.prototype;
    return undoAll([
      replace(
        GroupShard.prototype,
        "topicsChanged",
        function (this: GroupShard, now: Ms, { changed, removed }: TopicsChange): Decision {
          const names = removed.map(({ name }) => name);
          return topicsChanged.call(this, now, { changed: [...changed, ...names], removed: [] });
        },
      ),
      replace(ClusterImage.prototype, "removedTopics", () => []),
    ]);
  },
  "offsets-in-use-expire": () => {
    return undoAll([
      replace(ClassicGroup.prototype, "isSubscribedTo", () => false),
      replace(ConsumerGroup.prototype, "isSubscribedTo", () => false),
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
  return changeDecisions(({ records, replies }) => ({ records, replies: change(replies) }));
}

function changeDecisions(change: (decision: Decision) => Decision): Undo {
  const { decide, wake } = GroupShard.prototype;
  return undoAll([
    replace(
      GroupShard.prototype,
      "decide",
      function (this: GroupShard, now: Ms, request: GroupRequest, token: Token<never>): Decision {
        return change(decide.call(this, now, request, token));
      },
    ),
    replace(GroupShard.prototype, "wake", function (this: GroupShard, now: Ms): Decision {
      return change(wake.call(this, now));
    }),
  ]);
}

const CLASSIC_PLANTS: readonly GroupPlantName[] = [
  "revoked-is-not-awaited",
  "old-generation-commits",
  "assignment-of-another",
  "generation-is-repeated",
  "anybody-may-come-in",
  "everybody-leads",
  "leader-misses-a-member",
];

const SHORT_RETENTION = {
  "offsets.retention.minutes": "1",
  "offsets.retention.check.interval.ms": "1000",
};

/** To be found they need members that the group goes on without. */
const CLIENT_FAULT_PLANTS: readonly GroupPlantName[] = [
  "old-generation-commits",
  "old-epoch-commits",
  "silent-member-stays",
];

/** Worlds in which each of them has something to do. */
export function groupWorldOf(plant: GroupPlantName): Partial<SimOptions> {
  const isClassic = CLASSIC_PLANTS.includes(plant);
  const isOfAge = plant === "offsets-in-use-expire";
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
    thinkMeanMs: plant === "told-before-it-is-kept" ? 5 : 50,
    // Who asks all the time what is committed comes between a commit and its sync.
    ...(plant === "told-before-it-is-kept" ? { groupOperations: { "read-groups": 1 } } : {}),
    faultMeanMs: 1000,
    faults: plant === "former-leader-answers"
      ? { "graceful-restart": 3, "write-error": 2, "sync-error": 3 }
      : CLIENT_FAULT_PLANTS.includes(plant)
      ? { kill: 3, pause: 6, partition: 6, "cut-connections": 3 }
      : { kill: 3, "power-loss": 3 },
    operations: plant === "deleted-topic-keeps-offsets"
      ? { "create-topic": 5, produce: 9, "delete-topic": 3 }
      : { "create-topic": 5, produce: 9 },
    safetyMs: isOfAge ? 90_000 : 30_000,
    settings: isOfAge ? SHORT_RETENTION : {},
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
