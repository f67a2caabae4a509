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
import { refuseAssignment, refuseNewPartition } from "../manual_assignment.ts";
import { newPartition } from "../new_partition.ts";
import { placedBrokers, ReplicaPlacer } from "../placement.ts";
import type { MetadataRecord } from "../record.ts";
import { isRefusal, type Refusal, refusal } from "../refusal.ts";
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
  /** Any number: turns the round of brokers, so that not every request begins with the same one. */
  readonly placementStart?: number;
}

export interface CreatedTopic {
  readonly name: string;
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
  readonly topicId: Uuid;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

type Replicas = readonly (readonly number[])[];

/** What all topics of a request share. */
interface Room {
  readonly placer: ReplicaPlacer;
  partitionsLeft: number;
}

export function decideCreateTopics(
  image: ClusterImage,
  request: CreateTopicsRequest,
): Decision<readonly CreatedTopic[]> {
  const records: MetadataRecord[] = [];
  const reply: CreatedTopic[] = [];
  const taken = new Map<string, string>(); // by unified name
  const room: Room = {
    placer: new ReplicaPlacer(placedBrokers(image), request.placementStart ?? 0),
    partitionsLeft: request.partitionCountMax,
  };
  let refusedCount = 0;
  for (const topic of request.topics) {
    const replicas = refuseTopic(image, topic, taken) ??
      refuseConfig(topic, request, refusedCount < SUGGESTIONS_MAX) ??
      placeReplicas(image, topic, request, room);
    if (isRefusal(replicas)) {
      reply.push(refusedTopic(topic, replicas));
      refusedCount++;
      continue;
    }
    taken.set(unifiedName(topic.name), topic.name);
    room.partitionsLeft -= replicas.length;
    if (!request.validateOnly) records.push(...topicRecords(image, topic, replicas));
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
  room: Room,
): Replicas | Refusal {
  if (topic.assignments.length > room.partitionsLeft) {
    return tooManyPartitions(topic.assignments.length);
  }
  if (topic.assignments.length > 0) return assignedReplicas(image, topic);
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    return refusal(
      ErrorCode.InvalidReplicationFactor,
      "Replication factor must be larger than 0, or -1 to use the default value.",
    );
  }
  if (topic.partitionCount < -1 || topic.partitionCount === 0) {
    return refusal(
      ErrorCode.InvalidPartitions,
      "Number of partitions was set to an invalid non-positive value.",
    );
  }
  const partitionCount = topic.partitionCount === -1
    ? request.defaultPartitionCount
    : topic.partitionCount;
  if (partitionCount > room.partitionsLeft) return tooManyPartitions(partitionCount);
  const replicationFactor = topic.replicationFactor === -1
    ? request.defaultReplicationFactor
    : topic.replicationFactor;
  return room.placer.place(partitionCount, replicationFactor);
}

function assignedReplicas(image: ClusterImage, topic: NewTopic): Replicas | Refusal {
  const given = topic.replicationFactor !== -1
    ? "replication factor"
    : topic.partitionCount !== -1
    ? "numPartitions"
    : undefined;
  if (given !== undefined) {
    const message = `A manual partition assignment was specified, but ${given} was not set to -1.`;
    return refusal(ErrorCode.InvalidRequest, message);
  }
  const byPartition = new Map<number, readonly number[]>();
  const invalid = (message: string): Refusal =>
    refusal(ErrorCode.InvalidReplicaAssignment, message);
  for (const { partitionId, brokerIds } of topic.assignments) {
    if (byPartition.has(partitionId)) {
      return invalid(`Found multiple manual partition assignments for partition ${partitionId}`);
    }
    const reason = refuseAssignment(image, brokerIds, topic.assignments[0]?.brokerIds.length) ??
      refuseNewPartition(image, partitionId, brokerIds);
    if (reason !== undefined) return reason;
    byPartition.set(partitionId, brokerIds);
  }
  const replicas: (readonly number[])[] = [];
  for (let partitionId = 0; partitionId < byPartition.size; partitionId++) {
    const brokerIds = byPartition.get(partitionId);
    if (brokerIds === undefined) {
      return invalid("partitions should be a consecutive 0-based integer sequence");
    }
    replicas.push(brokerIds);
  }
  return replicas;
}

function topicRecords(
  image: ClusterImage,
  { name, topicId, config }: NewTopic,
  replicas: Replicas,
): readonly MetadataRecord[] {
  return [
    { kind: "topic", version: 0, name, topicId },
    ...config.map((one): MetadataRecord => ({
      kind: "config",
      version: 0,
      resourceType: "topic",
      resourceName: name,
      ...one,
    })),
    ...replicas.map((brokerIds, partitionId) =>
      newPartition(image, topicId, partitionId, brokerIds)
    ),
  ];
}

function tooManyPartitions(partitionCount: number): Refusal {
  return refusal(
    ErrorCode.PolicyViolation,
    `Cannot create ${partitionCount} partitions: one request may make fewer`,
  );
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
