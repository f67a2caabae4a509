/** logStartOffset <= highWatermark <= logEndOffset, and recoveryPoint <= logEndOffset. */
import type { Invariant } from "./invariant.ts";

export function logBounds(): Invariant {
  return {
    name: "log bounds",
    onPartition({ partition, now }): string | undefined {
      const { highWatermark, logStartOffset, logEndOffset, recoveryPoint } = now;
      if (
        logStartOffset <= highWatermark && highWatermark <= logEndOffset &&
        recoveryPoint <= logEndOffset
      ) return undefined;
      return `${partition.topic}-${partition.partitionId}: start ${logStartOffset}, ` +
        `high watermark ${highWatermark}, end ${logEndOffset}, recovery point ${recoveryPoint}`;
    },
  };
}
