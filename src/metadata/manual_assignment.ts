/**
 * Replicas that somebody named by hand: what is wrong with them.
 * Source: kafka: ReplicationControlManager.validateManualPartitionAssignment.
 */
import { ErrorCode } from "../api/error_code.ts";
import type { ClusterImage } from "./image.ts";
import { type Refusal, refusal } from "./refusal.ts";

/** `replicationFactor` is that of the other partitions; undefined where there is none yet. */
export function refuseAssignment(
  image: ClusterImage,
  brokerIds: readonly number[],
  replicationFactor: number | undefined,
): Refusal | undefined {
  const invalid = (what: string): Refusal =>
    refusal(
      ErrorCode.InvalidReplicaAssignment,
      `The manual partition assignment includes ${what}.`,
    );
  if (brokerIds.length === 0) return invalid("an empty replica list");
  const seen = new Set<number>();
  for (const brokerId of [...brokerIds].sort((one, other) => one - other)) {
    if (image.broker(brokerId) === undefined) {
      return invalid(`broker ${brokerId}, but no such broker is registered`);
    }
    if (seen.has(brokerId)) return invalid(`the broker ${brokerId} more than once`);
    seen.add(brokerId);
  }
  if (replicationFactor === undefined || brokerIds.length === replicationFactor) return undefined;
  return invalid(
    `a partition with ${brokerIds.length} replica(s), but this is not consistent with previous ` +
      `partitions, which have ${replicationFactor} replica(s)`,
  );
}

/** Of a new partition, which needs somebody who can lead it from the start. */
export function refuseNewPartition(
  image: ClusterImage,
  partitionId: number,
  brokerIds: readonly number[],
): Refusal | undefined {
  if (brokerIds.some((brokerId) => image.isActive(brokerId))) return undefined;
  return refusal(
    ErrorCode.InvalidReplicaAssignment,
    `All brokers specified in the manual partition assignment for partition ${partitionId} are ` +
      "fenced or in controlled shutdown.",
  );
}
