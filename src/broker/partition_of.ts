/** A partition by name that this broker leads, or the error that tells why there is none here. */
import { ErrorCode } from "../api/error_code.ts";
import type { Partition } from "../runtime/partition.ts";
import type { BrokerContext } from "./broker_context.ts";

export function partitionOf(
  broker: BrokerContext,
  topic: string,
  partitionId: number,
): Partition | ErrorCode {
  const partition = broker.partitions.get(topic, partitionId);
  if (partition !== undefined) {
    if (!partition.isOnline) return ErrorCode.KafkaStorageError;
    return partition.isLeader && broker.self.mayServe ? partition : ErrorCode.NotLeaderOrFollower;
  }
  // It is to be here, but its log is damaged, or a disk does not let it be opened.
  if (broker.partitions.isOffline(topic, partitionId)) return ErrorCode.KafkaStorageError;
  const isDecided = broker.image.topic(topic)?.partitions[partitionId] !== undefined;
  return isDecided ? ErrorCode.NotLeaderOrFollower : ErrorCode.UnknownTopicOrPartition;
}
