/**
 * The record of a partition that is made: its first active replica leads.
 *
 * Its ISR is the leader alone, unlike Kafka's, which begins with all active replicas: nobody is called
 * in sync who has copied nothing. Followers join by AlterPartition when they have caught up.
 */
import type { Uuid } from "../ground/uuid.ts";
import { assert } from "../ground/assert.ts";
import type { ClusterImage } from "./image.ts";
import type { PartitionRecord } from "./record.ts";

export function newPartition(
  image: ClusterImage,
  topicId: Uuid,
  partitionId: number,
  replicas: readonly number[],
): PartitionRecord {
  const leader = replicas.find((brokerId) => image.isActive(brokerId));
  assert(leader !== undefined, "a partition is made where one of its replicas is active");
  return {
    kind: "partition",
    version: 0,
    topicId,
    partitionId,
    replicas,
    isr: [leader],
    leader,
    leaderEpoch: 0,
    partitionEpoch: 0,
  };
}
