/**
 * More partitions for topics that exist: with as many replicas as the first one has, placed here or
 * named by hand. Each topic stands alone.
 * Source: kafka: ReplicationControlManager.createPartitions; ControllerApis for names given twice.
 */
import { ErrorCode, errorFacts } from "../../api/error_code.ts";
import type { Decision } from "../decision.ts";
import type { ClusterImage, PartitionImage, TopicImage } from "../image.ts";
import { refuseAssignment, refuseNewPartition } from "../manual_assignment.ts";
import { newPartition } from "../new_partition.ts";
import { placedBrokers, ReplicaPlacer } from "../placement.ts";
import type { MetadataRecord } from "../record.ts";
import { isRefusal, type Refusal, refusal } from "../refusal.ts";

export interface TopicToGrow {
  readonly name: string;
  /** Partitions that the topic is to have. */
  readonly count: number;
  /** Replicas of the new ones in their order; null = placed here. */
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null;
}

export interface CreatePartitionsRequest {
  readonly topics: readonly TopicToGrow[];
  readonly validateOnly: boolean;
  /** Bound on the partitions that one request may make. */
  readonly partitionCountMax: number;
  /** Any number: turns the round of brokers. */
  readonly placementStart?: number;
}

export interface GrownTopic {
  readonly name: string;
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

type Replicas = readonly (readonly number[])[];

export function decideCreatePartitions(
  image: ClusterImage,
  request: CreatePartitionsRequest,
): Decision<readonly GrownTopic[]> {
  const records: MetadataRecord[] = [];
  const placer = new ReplicaPlacer(placedBrokers(image), request.placementStart ?? 0);
  let partitionsLeft = request.partitionCountMax;
  const twice = namedTwice(request.topics);
  const reply = request.topics.map((asked): GrownTopic => {
    const topic = image.topic(asked.name);
    const replicas = twice.has(asked.name)
      ? refusal(ErrorCode.InvalidRequest, "Duplicate topic name.")
      : topic === undefined
      ? standard(ErrorCode.UnknownTopicOrPartition)
      : newReplicas(image, { asked, topic, placer, partitionsLeft });
    if (isRefusal(replicas)) return { name: asked.name, ...replicas };
    const { topicId, partitions } = topic as TopicImage;
    partitionsLeft -= replicas.length;
    for (const [index, brokerIds] of replicas.entries()) {
      records.push(newPartition(image, topicId, partitions.length + index, brokerIds));
    }
    return { name: asked.name, errorCode: ErrorCode.None, errorMessage: null };
  });
  return { records: request.validateOnly ? [] : records, reply };
}

interface Growth {
  readonly asked: TopicToGrow;
  readonly topic: TopicImage;
  readonly placer: ReplicaPlacer;
  readonly partitionsLeft: number;
}

function newReplicas(
  image: ClusterImage,
  { asked, topic, placer, partitionsLeft }: Growth,
): Replicas | Refusal {
  const { count, assignments } = asked;
  const present = topic.partitions.length;
  if (count === present) {
    return refusal(ErrorCode.InvalidPartitions, `Topic already has ${present} partition(s).`);
  }
  if (count < present) {
    return refusal(
      ErrorCode.InvalidPartitions,
      `The topic ${asked.name} currently has ${present} partition(s); ${count} would not be an ` +
        "increase.",
    );
  }
  const additional = count - present;
  if (assignments !== null && assignments.length !== additional) {
    return refusal(
      ErrorCode.InvalidReplicaAssignment,
      `Attempted to add ${additional} additional partition(s), but only ${assignments.length} ` +
        "assignment(s) were specified.",
    );
  }
  if (additional > partitionsLeft) {
    const message = `Cannot create ${additional} partitions: one request may make fewer`;
    return refusal(ErrorCode.PolicyViolation, message);
  }
  const replicationFactor = (topic.partitions[0] as PartitionImage).replicas.length;
  if (assignments === null) return placer.place(additional, replicationFactor);
  for (const [index, { brokerIds }] of assignments.entries()) {
    const reason = refuseAssignment(image, brokerIds, replicationFactor) ??
      refuseNewPartition(image, present + index, brokerIds);
    if (reason !== undefined) return reason;
  }
  return assignments.map(({ brokerIds }) => brokerIds);
}

function namedTwice(topics: readonly TopicToGrow[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of topics) (seen.has(name) ? twice : seen).add(name);
  return twice;
}

function standard(errorCode: ErrorCode): Refusal {
  return refusal(errorCode, errorFacts(errorCode).message);
}
