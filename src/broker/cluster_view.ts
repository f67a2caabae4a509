/** Brokers and leaders as clients are told of them: nobody is sent to a broker that is fenced. */
import { ErrorCode } from "../api/error_code.ts";
import type { BrokerImage, PartitionImage } from "../metadata/image.ts";
import type { BrokerContext } from "./broker_context.ts";

const NOBODY = -1;

export function liveBrokers({ image }: BrokerContext): readonly BrokerImage[] {
  return image.brokers().filter(({ isFenced }) => !isFenced);
}

/**
 * Whom clients send what only a controller decides: the one that decides where it is a broker too,
 * otherwise any broker, which forwards it (kafka: KRaftMetadataCache.getRandomAliveBroker).
 */
export function controllerId(broker: BrokerContext): number {
  const leaderId = broker.leaderId();
  if (leaderId !== undefined && broker.image.isUnfenced(leaderId)) return leaderId;
  if (broker.image.isUnfenced(broker.brokerId)) return broker.brokerId;
  return liveBrokers(broker)[0]?.brokerId ?? NOBODY;
}

export interface PartitionView {
  readonly errorCode: ErrorCode;
  readonly leaderId: number;
  readonly offlineReplicas: readonly number[];
}

/**
 * Who leads a partition, and which of its replicas are out of service. One that this broker has and
 * cannot open keeps its leader, as nobody else has it.
 */
export function partitionView(
  { image, partitions, brokerId }: BrokerContext,
  topic: string,
  { partitionId, leader, replicas }: PartitionImage,
): PartitionView {
  const isOfflineHere = partitions.isOffline(topic, partitionId);
  const offlineReplicas = replicas.filter((id) =>
    !image.isUnfenced(id) || (isOfflineHere && id === brokerId)
  );
  if (leader === NOBODY || !image.isUnfenced(leader)) {
    return { errorCode: ErrorCode.LeaderNotAvailable, leaderId: NOBODY, offlineReplicas };
  }
  const errorCode = isOfflineHere && leader === brokerId
    ? ErrorCode.KafkaStorageError
    : ErrorCode.None;
  return { errorCode, leaderId: leader, offlineReplicas };
}
