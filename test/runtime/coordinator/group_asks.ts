/** Questions to a group in few words, for tests that do not care for most of their fields. */
import type { GroupRequest } from "../../../src/group/group_request.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import { TOPIC } from "./fake_shard.ts";

type Of<Kind extends GroupRequest["kind"]> = Extract<GroupRequest, { readonly kind: Kind }>;

const caller = { apiVersion: 9, clientId: "test", clientHost: "/127.0.0.1" };

export function commit(groupId: string, ...offsets: readonly number[]): Of<"OffsetCommit"> {
  const partitions = offsets.map((committedOffset, partitionIndex) => ({
    partitionIndex,
    committedOffset,
    committedLeaderEpoch: -1,
    committedMetadata: "",
  }));
  return {
    kind: "OffsetCommit",
    caller,
    body: {
      groupId,
      generationIdOrMemberEpoch: -1,
      memberId: "",
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [{ name: TOPIC, topicId: ZERO_UUID, partitions }],
    },
  };
}

export function fetchOffset(groupId: string): Of<"OffsetFetch"> {
  const topics = [{ name: TOPIC, topicId: ZERO_UUID, partitionIndexes: [0] }];
  const group = { groupId, memberId: null, memberEpoch: -1, topics };
  return {
    kind: "OffsetFetch",
    caller,
    body: { ...group, requireStable: false, includeProgress: false },
  };
}

export function join(groupId: string): Of<"JoinGroup"> {
  return {
    kind: "JoinGroup",
    caller,
    body: {
      groupId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: "",
      groupInstanceId: null,
      protocolType: "consumer",
      protocols: [],
      reason: null,
    },
  };
}

export function heartbeat(groupId: string): Of<"Heartbeat"> {
  const body = { groupId, generationId: 1, memberId: "m", groupInstanceId: null };
  return { kind: "Heartbeat", caller, body };
}

/** The error of a commit's only partition, or the offset that a fetch tells. */
export function outcomeOf(response: unknown): number {
  const { topics, errorCode } = response as {
    readonly errorCode?: number;
    readonly topics?: readonly {
      readonly partitions: readonly {
        readonly errorCode: number;
        readonly committedOffset?: number;
      }[];
    }[];
  };
  const partition = topics?.[0]?.partitions[0];
  return partition?.committedOffset ?? partition?.errorCode ?? errorCode ?? 0;
}
