/**
 * What of a log may be compacted, and which log is to be compacted first. Pure.
 *
 *     log start        first dirty          first uncleanable      active segment
 *         │ cleaned before  │ keys may be there twice │ too young, undecided  │ being written
 *         ▼                 ▼                         ▼                       ▼
 *     ────█████████████████████████████████████████████████████████████████████████
 *
 * Bounds lie where segments begin: what is in one segment with something uncleanable waits for it.
 * Source: kafka: LogCleanerManager.cleanableOffsets, calculateCleanableBytes, maxCompactionDelay,
 * grabFilthiestCompactedLog.
 */
import type { Offset } from "../../ground/numbers.ts";

/** A segment as compaction sees it; `nextOffset` is where the next one begins. */
export interface SegmentRange {
  readonly baseOffset: Offset;
  readonly nextOffset: Offset;
  readonly sizeInBytes: number;
  readonly isActive: boolean;
}

/** Where the part begins that was not compacted yet: a checkpoint outside the log says nothing. */
export function firstDirtyOffset(
  log: { readonly logStartOffset: Offset; readonly logEndOffset: Offset },
  checkpoint: Offset,
): Offset {
  return checkpoint < log.logStartOffset || checkpoint > log.logEndOffset
    ? log.logStartOffset
    : checkpoint;
}

/** The closed segments that hold anything from `firstDirty` on, oldest first. */
export function dirtySegments<Range extends SegmentRange>(
  segments: readonly Range[],
  firstDirty: Offset,
): readonly Range[] {
  return segments.filter((segment) => !segment.isActive && segment.nextOffset > firstDirty);
}

/**
 * Where the part begins that must not be compacted: the segment of the first offset that is too young
 * or not decided (`bounds`), and the active one in any case.
 */
export function firstUncleanableOffset(
  segments: readonly SegmentRange[],
  bounds: readonly (Offset | undefined)[],
): Offset {
  const bound = Math.min(...bounds.map((each) => each ?? Infinity));
  const segment = segments.find((each) => each.isActive || each.nextOffset > bound);
  return segment?.baseOffset ?? (0 as Offset);
}

export interface Dirt {
  /** In segments that lie before the first uncleanable offset. */
  readonly cleanableBytes: number;
  /** Of the bytes that a compaction would read, how many are dirty. */
  readonly ratio: number;
}

/** A segment that is clean in part counts on both sides. */
export function dirtOf(
  segments: readonly SegmentRange[],
  range: { readonly firstDirty: Offset; readonly firstUncleanable: Offset },
): Dirt {
  const { firstDirty, firstUncleanable } = range;
  let cleanBytes = 0;
  let cleanableBytes = 0;
  for (const { baseOffset, nextOffset, sizeInBytes } of segments) {
    if (baseOffset < firstDirty) cleanBytes += sizeInBytes;
    const isCleanable = nextOffset <= firstUncleanable && nextOffset > firstDirty;
    if (isCleanable) cleanableBytes += sizeInBytes;
  }
  return { cleanableBytes, ratio: cleanableBytes / Math.max(1, cleanBytes + cleanableBytes) };
}

/** A log that might be compacted. */
export interface Candidate {
  readonly dirt: Dirt;
  readonly minCleanableDirtyRatio: number;
  /** Whether something in it has waited for longer than `max.compaction.lag.ms`. */
  readonly isOverdue: boolean;
}

export function isDue(candidate: Candidate): boolean {
  const { cleanableBytes, ratio } = candidate.dirt;
  if (cleanableBytes === 0) return false;
  return candidate.isOverdue || ratio > candidate.minCleanableDirtyRatio;
}

/** The candidate with the greatest part of dirt among those that are due. */
export function filthiestOf<One extends Candidate>(candidates: readonly One[]): One | undefined {
  let filthiest: One | undefined;
  for (const candidate of candidates) {
    if (!isDue(candidate)) continue;
    if (filthiest === undefined || candidate.dirt.ratio > filthiest.dirt.ratio) {
      filthiest = candidate;
    }
  }
  return filthiest;
}
