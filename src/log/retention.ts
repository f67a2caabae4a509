/**
 * Which of a log's oldest segments go.
 *
 * From the first segment on, and up to the first that stays, so that what is left is always the end of
 * the log without a hole. A segment goes when one of these holds (kafka: UnifiedLog.deleteOldSegments):
 *
 *     start   it lies wholly below the log start offset; whatever the cleanup policy
 *     bytes   without it the log still holds `retention.bytes` or more
 *     time    the latest time in it is more than `retention.ms` ago; a time in the future keeps it
 *
 * No segment goes that reaches beyond the high watermark. When all go, the active one is rolled first;
 * an empty one stays. Kafka leaves an active segment that lies below the start in its place until it
 * is full; here the room of records that were deleted is given back.
 * Not here: how old a segment without any time is, the clock, files.
 */
import { assert } from "../ground/assert.ts";
import type { Offset } from "../ground/numbers.ts";

export interface RetainedSegment {
  readonly baseOffset: Offset;
  /** The base offset of the next one, or the end of the log. */
  readonly nextOffset: Offset;
  readonly sizeInBytes: number;
  readonly isActive: boolean;
  /** Undefined where it was not looked up yet. */
  readonly maxTimestamp: number | undefined;
}

export interface RetainedLog {
  /** Oldest first; the last one is the active one. */
  readonly segments: readonly RetainedSegment[];
  readonly logStartOffset: Offset;
  readonly highWatermark: Offset;
}

export interface RetentionLimits {
  /** Whether the cleanup policy has "delete". */
  readonly isDeleted: boolean;
  /** -1 is no limit. */
  readonly retentionMs: number;
  /** -1 is no limit. */
  readonly retentionBytes: number;
}

export type RetentionReason = "start" | "bytes" | "time";

export interface RetentionDecision {
  /** Leading segments that go, by reason; a segment counts once. */
  readonly removed: Readonly<Record<RetentionReason, number>>;
  readonly removedCount: number;
  readonly removedBytes: number;
  /** Where the log shall start; where it starts now, if nothing goes. */
  readonly startOffset: Offset;
  /** The active segment goes as well, so there must be a new one first. */
  readonly needsRoll: boolean;
  /** Index of a segment whose time must be known before more can be said. */
  readonly timeWanted: number | undefined;
}

/** Decides as far as the times that are known allow; with `timeWanted` set it is not the last word. */
export function decideRetention(
  log: RetainedLog,
  limits: RetentionLimits,
  now: number,
): RetentionDecision {
  const { segments, logStartOffset } = log;
  const removed = { start: 0, bytes: 0, time: 0 };
  let leftBytes = segments.reduce((sum, segment) => sum + segment.sizeInBytes, 0);
  const totalBytes = leftBytes;
  let startOffset = logStartOffset;
  let index = 0;
  let timeWanted: number | undefined;
  for (; index < segments.length; index++) {
    const segment = segments[index] as RetainedSegment;
    if (!mayGo(segment, log)) break;
    const reason = reasonOf(segment, { leftBytes, logStartOffset, now }, limits);
    if (reason === "unknown") timeWanted = index;
    if (reason === undefined || reason === "unknown") break;
    removed[reason]++;
    leftBytes -= segment.sizeInBytes;
    startOffset = Math.max(startOffset, segment.nextOffset) as Offset;
  }
  assert(
    startOffset <= log.highWatermark || index === 0,
    "the start stays within what is committed",
  );
  return {
    removed,
    removedCount: index,
    removedBytes: totalBytes - leftBytes,
    startOffset,
    needsRoll: index > 0 && index === segments.length,
    timeWanted,
  };
}

function mayGo({ nextOffset, sizeInBytes, isActive }: RetainedSegment, log: RetainedLog): boolean {
  if (isActive && sizeInBytes === 0) return false;
  return nextOffset <= log.highWatermark;
}

interface Circumstances {
  /** Of this segment and all behind it. */
  readonly leftBytes: number;
  readonly logStartOffset: Offset;
  readonly now: number;
}

function reasonOf(
  segment: RetainedSegment,
  { leftBytes, logStartOffset, now }: Circumstances,
  { isDeleted, retentionMs, retentionBytes }: RetentionLimits,
): RetentionReason | "unknown" | undefined {
  const { nextOffset, maxTimestamp, sizeInBytes } = segment;
  if (nextOffset <= logStartOffset) return "start";
  if (!isDeleted) return undefined;
  if (retentionBytes >= 0 && leftBytes - sizeInBytes >= retentionBytes) return "bytes";
  if (retentionMs < 0) return undefined;
  if (maxTimestamp === undefined) return "unknown";
  return now - maxTimestamp > retentionMs ? "time" : undefined;
}
