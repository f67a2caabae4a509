/**
 * Partitions as a decision leaves them: what is in the image, with the changes that the decision has
 * already made. A request may name a partition twice; the second change then sees the first.
 */
import type { Uuid } from "../ground/uuid.ts";
import type { ClusterImage, PartitionImage } from "./image.ts";
import { changedPartition } from "./partition_image.ts";
import type { PartitionChangeRecord } from "./record.ts";

export class PendingPartitions {
  readonly records: PartitionChangeRecord[] = [];
  readonly #image: ClusterImage;
  readonly #changed = new Map<string, PartitionImage>();

  constructor(image: ClusterImage) {
    this.#image = image;
  }

  get(topicId: Uuid, partitionId: number): PartitionImage | undefined {
    return this.#changed.get(keyOf(topicId, partitionId)) ??
      this.#image.partition(topicId, partitionId);
  }

  /** The partition after the change; as it is where there is none. */
  add(before: PartitionImage, record: PartitionChangeRecord | undefined): PartitionImage {
    if (record === undefined) return before;
    const after = changedPartition(before, record);
    this.records.push(record);
    this.#changed.set(keyOf(before.topicId, before.partitionId), after);
    return after;
  }
}

function keyOf(topicId: Uuid, partitionId: number): string {
  return `${topicId} ${partitionId}`;
}
