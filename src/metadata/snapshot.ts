/**
 * An image as records: replaying them into an empty image gives the same image again.
 *
 * Features come first, because they say what may follow; then what was removed, brokers, topics in the
 * order of their creation, each with its settings and partitions. A record has the oldest form that can
 * say it. A snapshot is only read by nodes that know clusters, whatever the level in force, so that
 * brokers are always told whole, with their epochs.
 * Not here: offsets, files, bytes (`runtime/quorum/`).
 */
import type { BrokerImage, ClusterImage, PartitionImage, TopicImage } from "./image.ts";
import { isReassigned, NO_LEADER, sameIds } from "./partition_image.ts";
import type { ConfigRecord, MetadataRecord, PartitionRecord } from "./record.ts";

/** The oldest form that has settings of such a resource. */
const CONFIG_VERSION = { topic: 0, broker: 1, group: 2 } as const;

export function* snapshotRecords(image: ClusterImage): Iterable<MetadataRecord> {
  for (const [name, level] of image.featureLevels()) {
    yield { kind: "feature-level", version: 0, name, level };
  }
  for (const topicId of image.removedTopics()) yield { kind: "remove-topic", version: 0, topicId };
  for (const broker of image.brokers()) yield brokerRecord(broker);
  for (const [name, config] of image.brokerConfigs()) {
    yield* configRecords("broker", name, config);
  }
  for (const [groupId, config] of image.groupConfigs()) {
    yield* configRecords("group", groupId, config);
  }
  for (const topic of image.topics()) {
    const { name, topicId, config, partitions } = topic;
    yield { kind: "topic", version: 0, name, topicId };
    yield* configRecords("topic", name, config);
    for (const partition of partitions) yield partitionRecord(partition);
  }
  if (image.nextProducerId > 0) {
    const { nextProducerId } = image;
    yield { kind: "producer-ids", version: 0, brokerId: 0, nextProducerId };
  }
}

/** Whether both say the same of the cluster, whatever the offsets that they have come to. */
export function imagesEqual(one: ClusterImage, other: ClusterImage): boolean {
  return one.nextProducerId === other.nextProducerId &&
    sameMap(one.featureLevels(), other.featureLevels()) &&
    sameInOrder(one.removedTopics(), other.removedTopics(), Object.is) &&
    sameInOrder(one.brokers(), other.brokers(), sameValue) &&
    sameInOrder(sorted(one.brokerConfigs()), sorted(other.brokerConfigs()), sameConfig) &&
    sameInOrder(sorted(one.groupConfigs()), sorted(other.groupConfigs()), sameConfig) &&
    sameInOrder(one.topics(), other.topics(), sameTopic);
}

function brokerRecord(broker: BrokerImage): MetadataRecord {
  const { brokerId, incarnationId, listeners, rack, features, directoryIds, isFenced } = broker;
  return {
    kind: "register-broker",
    version: 1,
    brokerId,
    incarnationId,
    listeners,
    rack,
    features,
    directoryIds,
    isFenced,
    ...(broker.isInControlledShutdown ? { isInControlledShutdown: true } : {}),
    brokerEpoch: broker.brokerEpoch,
  };
}

function* configRecords(
  resourceType: ConfigRecord["resourceType"],
  resourceName: string,
  config: ReadonlyMap<string, string>,
): Iterable<ConfigRecord> {
  const version = CONFIG_VERSION[resourceType];
  for (const [name, value] of config) {
    yield { kind: "config", version, resourceType, resourceName, name, value };
  }
}

function partitionRecord(partition: PartitionImage): PartitionRecord {
  const { addingReplicas, removingReplicas, ...rest } = partition;
  const isPlain = partition.leader !== NO_LEADER && !isReassigned(partition);
  if (isPlain) return { kind: "partition", version: 0, ...rest };
  return { kind: "partition", version: 1, ...rest, addingReplicas, removingReplicas };
}

function sameTopic(one: TopicImage, other: TopicImage): boolean {
  return one.name === other.name && one.topicId === other.topicId &&
    sameMap(one.config, other.config) &&
    sameInOrder(one.partitions, other.partitions, samePartition);
}

function samePartition(one: PartitionImage, other: PartitionImage): boolean {
  return one.topicId === other.topicId && one.partitionId === other.partitionId &&
    one.leader === other.leader && one.leaderEpoch === other.leaderEpoch &&
    one.partitionEpoch === other.partitionEpoch &&
    sameIds(one.replicas, other.replicas) && sameIds(one.isr, other.isr) &&
    sameIds(one.addingReplicas, other.addingReplicas) &&
    sameIds(one.removingReplicas, other.removingReplicas);
}

function sameConfig(
  [one, config]: readonly [string, ReadonlyMap<string, string>],
  [other, otherConfig]: readonly [string, ReadonlyMap<string, string>],
): boolean {
  return one === other && sameMap(config, otherConfig);
}

function sorted<Value>(
  entries: Iterable<readonly [string, Value]>,
): readonly (readonly [string, Value])[] {
  return [...entries].sort(([one], [other]) => one < other ? -1 : 1);
}

/** Settings and levels have no order. */
function sameMap<Value>(
  one: ReadonlyMap<string, Value>,
  other: ReadonlyMap<string, Value>,
): boolean {
  if (one.size !== other.size) return false;
  for (const [key, value] of one) {
    if (!other.has(key) || other.get(key) !== value) return false;
  }
  return true;
}

function sameInOrder<Value>(
  one: Iterable<Value>,
  other: Iterable<Value>,
  isSame: (one: Value, other: Value) => boolean,
): boolean {
  const others = other[Symbol.iterator]();
  for (const value of one) {
    const next = others.next();
    if (next.done === true || !isSame(value, next.value)) return false;
  }
  return others.next().done === true;
}

/** Brokers are few: field by field, in whatever order the fields came. */
function sameValue(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) {
    return Object.is(one, other);
  }
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length &&
    keys.every((key) =>
      Object.hasOwn(other, key) &&
      sameValue((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key])
    );
}
