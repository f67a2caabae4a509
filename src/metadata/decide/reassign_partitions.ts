/**
 * Other replicas for partitions (KIP-455), and the end of a reassignment that is under way.
 *
 *     replicas 1 2   ──reassign to 2 3──►   replicas 2 3 1, adding 3, removing 1
 *                                               │ the ISR has 2 and 3
 *                                               ▼
 *                                           replicas 2 3
 *
 * First all replicas that come are added, those that go stay; when all that stay are in the ISR, which
 * AlterPartition tells, the others leave. What is in sync already ends at once. A reassignment while
 * another is under way takes its place, and remembers the replicas from before the first: cancelling
 * brings those back.
 * Source: kafka: ReplicationControlManager.alterPartitionReassignments, PartitionReassignmentRevert.
 */
import { ErrorCode, errorFacts } from "../../api/error_code.ts";
import { mayElectUnclean } from "../broker_moves.ts";
import type { Decision } from "../decision.ts";
import type { ClusterImage, PartitionImage, TopicImage } from "../image.ts";
import { refuseBelowCluster } from "../level_gate.ts";
import { refuseAssignment } from "../manual_assignment.ts";
import { changePartition, type PartitionTarget } from "../partition_change.ts";
import { isReassigned } from "../partition_image.ts";
import { PendingPartitions } from "../pending_partitions.ts";
import { isRefusal, type Refusal, refusal } from "../refusal.ts";
import type { BrokerValue } from "../topic_config.ts";

export interface PartitionToReassign {
  readonly partitionId: number;
  /** The first is the preferred leader; null = cancel what is under way. */
  readonly replicas: readonly number[] | null;
}

export interface ReassignPartitionsRequest {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly PartitionToReassign[];
  }[];
  /** KIP-860. True where left out. */
  readonly allowReplicationFactorChange?: boolean;
  readonly brokerValue: BrokerValue;
}

export interface ReassignedPartition {
  readonly partitionId: number;
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

export interface ReassignPartitionsReply {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly ReassignedPartition[];
  }[];
}

export function decideReassignPartitions(
  image: ClusterImage,
  request: ReassignPartitionsRequest,
): Decision<ReassignPartitionsReply> {
  const reason = refuseBelowCluster(image, "reassign partitions");
  if (reason !== undefined) return { records: [], reply: { ...reason, topics: [] } };
  const pending = new PendingPartitions(image);
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((asked): ReassignedPartition => {
      const refused = reassign(image, pending, { ...request, name, asked });
      const none = { errorCode: ErrorCode.None, errorMessage: null };
      return { partitionId: asked.partitionId, ...(refused ?? none) };
    }),
  }));
  return {
    records: pending.records,
    reply: { errorCode: ErrorCode.None, errorMessage: null, topics },
  };
}

interface Asked extends Omit<ReassignPartitionsRequest, "topics"> {
  readonly name: string;
  readonly asked: PartitionToReassign;
}

function reassign(
  image: ClusterImage,
  pending: PendingPartitions,
  request: Asked,
): Refusal | undefined {
  const { name, asked: { partitionId, replicas } } = request;
  const topic = image.topic(name);
  if (topic === undefined) {
    return refusal(ErrorCode.UnknownTopicOrPartition, `Unable to find a topic named ${name}.`);
  }
  const before = pending.get(topic.topicId, partitionId);
  if (before === undefined) {
    const message = `Unable to find partition ${name}:${partitionId}.`;
    return refusal(ErrorCode.UnknownTopicOrPartition, message);
  }
  const target = replicas === null
    ? cancelled(image, topic, before, request.brokerValue)
    : reassigned(image, before, { ...request, replicas });
  if (isRefusal(target)) return target;
  const isActive = (brokerId: number): boolean => image.isActive(brokerId);
  pending.add(before, changePartition(before, target, isActive));
  return undefined;
}

function reassigned(
  image: ClusterImage,
  before: PartitionImage,
  { replicas, allowReplicationFactorChange = true }: Asked & {
    readonly replicas: readonly number[];
  },
): PartitionTarget | Refusal {
  const reason = refuseAssignment(image, replicas, undefined);
  if (reason !== undefined) return reason;
  const count = before.replicas.length - before.removingReplicas.length;
  if (!allowReplicationFactorChange && replicas.length !== count) {
    return refusal(
      ErrorCode.InvalidReplicationFactor,
      `The replication factor is changed from ${count} to ${replicas.length}`,
    );
  }
  const original = originalReplicas(before);
  const removingReplicas = before.replicas.filter((id) => !replicas.includes(id));
  const all = [...replicas, ...removingReplicas];
  return {
    replicas: all,
    addingReplicas: all.filter((id) => !original.includes(id)),
    removingReplicas,
  };
}

/** Back to the replicas from before; an ISR of none of them could only be begun uncleanly. */
function cancelled(
  image: ClusterImage,
  topic: TopicImage,
  before: PartitionImage,
  brokerValue: BrokerValue,
): PartitionTarget | Refusal {
  if (!isReassigned(before)) {
    const { NoReassignmentInProgress } = ErrorCode;
    return refusal(NoReassignmentInProgress, errorFacts(NoReassignmentInProgress).message);
  }
  const replicas = originalReplicas(before);
  const isr = before.isr.filter((id) => replicas.includes(id));
  const mayBeUnclean = mayElectUnclean(topic, brokerValue) &&
    replicas.some((id) => image.isActive(id));
  if (isr.length === 0 && !mayBeUnclean) {
    return refusal(
      ErrorCode.InvalidReplicaAssignment,
      `Unable to revert partition assignment for ${topic.name}:${before.partitionId} because it ` +
        "would require an unclean leader election.",
    );
  }
  return {
    replicas,
    isr: isr.length > 0 ? isr : replicas.slice(0, 1),
    addingReplicas: [],
    removingReplicas: [],
    election: mayBeUnclean ? "unclean" : "online",
  };
}

function originalReplicas({ replicas, addingReplicas }: PartitionImage): readonly number[] {
  return replicas.filter((id) => !addingReplicas.includes(id));
}

export interface OngoingReassignment {
  readonly name: string;
  readonly partitions: readonly PartitionImage[];
}

/** Reassignments under way; of all topics where none is named (ListPartitionReassignments). */
export function ongoingReassignments(
  image: ClusterImage,
  topics: readonly { readonly name: string; readonly partitionIds: readonly number[] }[] | null,
): readonly OngoingReassignment[] {
  const all = topics === null
    ? [...image.topics()].map(({ name, partitions }) => ({ name, partitions }))
    : topics.map(({ name, partitionIds }) => ({
      name,
      partitions: partitionIds.flatMap((id) => image.topic(name)?.partitions[id] ?? []),
    }));
  return all
    .map(({ name, partitions }) => ({ name, partitions: partitions.filter(isReassigned) }))
    .filter(({ partitions }) => partitions.length > 0);
}
