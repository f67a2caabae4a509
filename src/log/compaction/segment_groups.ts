/**
 * Which neighbouring segments are written into one, so that compaction does not leave a great number
 * of ever smaller segments. Pure. Source: kafka: Cleaner.groupSegmentsBySize.
 */
import type { Offset } from "../../ground/numbers.ts";
import { RELATIVE_OFFSET_MAX } from "../format.ts";

export interface GroupedSegment {
  readonly baseOffset: Offset;
  readonly nextOffset: Offset;
  readonly sizeInBytes: number;
  readonly offsetIndexBytes: number;
  readonly timeIndexBytes: number;
}

export interface GroupLimits {
  readonly segmentBytes: number;
  readonly segmentIndexBytes: number;
}

/** Every group fits into one segment with its indexes, as if nothing would be dropped. */
export function groupSegments<One extends GroupedSegment>(
  segments: readonly One[],
  limits: GroupLimits,
): readonly (readonly One[])[] {
  const groups: One[][] = [];
  let group: One[] = [];
  let sum = { sizeInBytes: 0, offsetIndexBytes: 0, timeIndexBytes: 0 };
  for (const segment of segments) {
    const joined = {
      sizeInBytes: sum.sizeInBytes + segment.sizeInBytes,
      offsetIndexBytes: sum.offsetIndexBytes + segment.offsetIndexBytes,
      timeIndexBytes: sum.timeIndexBytes + segment.timeIndexBytes,
    };
    const fits = joined.sizeInBytes <= limits.segmentBytes &&
      joined.offsetIndexBytes <= limits.segmentIndexBytes &&
      joined.timeIndexBytes <= limits.segmentIndexBytes &&
      isInReach(group[0] ?? segment, segment);
    if (group.length === 0 || !fits) {
      group = [segment];
      groups.push(group);
      sum = segment;
    } else {
      group.push(segment);
      sum = joined;
    }
  }
  return groups;
}

/** Whether all offsets up to where a group ends can be told relative to its first base. */
export function isInReach(
  first: Pick<GroupedSegment, "baseOffset">,
  last: Pick<GroupedSegment, "nextOffset">,
): boolean {
  return last.nextOffset - 1 - first.baseOffset <= RELATIVE_OFFSET_MAX;
}
