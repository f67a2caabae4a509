/**
 * A consumer group goes on as a classic group: the last member of the consumer protocol has gone, or a
 * static one came back with the classic protocol, and those that are left all speak the classic one.
 *
 *     tombstones of the consumer group, that of ConsumerGroupMetadata last, then GroupMetadata
 *
 * Nobody has to give up anything by it: the targets become the assignments. But the classic group
 * rebalances at once, always. Kafka lets it be where a static member came back with the subscription
 * that it had; then nobody knows that it is the leader, who alone sees that a topic has grown, and who
 * still waits for a part of its target is never told that it has it.
 *
 * Source: KIP-848 "Downgrade"; kafka: GroupMetadataManager.validateOnlineDowngradeWithFencedMembers,
 * convertToClassicGroup; ClassicGroup.fromConsumerGroup.
 */
import { readSubscription, writeAssignment } from "../../api/consumer_protocol.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import { ClassicGroup } from "../classic/classic_group.ts";
import type { Turn } from "../turn.ts";
import { carryHistory } from "./carried_history.ts";
import type { ConsumerCore } from "./core.ts";
import type { ConsumerMember } from "./member.ts";
import type { Partitions } from "./partitions.ts";
import { groupTombstones } from "./record.ts";

/** Whether the group becomes a classic one when these members are gone. */
export function isDowngrade(
  { state }: ConsumerCore,
  turn: Turn,
  leaving: readonly ConsumerMember[],
): boolean {
  const classicLeaving = leaving.filter(({ classic }) => classic !== null).length;
  const left = state.members.size - leaving.length;
  return left > 0 && state.classicCount - classicLeaving === left && mayDowngrade(turn, left);
}

/** Whether it does when a classic member takes the place of this one. */
export function isDowngradeByReplacement(
  { state }: ConsumerCore,
  turn: Turn,
  replaced: ConsumerMember,
): boolean {
  return replaced.classic === null && state.classicCount === state.members.size - 1 &&
    mayDowngrade(turn, state.members.size);
}

function mayDowngrade({ settings }: Turn, memberCount: number): boolean {
  const { consumerGroupMigrationPolicy: policy, groupMaxSize } = settings;
  return (policy === "bidirectional" || policy === "downgrade") && memberCount <= groupMaxSize;
}

export function downgradeWithout(
  core: ConsumerCore,
  turn: Turn,
  { members, reason }: { readonly members: readonly ConsumerMember[]; readonly reason: string },
): void {
  const gone = new Set(members.map(({ memberId }) => memberId));
  const left = [...core.state.members.values()].filter(({ memberId }) => !gone.has(memberId));
  downgrade(core, turn, { members: left, reason });
}

export interface Downgrade {
  readonly members: readonly ConsumerMember[];
  /** A member that has taken another's place, whose records are written already. */
  readonly replacement?: { readonly replacedId: string; readonly member: ConsumerMember };
  /** Why the group changes over, for its history. */
  readonly reason: string;
}

export function downgrade(
  { groupId, state, history }: ConsumerCore,
  turn: Turn,
  { members, replacement, reason }: Downgrade,
): void {
  const memberIds = [...state.members.keys()].map((memberId) =>
    memberId === replacement?.replacedId ? replacement.member.memberId : memberId
  );
  const regexes = [...state.resolvedRegexes.keys()];
  for (const record of groupTombstones(groupId, memberIds, regexes)) turn.write(record);
  const successor = ClassicGroup.converted(turn, {
    groupId,
    generationId: state.groupEpoch,
    members: members.map(formerMember),
    assignmentOf: (memberId, metadata) => {
      const isReplacing = memberId === replacement?.member.memberId;
      const target = state.targetOf(isReplacing ? replacement?.replacedId : memberId);
      return assignmentBytes(target, metadata, turn.image);
    },
  });
  carryHistory(turn.now, history, successor.history);
  turn.become(successor);
  successor.rebalance(turn, `${reason}; the group went on with the classic protocol`);
}

type FormerMember = Parameters<typeof ClassicGroup.converted>[1]["members"][number];

function formerMember(member: ConsumerMember): FormerMember {
  return {
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    sessionTimeoutMs: member.classic?.sessionTimeoutMs ?? 0,
    protocols: member.classic?.supportedProtocols ?? [],
  };
}

/** In the version in which the member wrote its own subscription; topics that are gone are left out. */
export function assignmentBytes(
  partitions: Partitions,
  metadata: Uint8Array,
  image: ClusterImage,
): Uint8Array {
  const assignedPartitions: { topic: string; partitions: readonly number[] }[] = [];
  for (const [topicId, ids] of partitions) {
    const topic = image.topicById(topicId)?.name;
    if (topic !== undefined) assignedPartitions.push({ topic, partitions: ids });
  }
  return writeAssignment({ assignedPartitions }, readSubscription(metadata)?.version ?? 0);
}
