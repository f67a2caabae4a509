/** The records of a consumer group, as Kafka 4.1 writes them. */
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import type { ConsumerMember } from "./member.ts";
import { listOf, type Partitions } from "./partitions.ts";
import type { MemberProgress } from "./reconcile.ts";

/** What a pattern was found to mean: topics in order, by which metadata, and when. */
export interface ResolvedRegex {
  readonly topics: readonly string[];
  /** Offset of the last metadata record that was looked at. */
  readonly version: number;
  readonly timestamp: number;
}

export function memberMetadataRecord(groupId: string, member: ConsumerMember): GroupRecord {
  return {
    kind: "ConsumerGroupMemberMetadata",
    key: { groupId, memberId: member.memberId },
    value: {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: member.subscribedTopicNames,
      subscribedTopicRegex: member.subscribedTopicRegex,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.serverAssignor,
      classicMemberMetadata: member.classic,
    },
  };
}

export function epochRecord(groupId: string, epoch: number, metadataHash: bigint): GroupRecord {
  return { kind: "ConsumerGroupMetadata", key: { groupId }, value: { epoch, metadataHash } };
}

export function targetRecord(groupId: string, memberId: string, target: Partitions): GroupRecord {
  return {
    kind: "ConsumerGroupTargetAssignmentMember",
    key: { groupId, memberId },
    value: { topicPartitions: listOf(target) },
  };
}

export function targetEpochRecord(groupId: string, assignmentEpoch: number): GroupRecord {
  return {
    kind: "ConsumerGroupTargetAssignmentMetadata",
    key: { groupId },
    value: { assignmentEpoch },
  };
}

export function progressRecord(
  groupId: string,
  memberId: string,
  progress: MemberProgress,
): GroupRecord {
  return {
    kind: "ConsumerGroupCurrentMemberAssignment",
    key: { groupId, memberId },
    value: {
      memberEpoch: progress.memberEpoch,
      previousMemberEpoch: progress.previousMemberEpoch,
      state: progress.state,
      assignedPartitions: listOf(progress.assigned),
      partitionsPendingRevocation: listOf(progress.pendingRevocation),
    },
  };
}

export function regexRecord(
  groupId: string,
  regularExpression: string,
  { topics, version, timestamp }: ResolvedRegex,
): GroupRecord {
  return {
    kind: "ConsumerGroupRegularExpression",
    key: { groupId, regularExpression },
    value: { topics, version, timestamp },
  };
}

export function regexTombstone(groupId: string, regularExpression: string): GroupRecord {
  return {
    kind: "ConsumerGroupRegularExpression",
    key: { groupId, regularExpression },
    value: null,
  };
}

/** What Kafka before 4.1 kept of the topics; its place was taken by the metadata hash (KIP-1101). */
export function partitionMetadataTombstone(groupId: string): GroupRecord {
  return { kind: "ConsumerGroupPartitionMetadata", key: { groupId }, value: null };
}

/** The order matters to Kafka: it refuses to forget a member that still has an assignment. */
export function memberTombstones(groupId: string, memberId: string): readonly GroupRecord[] {
  const key = { groupId, memberId };
  return [
    { kind: "ConsumerGroupCurrentMemberAssignment", key, value: null },
    { kind: "ConsumerGroupTargetAssignmentMember", key, value: null },
    { kind: "ConsumerGroupMemberMetadata", key, value: null },
  ];
}

/** All of a group but its offsets, in the order in which Kafka can replay it. */
export function groupTombstones(
  groupId: string,
  memberIds: readonly string[],
  regexes: readonly string[],
): readonly GroupRecord[] {
  const keys = memberIds.map((memberId) => ({ groupId, memberId }));
  return [
    ...keys.map((key): GroupRecord => ({
      kind: "ConsumerGroupCurrentMemberAssignment",
      key,
      value: null,
    })),
    ...keys.map((key): GroupRecord => ({
      kind: "ConsumerGroupTargetAssignmentMember",
      key,
      value: null,
    })),
    { kind: "ConsumerGroupTargetAssignmentMetadata", key: { groupId }, value: null },
    ...keys.map((key): GroupRecord => ({ kind: "ConsumerGroupMemberMetadata", key, value: null })),
    ...regexes.map((regex) => regexTombstone(groupId, regex)),
    partitionMetadataTombstone(groupId),
    { kind: "ConsumerGroupMetadata", key: { groupId }, value: null },
  ];
}
