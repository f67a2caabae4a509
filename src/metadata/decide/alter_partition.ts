/**
 * The leader of a partition tells who is in sync with it (KIP-497), each with the broker epoch under
 * which it fetched (KIP-903: a follower that has started anew since may have lost what it had).
 *
 * Each partition stands alone. What completes a reassignment may take the leadership from the one that
 * asks: it is told so by NEW_LEADER_ELECTED although the change is made.
 * Source: kafka: ReplicationControlManager.alterPartition, for what is looked at in which order.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Uuid } from "../../ground/uuid.ts";
import { refuseBrokerEpoch } from "../broker_epoch.ts";
import type { Decision } from "../decision.ts";
import type { ClusterImage, PartitionImage } from "../image.ts";
import { refuseBelowCluster } from "../level_gate.ts";
import { changePartition } from "../partition_change.ts";
import { PendingPartitions } from "../pending_partitions.ts";

export interface InSyncReplica {
  readonly brokerId: number;
  /** -1 = not known, and not checked. */
  readonly brokerEpoch: number;
}

export interface PartitionToAlter {
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly InSyncReplica[];
}

export interface AlterPartitionRequest {
  readonly brokerId: number;
  readonly brokerEpoch: number;
  readonly partitions: readonly PartitionToAlter[];
}

export interface AlteredPartition {
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly errorCode: ErrorCode;
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly partitionEpoch: number;
}

export interface AlterPartitionReply {
  /** Of the request as a whole; there are no partitions then. */
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
  /** In the order of the request. */
  readonly partitions: readonly AlteredPartition[];
}

export function decideAlterPartition(
  image: ClusterImage,
  request: AlterPartitionRequest,
): Decision<AlterPartitionReply> {
  const reason = refuseBrokerEpoch(image, request.brokerId, request.brokerEpoch) ??
    refuseBelowCluster(image, "change who is in sync");
  if (reason !== undefined) return { records: [], reply: { ...reason, partitions: [] } };
  const pending = new PendingPartitions(image);
  const partitions = request.partitions.map((asked): AlteredPartition => {
    const { topicId, partitionId } = asked;
    const refused = (errorCode: ErrorCode): AlteredPartition => ({
      topicId,
      partitionId,
      errorCode,
      leader: -1,
      leaderEpoch: -1,
      isr: [],
      partitionEpoch: -1,
    });
    const before = pending.get(topicId, partitionId);
    if (before === undefined) return refused(unknownPartition(image, topicId));
    const errorCode = refuseChange(image, request.brokerId, asked, before);
    if (errorCode !== undefined) return refused(errorCode);
    const isr = asked.isr.map(({ brokerId }) => brokerId);
    const isActive = (brokerId: number): boolean => image.isActive(brokerId);
    const after = pending.add(before, changePartition(before, { isr }, isActive));
    if (after.leader !== before.leader) return refused(ErrorCode.NewLeaderElected);
    const { leader, leaderEpoch, partitionEpoch } = after;
    return {
      topicId,
      partitionId,
      errorCode: ErrorCode.None,
      leader,
      leaderEpoch,
      isr: after.isr,
      partitionEpoch,
    };
  });
  const reply = { errorCode: ErrorCode.None, errorMessage: null, partitions };
  return { records: pending.records, reply };
}

function unknownPartition(image: ClusterImage, topicId: Uuid): ErrorCode {
  return image.topicById(topicId) === undefined
    ? ErrorCode.UnknownTopicId
    : ErrorCode.UnknownTopicOrPartition;
}

function refuseChange(
  image: ClusterImage,
  brokerId: number,
  { leaderEpoch, partitionEpoch, isr }: PartitionToAlter,
  before: PartitionImage,
): ErrorCode | undefined {
  // Who knows more than this image has it from a later controller.
  if (leaderEpoch > before.leaderEpoch || partitionEpoch > before.partitionEpoch) {
    return ErrorCode.NotController;
  }
  if (leaderEpoch < before.leaderEpoch) return ErrorCode.FencedLeaderEpoch;
  if (brokerId !== before.leader) return ErrorCode.InvalidRequest;
  if (partitionEpoch < before.partitionEpoch) return ErrorCode.InvalidUpdateVersion;
  const ids = isr.map((member) => member.brokerId);
  const isWhole = ids.includes(brokerId) && new Set(ids).size === ids.length &&
    ids.every((id) => before.replicas.includes(id));
  if (!isWhole) return ErrorCode.InvalidRequest;
  return isr.every((member) => isEligible(image, member)) ? undefined : ErrorCode.IneligibleReplica;
}

/** Registered, serving, and still the incarnation that the leader means. */
function isEligible(image: ClusterImage, { brokerId, brokerEpoch }: InSyncReplica): boolean {
  return image.isActive(brokerId) &&
    (brokerEpoch === -1 || image.broker(brokerId)?.brokerEpoch === brokerEpoch);
}
