/**
 * When a log begins a new segment.
 *
 * Pure: a function of what is known. An idle log does not roll: only an append asks, retention when the
 * active segment has expired as a whole, and the cleaner after `max.compaction.lag.ms`.
 * Source: kafka: LogSegment.shouldRoll, LogSegment.timeWaitedForRoll, LogConfig.randomSegmentJitter.
 */
import type { Random } from "../../env/random.ts";
import { OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES } from "../format.ts";

export interface LogSettings {
  readonly segmentBytes: number;
  readonly segmentMs: number;
  /** The most that may be taken off `segmentMs`, by chance, for each segment. */
  readonly segmentJitterMs: number;
  readonly indexIntervalBytes: number;
  readonly segmentIndexBytes: number;
}

export type RollReason = "size" | "time" | "index" | "offset";

export interface RollFacts {
  readonly sizeInBytes: number;
  readonly batchBytes: number;
  /** Milliseconds since the segment's first batch, in the batches' own time where they have one. */
  readonly waitedMs: number;
  readonly offsetEntries: number;
  readonly timeEntries: number;
  /** Whether the batch's last offset can be told relative to the segment's base. */
  readonly isInReach: boolean;
}

/** Why the batch must go into a new segment; undefined where it fits into the present one. */
export function rollReason(
  facts: RollFacts,
  settings: LogSettings,
  jitterMs: number,
): RollReason | undefined {
  if (facts.sizeInBytes === 0) return facts.isInReach ? undefined : "offset";
  if (facts.sizeInBytes > settings.segmentBytes - facts.batchBytes) return "size";
  if (facts.waitedMs > settings.segmentMs - jitterMs) return "time";
  const indexBytesMax = settings.segmentIndexBytes;
  if (facts.offsetEntries >= Math.floor(indexBytesMax / OFFSET_ENTRY_BYTES)) return "index";
  // The time index keeps room for the entry of the seal.
  if (facts.timeEntries >= Math.floor(indexBytesMax / TIME_ENTRY_BYTES) - 1) return "index";
  return facts.isInReach ? undefined : "offset";
}

/** How much earlier a new segment rolls by time than `segment.ms` says. */
export function rollJitterMs(settings: LogSettings, random: Random): number {
  const bound = Math.min(settings.segmentJitterMs, settings.segmentMs);
  return bound === 0 ? 0 : random.below(bound);
}

/** Source: kafka: LogSegment.timeWaitedForRoll. */
export function waitedMs(
  segment: { readonly firstTimestamp: number | undefined; readonly createdMs: number },
  batch: { readonly now: number; readonly maxTimestamp: number },
): number {
  const { firstTimestamp, createdMs } = segment;
  return firstTimestamp === undefined ? batch.now - createdMs : batch.maxTimestamp - firstTimestamp;
}
