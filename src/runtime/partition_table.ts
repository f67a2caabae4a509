/**
 * The partitions that this broker has, by topic and number: those that are open, and those that should
 * be here and are not, with the reason.
 */
import type { Uuid } from "../ground/uuid.ts";
import type { Partition } from "./partition.ts";

/** A partition that was decided to be here and whose log could not be opened or made. */
export interface OfflinePartition {
  readonly topic: string;
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly reason: string;
}

export interface RemovedTopic {
  readonly partitions: readonly Partition[];
  readonly offline: readonly OfflinePartition[];
}

export class PartitionTable {
  readonly #byTopic = new Map<string, Map<number, Partition>>();
  readonly #offline = new Map<string, Map<number, OfflinePartition>>();

  get(topic: string, partitionId: number): Partition | undefined {
    return this.#byTopic.get(topic)?.get(partitionId);
  }

  ofTopic(topic: string): Iterable<Partition> {
    return this.#byTopic.get(topic)?.values() ?? [];
  }

  /** In the order in which they were added, topic by topic. */
  *all(): Iterable<Partition> {
    for (const partitions of this.#byTopic.values()) yield* partitions.values();
  }

  /** Takes the place of an offline entry. */
  add(partition: Partition): void {
    put(this.#byTopic, partition);
    this.#takeOffline(partition.topic, partition.partitionId);
  }

  addOffline(partition: OfflinePartition): void {
    put(this.#offline, partition);
  }

  getOffline(topic: string, partitionId: number): OfflinePartition | undefined {
    return this.#offline.get(topic)?.get(partitionId);
  }

  *offline(): Iterable<OfflinePartition> {
    for (const partitions of this.#offline.values()) yield* partitions.values();
  }

  /** Partitions that cannot be served: without a log, or on a disk that has failed. */
  offlineCount(): number {
    let count = 0;
    for (const partitions of this.#offline.values()) count += partitions.size;
    for (const partition of this.all()) if (!partition.isOnline) count++;
    return count;
  }

  isOffline(topic: string, partitionId: number): boolean {
    const partition = this.get(topic, partitionId);
    return partition === undefined
      ? this.#offline.get(topic)?.has(partitionId) === true
      : !partition.isOnline && !partition.isClosed;
  }

  /** Why a partition cannot be served; undefined where that is not known, or it can. */
  whyOffline(topic: string, partitionId: number): string | undefined {
    const partition = this.get(topic, partitionId);
    if (partition !== undefined) return partition.isOnline ? undefined : partition.refusal;
    return this.#offline.get(topic)?.get(partitionId)?.reason;
  }

  /** Takes off all partitions of a topic and gives them back. */
  removeTopic(topicId: Uuid): RemovedTopic {
    return {
      partitions: takeTopic(this.#byTopic, topicId),
      offline: takeTopic(this.#offline, topicId),
    };
  }

  #takeOffline(topic: string, partitionId: number): void {
    const partitions = this.#offline.get(topic);
    if (partitions?.delete(partitionId) === true && partitions.size === 0) {
      this.#offline.delete(topic);
    }
  }
}

interface OfTopic {
  readonly topic: string;
  readonly topicId: Uuid;
  readonly partitionId: number;
}

function put<T extends OfTopic>(table: Map<string, Map<number, T>>, partition: T): void {
  let partitions = table.get(partition.topic);
  if (partitions === undefined) {
    partitions = new Map();
    table.set(partition.topic, partitions);
  }
  partitions.set(partition.partitionId, partition);
}

function takeTopic<T extends OfTopic>(
  table: Map<string, Map<number, T>>,
  topicId: Uuid,
): readonly T[] {
  for (const [name, partitions] of table) {
    const [first] = partitions.values();
    if (first?.topicId !== topicId) continue;
    table.delete(name);
    return [...partitions.values()];
  }
  return [];
}
