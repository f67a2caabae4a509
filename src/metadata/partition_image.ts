/** One partition as metadata has it, and what becomes of it by a record. */
import type { Uuid } from "../ground/uuid.ts";
import type { PartitionChangeRecord, PartitionRecord } from "./record.ts";

/** Kafka: LeaderConstants.NO_LEADER. */
export const NO_LEADER = -1;

export interface PartitionImage {
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly replicas: readonly number[];
  /** Within the replicas, never empty. */
  readonly isr: readonly number[];
  /** In the ISR, or -1. It stays the one in the record while it is fenced and nobody else may lead. */
  readonly leader: number;
  readonly leaderEpoch: number;
  /** Grows with every change. */
  readonly partitionEpoch: number;
  /** Of the replicas those that a reassignment adds, and those that leave when it is done. */
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

const NONE: readonly number[] = [];

/** Takes the topic's own text of the id, and one list for equal ones: there are many partitions. */
export function partitionOf(topicId: Uuid, record: PartitionRecord): PartitionImage {
  const { replicas, isr, addingReplicas = NONE, removingReplicas = NONE } = record;
  return {
    topicId,
    partitionId: record.partitionId,
    replicas,
    isr: sameIds(replicas, isr) ? replicas : isr,
    leader: record.leader,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
    addingReplicas: addingReplicas.length === 0 ? NONE : addingReplicas,
    removingReplicas: removingReplicas.length === 0 ? NONE : removingReplicas,
  };
}

export function changedPartition(
  before: PartitionImage,
  record: PartitionChangeRecord,
): PartitionImage {
  const { replicas = before.replicas, isr = before.isr } = record;
  const { addingReplicas = before.addingReplicas } = record;
  const { removingReplicas = before.removingReplicas } = record;
  return {
    topicId: before.topicId,
    partitionId: before.partitionId,
    replicas,
    isr: sameIds(replicas, isr) ? replicas : isr,
    leader: record.leader ?? before.leader,
    leaderEpoch: before.leaderEpoch + (record.bumpsLeaderEpoch ? 1 : 0),
    partitionEpoch: before.partitionEpoch + 1,
    addingReplicas: addingReplicas.length === 0 ? NONE : addingReplicas,
    removingReplicas: removingReplicas.length === 0 ? NONE : removingReplicas,
  };
}

export function isReassigned({ addingReplicas, removingReplicas }: PartitionImage): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0;
}

/** In the same order. */
export function sameIds(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((id, index) => id === other[index]);
}
