/** Bugs on purpose of what is ordered of groups, and of the log that is cleaned under them: as `plant.ts`. */
import type { GroupRecord } from "../../src/api/coordinator_record/group_record.ts";
import { ClassicGroup } from "../../src/group/classic/classic_group.ts";
import { MemberDeadlines, type Watched } from "../../src/group/classic/member_deadlines.ts";
import { CommittedOffsets } from "../../src/group/committed_offsets.ts";
import { ConsumerGroup } from "../../src/group/consumer/consumer_group.ts";
import type { Decision } from "../../src/group/decision.ts";
import type { GroupRequest } from "../../src/group/group_request.ts";
import { GroupShard } from "../../src/group/group_shard.ts";
import type { Token } from "../../src/group/turn.ts";
import type { Ms } from "../../src/ground/numbers.ts";
import { OffsetMap } from "../../src/log/compaction/offset_map.ts";
import type { SimGroup } from "./group/group_options.ts";
import { replace, replaceGetter, type Undo } from "./replace.ts";
import type { SimOptions } from "./sim_options.ts";

export const ORDER_PLANT_NAMES = [
  "commit-goes-back",
  "live-group-takes-orders",
  "deletion-is-not-written",
  "deletion-leaves-its-place",
  "cleaner-keeps-the-oldest",
  "classic-heartbeat-renews-nothing",
  "static-names-are-mixed-up",
] as const;

export type OrderPlantName = (typeof ORDER_PLANT_NAMES)[number];

export const ORDER_BUGS: Readonly<Record<OrderPlantName, () => Undo>> = {
  "commit-goes-back": () => {
    return changeRecords(({ kind, body: { groupId } }, records, shard) => {
      const group = [...shard.groups()].find((one) => one.groupId === groupId);
      return records.map((record) => {
        if (kind !== "OffsetCommit" || record.kind !== "OffsetCommit") return record;
        const { key, value } = record;
        let offset = value?.offset ?? 0;
        group?.forEachOffset((topic, partition, present) => {
          const isSame = topic === key.topic && partition === key.partition;
          if (isSame && present.offset > 0) offset = present.offset - 1;
        });
        return { ...record, value: value && { ...value, offset } };
      });
    });
  },
  "live-group-takes-orders": () => {
    return undoAll([
      replace(ClassicGroup.prototype, "refuseDelete", () => undefined),
      replace(ConsumerGroup.prototype, "refuseDelete", () => undefined),
    ]);
  },
  "deletion-is-not-written": () => {
    return changeRecords(({ kind }, records) => kind === "DeleteGroup" ? [] : records);
  },
  "deletion-leaves-its-place": () => {
    return replaceGetter(CommittedOffsets.prototype, "isEmpty", () => false);
  },
  "cleaner-keeps-the-oldest": () => {
    const { put, get } = OffsetMap.prototype;
    return replace(
      OffsetMap.prototype,
      "put",
      function (this: OffsetMap, ...words: Parameters<typeof put>): boolean {
        const [bytes, start, end] = words;
        return get.call(this, bytes, start, end) >= 0 || put.apply(this, words);
      },
    );
  },
  "classic-heartbeat-renews-nothing": () => {
    const { set } = MemberDeadlines.prototype;
    return replace(
      MemberDeadlines.prototype,
      "set",
      function (this: MemberDeadlines<Watched>, watched: Watched, deadline: Ms): void {
        if (watched.deadline === undefined) set.call(this, watched, deadline);
      },
    );
  },
  "static-names-are-mixed-up": () => {
    return changeRecords((_, records) =>
      records.map((record) => {
        if (record.kind !== "GroupMetadata" || record.value === null) return record;
        const { members } = record.value;
        const groupInstanceId = members[0]?.groupInstanceId ?? null;
        const mixed = members.map((member) => ({ ...member, groupInstanceId }));
        return { ...record, value: { ...record.value, members: mixed } };
      })
    );
  },
};

function undoAll(undo: readonly Undo[]): Undo {
  return () => {
    for (const one of [...undo].reverse()) one();
  };
}

/** What every decision writes, as a bug has it. */
function changeRecords(
  change: (
    request: GroupRequest,
    records: readonly GroupRecord[],
    shard: GroupShard,
  ) => readonly GroupRecord[],
): Undo {
  const { decide } = GroupShard.prototype;
  return replace(
    GroupShard.prototype,
    "decide",
    function (this: GroupShard, now: Ms, request: GroupRequest, token: Token<never>): Decision {
      const { records, replies } = decide.call(this, now, request, token);
      return { records: change(request, records, this), replies };
    },
  );
}

const CLASSIC_PLANTS: readonly OrderPlantName[] = [
  "classic-heartbeat-renews-nothing",
  "static-names-are-mixed-up",
];

/** One node, and a keeper who gives many orders. */
export function orderWorldOf(plant?: OrderPlantName): Partial<SimOptions> {
  const isClassic = plant !== undefined && CLASSIC_PLANTS.includes(plant);
  const group: SimGroup = {
    groupId: "g1",
    protocol: isClassic ? "classic" : "both",
    assignor: "cooperative-sticky",
    members: 2,
    isStatic: plant === "static-names-are-mixed-up",
    commit: "auto",
  };
  return {
    nodes: 1,
    clients: 2,
    thinkMeanMs: 50,
    faultMeanMs: isClassic ? 10_000 : 1000,
    faults: { kill: 3, "power-loss": 1 },
    operations: { "create-topic": 5, produce: 9, "delete-topic": 1 },
    safetyMs: 30_000,
    livenessMs: 30_000,
    settings: {},
    groups: [group],
    groupOperations: {
      "commit-alone": 5,
      "reset-offsets": 2,
      "delete-offsets": 2,
      "delete-group": 5,
      "replace-topic": 2,
      "read-groups": 3,
    },
    groupSettings: {
      "log.roll.ms": "1000",
      "log.cleaner.backoff.ms": "300",
      "log.cleaner.min.cleanable.ratio": "0",
      "log.cleaner.delete.retention.ms": "0",
    },
  };
}
