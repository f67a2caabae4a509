/**
 * What holds after every record of a cluster's metadata, whoever decided it.
 */
import type { BrokerImage, ClusterImage, PartitionImage } from "../../src/metadata/image.ts";
import type { MetadataRecord } from "../../src/metadata/record.ts";

/** What an invariant compares: all that could be read before the record, and after it. */
export interface Snapshot {
  readonly partitions: ReadonlyMap<string, PartitionImage>;
  readonly brokers: ReadonlyMap<number, BrokerImage>;
}

export function snapshotOf(image: ClusterImage): Snapshot {
  const partitions = new Map<string, PartitionImage>();
  for (const topic of image.topics()) {
    for (const one of topic.partitions) {
      partitions.set(`${topic.topicId}-${one.partitionId}`, one);
    }
  }
  const brokers = new Map(image.brokers().map((broker) => [broker.brokerId, broker]));
  return { partitions, brokers };
}

/** The first thing that is wrong after a whole decision, or undefined. */
export function brokenState(image: ClusterImage): string | undefined {
  for (const topic of image.topics()) {
    for (const [index, partition] of topic.partitions.entries()) {
      const wrong = partition.partitionId !== index || partition.topicId !== topic.topicId
        ? "it is not in its place"
        : brokenPartition(image, partition);
      if (wrong !== undefined) {
        return `${topic.name}-${index} ${JSON.stringify(partition)}: ${wrong}`;
      }
    }
  }
  return undefined;
}

function brokenPartition(image: ClusterImage, partition: PartitionImage): string | undefined {
  return brokenLists(partition) ?? brokenLeader(image, partition);
}

function brokenLists(partition: PartitionImage): string | undefined {
  const { replicas, isr, addingReplicas, removingReplicas } = partition;
  if (replicas.length === 0) return "it has no replicas";
  if (new Set(replicas).size !== replicas.length) return "a replica is twice";
  if (isr.length === 0) return "the isr is empty";
  if (new Set(isr).size !== isr.length) return "a member of the isr is twice";
  for (const id of [...isr, ...addingReplicas, ...removingReplicas]) {
    if (!replicas.includes(id)) return `${id} is no replica`;
  }
  return undefined;
}

function brokenLeader(image: ClusterImage, { isr, leader }: PartitionImage): string | undefined {
  if (leader !== -1 && !isr.includes(leader)) return "the leader is not in the isr";
  if (leader !== -1 && image.broker(leader) === undefined) return "the leader is not registered";
  const inactive = isr.filter((id) => !image.isActive(id));
  if (inactive.length > 0 && isr.length > 1) return `${inactive} cannot be in sync with others`;
  if (inactive.length === 0 && (leader === -1 || !image.isActive(leader))) {
    return "somebody could lead it and does not";
  }
  return undefined;
}

/** What is wrong with the step from one record to the next, or undefined. */
export function brokenStep(
  before: Snapshot,
  record: MetadataRecord,
  after: Snapshot,
): string | undefined {
  for (const [key, now] of after.partitions) {
    const then = before.partitions.get(key);
    const wrong = then === undefined ? undefined : brokenEpochs(then, now, record);
    if (wrong !== undefined) return `${key}: ${wrong}`;
  }
  for (const [brokerId, now] of after.brokers) {
    const then = before.brokers.get(brokerId);
    if (then === undefined) continue;
    const isSame = then.incarnationId === now.incarnationId;
    if (isSame ? now.brokerEpoch !== then.brokerEpoch : now.brokerEpoch <= then.brokerEpoch) {
      return `the epoch of broker ${brokerId} went from ${then.brokerEpoch} to ${now.brokerEpoch}`;
    }
  }
  return undefined;
}

function brokenEpochs(
  then: PartitionImage,
  now: PartitionImage,
  record: MetadataRecord,
): string | undefined {
  if (then === now) return undefined;
  if (record.kind !== "partition-change") return `a ${record.kind} changed it`;
  if (now.partitionEpoch !== then.partitionEpoch + 1) return "the partition epoch did not grow";
  const hasLost = then.replicas.some((id) => !now.replicas.includes(id));
  const must = then.leader !== now.leader || hasLost;
  const grown = now.leaderEpoch - then.leaderEpoch;
  if (must && grown !== 1) return `the leader epoch grew by ${grown} where it had to`;
  if (grown !== 0 && grown !== 1) return `the leader epoch grew by ${grown}`;
  return undefined;
}

/** Leader epochs that grew although the leader and the replicas stayed. */
export function needlessBumps(before: Snapshot, after: Snapshot): readonly PartitionImage[] {
  return [...after.partitions].flatMap(([key, now]) => {
    const then = before.partitions.get(key);
    const isNeedless = then !== undefined && then.leaderEpoch !== now.leaderEpoch &&
      then.leader === now.leader && then.replicas.every((id) => now.replicas.includes(id));
    return isNeedless ? [now] : [];
  });
}
