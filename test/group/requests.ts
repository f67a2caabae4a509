/** Requests of groups, with what a test does not care about filled in. */
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import type {
  Caller,
  ConsumerGroupHeartbeatRequest,
  GroupRequest,
  HeartbeatRequest,
  JoinGroupRequest,
  LeaveGroupRequest,
  OffsetCommitRequest,
  OffsetDeleteRequest,
  OffsetFetchRequest,
  SyncGroupRequest,
} from "../../src/group/group_request.ts";

export const GROUP = "group";

export function caller(apiVersion: number): Caller {
  return { apiVersion, clientId: "client", clientHost: "/127.0.0.1" };
}

type Body<Request extends GroupRequest> = Partial<Request["body"]>;

export interface CommitFields extends Body<OffsetCommitRequest> {
  readonly apiVersion?: number;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly metadata?: string | null;
  readonly leaderEpoch?: number;
}

/** Of one partition, where no topics are given. */
export function commit(fields: CommitFields = {}): OffsetCommitRequest {
  const { apiVersion = 9, topic = "topic", partition = 0, offset = 1, ...rest } = fields;
  const { metadata = "", leaderEpoch = -1, ...body } = rest;
  return {
    kind: "OffsetCommit",
    caller: caller(apiVersion),
    body: {
      groupId: GROUP,
      generationIdOrMemberEpoch: -1,
      memberId: "",
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [{
        name: topic,
        topicId: ZERO_UUID,
        partitions: [{
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch,
          committedMetadata: metadata,
        }],
      }],
      ...body,
    },
  };
}

export function fetchOffsets(fields: Body<OffsetFetchRequest> = {}): OffsetFetchRequest {
  return {
    kind: "OffsetFetch",
    caller: caller(9),
    body: {
      groupId: GROUP,
      memberId: null,
      memberEpoch: -1,
      topics: null,
      requireStable: false,
      includeProgress: false,
      ...fields,
    },
  };
}

export function deleteOffsets(
  topic: string,
  partitions: readonly number[],
  groupId = GROUP,
): OffsetDeleteRequest {
  const named = partitions.map((partitionIndex) => ({ partitionIndex }));
  return {
    kind: "OffsetDelete",
    caller: caller(0),
    body: { groupId, topics: [{ name: topic, partitions: named }] },
  };
}

export function deleteGroup(groupId = GROUP): GroupRequest & { readonly kind: "DeleteGroup" } {
  return { kind: "DeleteGroup", caller: caller(2), body: { groupId } };
}

export function describeGroup(
  apiVersion = 6,
  groupId = GROUP,
): GroupRequest & { readonly kind: "DescribeGroup" } {
  return {
    kind: "DescribeGroup",
    caller: caller(apiVersion),
    body: { groupId, includeHistory: false },
  };
}

export function describeConsumerGroup(
  groupId = GROUP,
): GroupRequest & { readonly kind: "ConsumerGroupDescribe" } {
  return {
    kind: "ConsumerGroupDescribe",
    caller: caller(1),
    body: { groupId, includeHistory: false },
  };
}

export function join(
  fields: Body<JoinGroupRequest> & { readonly apiVersion?: number } = {},
): JoinGroupRequest {
  const { apiVersion = 9, ...body } = fields;
  return {
    kind: "JoinGroup",
    caller: caller(apiVersion),
    body: {
      groupId: GROUP,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 30_000,
      memberId: "",
      groupInstanceId: null,
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: new Uint8Array(0) }],
      reason: null,
      ...body,
    },
  };
}

export function sync(fields: Body<SyncGroupRequest> = {}): SyncGroupRequest {
  return {
    kind: "SyncGroup",
    caller: caller(5),
    body: {
      groupId: GROUP,
      generationId: -1,
      memberId: "",
      groupInstanceId: null,
      protocolType: "consumer",
      protocolName: "range",
      assignments: [],
      ...fields,
    },
  };
}

export function heartbeat(fields: Body<HeartbeatRequest> = {}): HeartbeatRequest {
  return {
    kind: "Heartbeat",
    caller: caller(4),
    body: { groupId: GROUP, generationId: -1, memberId: "", groupInstanceId: null, ...fields },
  };
}

export function leave(
  memberId: string,
  fields: Body<LeaveGroupRequest> & { readonly apiVersion?: number } = {},
): LeaveGroupRequest {
  const { apiVersion = 5, ...body } = fields;
  return {
    kind: "LeaveGroup",
    caller: caller(apiVersion),
    body: {
      groupId: GROUP,
      memberId,
      members: [{ memberId, groupInstanceId: null, reason: null }],
      ...body,
    },
  };
}

export function consumerHeartbeat(
  fields: Body<ConsumerGroupHeartbeatRequest> = {},
): ConsumerGroupHeartbeatRequest {
  return {
    kind: "ConsumerGroupHeartbeat",
    caller: caller(1),
    body: {
      groupId: GROUP,
      memberId: "member",
      memberEpoch: 0,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: 30_000,
      subscribedTopicNames: ["topic"],
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: [],
      ...fields,
    },
  };
}
