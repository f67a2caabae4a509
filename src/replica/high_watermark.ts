/**
 * The one number on which acknowledgement, visibility and parked replies hang.
 *
 * With a single replica the in-sync set is the leader alone, and only the durability class decides
 * (see `mq.durability`): in memory every appended record counts; with fsync only what the disk has.
 */
import { assert } from "../ground/assert.ts";
import type { Offset } from "../ground/numbers.ts";

export type Durability = "memory" | "quorum-fsync" | "all-fsync";

/**
 * The high watermark of a partition whose in-sync set is the leader alone.
 *
 * Unit:  offsets, exclusive bound.
 * Keeps: never below `present`, never above `logEndOffset`.
 */
export function leaderHighWatermark(
  present: Offset,
  durability: Durability,
  logEndOffset: Offset,
  durableOffset: Offset,
): Offset {
  assert(durableOffset <= logEndOffset, "what is durable was appended");
  const reached = durability === "memory" ? logEndOffset : durableOffset;
  return reached > present ? reached : present;
}
