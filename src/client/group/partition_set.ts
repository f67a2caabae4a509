/** Partitions of many topics as a set, in the order in which they were added. */
import type { TopicPartition } from "../group_options.ts";

export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}

export class PartitionSet {
  readonly #byKey = new Map<string, TopicPartition>();

  constructor(partitions: Iterable<TopicPartition> = []) {
    for (const partition of partitions) this.add(partition);
  }

  get size(): number {
    return this.#byKey.size;
  }

  has(partition: TopicPartition): boolean {
    return this.#byKey.has(partitionKey(partition));
  }

  add({ topic, partition }: TopicPartition): void {
    this.#byKey.set(partitionKey({ topic, partition }), { topic, partition });
  }

  delete(partition: TopicPartition): void {
    this.#byKey.delete(partitionKey(partition));
  }

  clear(): void {
    this.#byKey.clear();
  }

  list(): readonly TopicPartition[] {
    return [...this.#byKey.values()];
  }

  /** Those of this set that are not in the other one. */
  without(other: PartitionSet): readonly TopicPartition[] {
    return this.list().filter((partition) => !other.has(partition));
  }
}

/** By topic, topics and partitions sorted, as the protocol wants them. */
export function byTopic(
  partitions: Iterable<TopicPartition>,
): readonly { readonly topic: string; readonly partitions: readonly number[] }[] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const ofTopic = topics.get(topic);
    if (ofTopic === undefined) topics.set(topic, [partition]);
    else ofTopic.push(partition);
  }
  return [...topics].sort(([left], [right]) => left < right ? -1 : 1)
    .map(([topic, ofTopic]) => ({ topic, partitions: ofTopic.sort((a, b) => a - b) }));
}

/** The reverse of `byTopic`. */
export function flattened(
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): readonly TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition }))
  );
}
