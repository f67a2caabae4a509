/** The partitions that this broker has, by topic and number. */
import type { Uuid } from "../ground/uuid.ts";
import type { Partition } from "./partition.ts";

export class PartitionTable {
  readonly #byTopic = new Map<string, Map<number, Partition>>();

  get(topic: string, partitionId: number): Partition | undefined {
    return this.#byTopic.get(topic)?.get(partitionId);
  }

  /** In the order in which they were added, topic by topic. */
  *all(): Iterable<Partition> {
    for (const partitions of this.#byTopic.values()) yield* partitions.values();
  }

  add(partition: Partition): void {
    let partitions = this.#byTopic.get(partition.topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#byTopic.set(partition.topic, partitions);
    }
    partitions.set(partition.partitionId, partition);
  }

  /** Takes off all partitions of a topic and gives them back. */
  removeTopic(topicId: Uuid): readonly Partition[] {
    for (const [name, partitions] of this.#byTopic) {
      const [first] = partitions.values();
      if (first?.topicId !== topicId) continue;
      this.#byTopic.delete(name);
      return [...partitions.values()];
    }
    return [];
  }
}
