/**
 * Which topics are created, with which partitions on which brokers, and why others are refused.
 *
 * Each topic of a request stands alone: one may be refused and the next created. The ids of new topics
 * come in with the request, because chance does not belong here.
 * Source: Kafka's ReplicationControlManager.createTopics for the error codes and their order.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { type Uuid, ZERO_UUID } from "../../ground/uuid.ts";
import type { Decision } from "../decision.ts";
import type { ClusterImage } from "../image.ts";
import type { MetadataRecord } from "../record.ts";
import { type BrokerValue, refuseTopicConfigs, SUGGESTIONS_MAX } from "../topic_config.ts";
import { METADATA_TOPIC, refuseTopicName, unifiedName } from "../topic_name.ts";

export interface NewTopic {
  readonly name: string;
  /** What the topic is called by when it is created. */
  readonly topicId: Uuid;
  /** -1 = the default. */
  readonly partitionCount: number;
  /** -1 = the default. */
  readonly replicationFactor: number;
  /** Brokers by partition id; empty = placed here. */
  readonly assignments: readonly {
    readonly partitionId: number;
    readonly brokerIds: readonly number[];
  }[];
  readonly config: readonly { readonly name: string; readonly value: string | null }[];
}

export interface CreateTopicsRequest {
  readonly topics: readonly NewTopic[];
  readonly validateOnly: boolean;
  readonly defaultPartitionCount: number;
  readonly defaultReplicationFactor: number;
  /** Bound on the partitions that one request may make. */
  readonly partitionCountMax: number;
  /** Gives the defaults that a topic's settings must not contradict. */
  readonly brokerValue: BrokerValue;
}

export interface CreatedTopic {
  readonly name: string;
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
  readonly topicId: Uuid;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

interface Refusal {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string;
}

export function decideCreateTopics(
  image: ClusterImage,
  request: CreateTopicsRequest,
): Decision<readonly CreatedTopic[]> {
  const records: MetadataRecord[] = [];
  const reply: CreatedTopic[] = [];
  const taken = new Map<string, string>(); // by unified name
  let partitionsLeft = request.partitionCountMax;
  let refusedCount = 0;
  for (const topic of request.topics) {
    const replicas = refuseTopic(image, topic, taken) ??
      refuseConfig(topic, request, refusedCount < SUGGESTIONS_MAX) ??
      placeReplicas(image, topic, request, partitionsLeft);
    if (isRefusal(replicas)) {
      reply.push(refusedTopic(topic, replicas));
      refusedCount++;
      continue;
    }
    taken.set(unifiedName(topic.name), topic.name);
    partitionsLeft -= replicas.length;
    if (!request.validateOnly) records.push(...topicRecords(topic, replicas));
    reply.push({
      name: topic.name,
      errorCode: ErrorCode.None,
      errorMessage: null,
      topicId: topic.topicId,
      partitionCount: replicas.length,
      replicationFactor: replicas[0]?.length ?? 0,
    });
  }
  return { records, reply };
}

function refuseTopic(
  image: ClusterImage,
  topic: NewTopic,
  taken: ReadonlyMap<string, string>,
): Refusal | undefined {
  const badName = refuseTopicName(topic.name);
  if (badName !== undefined) return refusal(ErrorCode.InvalidTopicException, badName);
  if (topic.name === METADATA_TOPIC) {
    return refusal(ErrorCode.InvalidTopicException, `the name '${topic.name}' is reserved`);
  }
  const takenBy = taken.get(unifiedName(topic.name));
  if (image.topic(topic.name) !== undefined || takenBy === topic.name) {
    return refusal(ErrorCode.TopicAlreadyExists, `Topic '${topic.name}' already exists.`);
  }
  const colliding = image.collidingWith(topic.name) ?? takenBy;
  if (colliding !== undefined) {
    return refusal(
      ErrorCode.InvalidTopicException,
      `Topic '${topic.name}' collides with existing topic: ${colliding}`,
    );
  }
  return undefined;
}

function refuseConfig(
  { config }: NewTopic,
  { brokerValue }: CreateTopicsRequest,
  maySuggest: boolean,
): Refusal | undefined {
  const own = new Map(config.map(({ name, value }) => [name, value]));
  const reason = refuseTopicConfigs(own, brokerValue, maySuggest);
  return reason === undefined ? undefined : refusal(ErrorCode.InvalidConfig, reason);
}

/** The brokers of every partition, the leader first; or why there are none. */
function placeReplicas(
  image: ClusterImage,
  topic: NewTopic,
  request: CreateTopicsRequest,
  partitionsLeft: number,
): readonly (readonly number[])[] | Refusal {
  if (topic.assignments.length > partitionsLeft) return tooManyPartitions(topic.assignments.length);
  if (topic.assignments.length > 0) return assignedReplicas(image, topic);
  const partitionCount = topic.partitionCount === -1
    ? request.defaultPartitionCount
    : topic.partitionCount;
  if (partitionCount <= 0) {
    return refusal(
      ErrorCode.InvalidPartitions,
      "Number of partitions was set to an invalid non-positive value.",
    );
  }
  if (partitionCount > partitionsLeft) return tooManyPartitions(partitionCount);
  const replicationFactor = topic.replicationFactor === -1
    ? request.defaultReplicationFactor
    : topic.replicationFactor;
  if (replicationFactor <= 0) {
    return refusal(
      ErrorCode.InvalidReplicationFactor,
      "Replication factor must be larger than 0, or -1 to use the default value.",
    );
  }
  const brokerIds = image.brokers().map((broker) => broker.brokerId);
  if (replicationFactor > brokerIds.length) {
    return refusal(
      ErrorCode.InvalidReplicationFactor,
      `Unable to replicate the partition ${replicationFactor} time(s): The target replication ` +
        `factor of ${replicationFactor} cannot be reached because only ${brokerIds.length} ` +
        "broker(s) are registered.",
    );
  }
  return Array.from(
    { length: partitionCount },
    (_, partition) =>
      Array.from(
        { length: replicationFactor },
        (_, replica) => brokerIds[(partition + replica) % brokerIds.length] as number,
      ),
  );
}

function assignedReplicas(
  image: ClusterImage,
  topic: NewTopic,
): readonly (readonly number[])[] | Refusal {
  if (topic.partitionCount !== -1 || topic.replicationFactor !== -1) {
    return refusal(
      ErrorCode.InvalidRequest,
      "Partition count and replication factor must be -1 where replicas are assigned.",
    );
  }
  const byPartition = new Map(topic.assignments.map((one) => [one.partitionId, one.brokerIds]));
  const replicas: (readonly number[])[] = [];
  for (let partition = 0; partition < topic.assignments.length; partition++) {
    const brokerIds = byPartition.get(partition);
    if (brokerIds === undefined || brokerIds.length === 0) {
      return refusal(
        ErrorCode.InvalidReplicaAssignment,
        `Partition ${partition} has no replicas: partitions must be numbered from 0 without holes.`,
      );
    }
    const unknown = brokerIds.find((brokerId) => image.broker(brokerId) === undefined);
    if (unknown !== undefined || new Set(brokerIds).size !== brokerIds.length) {
      return refusal(
        ErrorCode.InvalidReplicaAssignment,
        `The replicas ${brokerIds.join(", ")} of partition ${partition} are not distinct brokers ` +
          "of this cluster.",
      );
    }
    replicas.push(brokerIds);
  }
  return replicas;
}

function topicRecords(
  topic: NewTopic,
  replicas: readonly (readonly number[])[],
): readonly MetadataRecord[] {
  const { name, topicId } = topic;
  return [
    { kind: "topic", version: 0, name, topicId },
    ...topic.config.map((config): MetadataRecord => ({
      kind: "config",
      version: 0,
      resourceType: "topic",
      resourceName: name,
      ...config,
    })),
    ...replicas.map((brokerIds, partitionId): MetadataRecord => ({
      kind: "partition",
      version: 0,
      topicId,
      partitionId,
      replicas: brokerIds,
      isr: brokerIds,
      leader: brokerIds[0] as number,
      leaderEpoch: 0,
      partitionEpoch: 0,
    })),
  ];
}

function tooManyPartitions(partitionCount: number): Refusal {
  return refusal(
    ErrorCode.PolicyViolation,
    `Cannot create ${partitionCount} partitions: one request may make fewer`,
  );
}

function refusal(errorCode: ErrorCode, errorMessage: string): Refusal {
  return { errorCode, errorMessage };
}

function isRefusal(value: readonly (readonly number[])[] | Refusal): value is Refusal {
  return !Array.isArray(value);
}

function refusedTopic(topic: NewTopic, reason: Refusal): CreatedTopic {
  return {
    name: topic.name,
    ...reason,
    topicId: ZERO_UUID,
    partitionCount: -1,
    replicationFactor: -1,
  };
}
