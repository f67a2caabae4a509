/**
 * What the high watermark of a partition of class quorum-fsync covers is on the medium of a lone
 * replica. Looked at when the high watermark has moved.
 */
import { DurableEnds } from "../durable_ends.ts";
import type { Invariant } from "./invariant.ts";

export function committedIsOnTheMedium(): Invariant {
  const ends = new DurableEnds();
  return {
    name: "committed is on the medium",
    onPartition({ node, partition, now: { highWatermark }, before }): string | undefined {
      if (before?.highWatermark === highWatermark) return undefined;
      if (partition.settings.durability === "memory") return undefined;
      const end = ends.of(node.process.media, partition.log.directory);
      if (end === undefined || end >= highWatermark) return undefined;
      return `${partition.topic}-${partition.partitionId}: high watermark ${highWatermark}, ` +
        `and the medium ends at ${end}`;
    },
  };
}
