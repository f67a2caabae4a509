/**
 * What the high watermark of a partition of class quorum-fsync covers is on the medium of a lone
 * replica. Looked at when the high watermark has moved.
 */
import type { Partition } from "../../../src/runtime/partition.ts";
import { DurableEnds } from "../durable_ends.ts";
import type { Invariant } from "./invariant.ts";

export function committedIsOnTheMedium(): Invariant {
  const known = new WeakMap<Partition, number>();
  const ends = new DurableEnds();
  return {
    name: "committed is on the medium",
    onNodeEvent(node, partitions): string | undefined {
      for (const partition of partitions) {
        const { highWatermark } = partition;
        if (partition.settings.durability === "memory") continue;
        if (known.get(partition) === highWatermark) continue;
        known.set(partition, highWatermark);
        const end = ends.of(node.process.media, partition.log.directory);
        if (end === undefined || end >= highWatermark) continue;
        return `${partition.topic}-${partition.partitionId}: high watermark ${highWatermark}, ` +
          `and the medium ends at ${end}`;
      }
      return undefined;
    },
  };
}
