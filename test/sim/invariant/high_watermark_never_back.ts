/** Within one life of a node no partition's high watermark, log start or log end goes back. */
import type { Invariant } from "./invariant.ts";

export function highWatermarkNeverBack(): Invariant {
  return {
    name: "high watermark never back",
    onPartition({ partition, now, before }): string | undefined {
      if (
        before === undefined ||
        now.highWatermark >= before.highWatermark && now.logStartOffset >= before.logStartOffset &&
          now.logEndOffset >= before.logEndOffset
      ) return undefined;
      return `${partition.topic}-${partition.partitionId}: ${JSON.stringify(before)} to ${
        JSON.stringify(now)
      }`;
    },
  };
}
