/** Within one life of a node no partition's high watermark, log start or log end goes back. */
import type { Partition } from "../../../src/runtime/partition.ts";
import type { Invariant } from "./invariant.ts";

interface Known {
  highWatermark: number;
  logStartOffset: number;
  logEndOffset: number;
}

export function highWatermarkNeverBack(): Invariant {
  const known = new WeakMap<Partition, Known>();
  return {
    name: "high watermark never back",
    onNodeEvent(_node, partitions): string | undefined {
      for (const partition of partitions) {
        const { highWatermark, log: { logStartOffset, logEndOffset } } = partition;
        const before = known.get(partition);
        if (before === undefined) {
          known.set(partition, { highWatermark, logStartOffset, logEndOffset });
          continue;
        }
        if (
          highWatermark < before.highWatermark || logStartOffset < before.logStartOffset ||
          logEndOffset < before.logEndOffset
        ) {
          return `${partition.topic}-${partition.partitionId}: ${JSON.stringify(before)} to ${
            JSON.stringify({ highWatermark, logStartOffset, logEndOffset })
          }`;
        }
        before.highWatermark = highWatermark;
        before.logStartOffset = logStartOffset;
        before.logEndOffset = logEndOffset;
      }
      return undefined;
    },
  };
}
