/**
 * Whether a record can follow what the image already has.
 *
 * A record may be well formed and still impossible: a change of a partition that is not there, an ISR
 * of brokers that are no replicas. Such a log is damaged or was written by a broken program; who reads
 * it stops before it applies the record (kafka: replay in ReplicationControlManager and
 * ClusterControlManager throws, and the node stops).
 */
import type { ClusterImage } from "./image.ts";
import { changedPartition, type PartitionImage } from "./partition_image.ts";
import type { MetadataRecord, PartitionRecord } from "./record.ts";

/** Why the record cannot be the next one, or undefined where it can. */
export function misfit(image: ClusterImage, record: MetadataRecord): string | undefined {
  switch (record.kind) {
    case "partition":
      return misfitPartition(image, record);
    case "partition-change": {
      const { topicId, partitionId } = record;
      if (image.topicById(topicId) === undefined) return undefined; // removed meanwhile
      const before = image.partition(topicId, partitionId);
      return before === undefined
        ? `it changes partition ${partitionId} of topic ${topicId}, which has none of that number`
        : misfitState(changedPartition(before, record));
    }
    case "topic":
      return image.topic(record.name) === undefined
        ? undefined
        : `it makes the topic ${record.name}, which there is already`;
    case "broker-change":
    case "unregister-broker":
      return image.broker(record.brokerId)?.brokerEpoch === record.brokerEpoch
        ? undefined
        : `broker ${record.brokerId} is not registered with epoch ${record.brokerEpoch}`;
    default:
      return undefined;
  }
}

function misfitPartition(
  image: ClusterImage,
  { topicId, partitionId }: PartitionRecord,
): string | undefined {
  const topic = image.topicById(topicId);
  const next = topic?.partitions.length ?? partitionId;
  return partitionId <= next
    ? undefined
    : `it makes partition ${partitionId} of ${topic?.name ?? topicId}, and ${next} is the next one`;
}

function misfitState(
  { partitionId, replicas, isr, leader, addingReplicas, removingReplicas }: PartitionImage,
): string | undefined {
  const isWithin = (ids: readonly number[]): boolean => ids.every((id) => replicas.includes(id));
  const where = `partition ${partitionId} with replicas ${replicas.join(", ")}`;
  if (!isWithin(isr)) return `it gives ${where} the isr ${isr.join(", ")}`;
  if (!isWithin(addingReplicas) || !isWithin(removingReplicas)) {
    return `it reassigns ${where} by brokers that are none of them`;
  }
  return leader === -1 || isr.includes(leader)
    ? undefined
    : `it gives ${where} the leader ${leader}, who is not in the isr ${isr.join(", ")}`;
}
