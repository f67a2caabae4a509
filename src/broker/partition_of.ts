/** A partition by name, or the error that tells why there is none here. */
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
    return partition.isOnline ? partition : ErrorCode.KafkaStorageError;
  }
  // It was decided that it is, but its log is damaged, or a disk does not let it be opened.
  const isDecided = broker.image.topic(topic)?.partitions[partitionId] !== undefined;
  return isDecided ? ErrorCode.KafkaStorageError : ErrorCode.UnknownTopicOrPartition;
}
