/** logStartOffset <= highWatermark <= logEndOffset, and recoveryPoint <= logEndOffset. */
import type { Invariant } from "./invariant.ts";

export function logBounds(): Invariant {
  return {
    name: "log bounds",
    onNodeEvent(_node, partitions): string | undefined {
      for (const partition of partitions) {
        const { highWatermark, log } = partition;
        const { logStartOffset, logEndOffset, recoveryPoint } = log;
        if (
          logStartOffset <= highWatermark && highWatermark <= logEndOffset &&
          recoveryPoint <= logEndOffset
        ) continue;
        return `${partition.topic}-${partition.partitionId}: start ${logStartOffset}, ` +
          `high watermark ${highWatermark}, end ${logEndOffset}, recovery point ${recoveryPoint}`;
      }
      return undefined;
    },
  };
}
