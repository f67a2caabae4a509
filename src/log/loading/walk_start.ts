/**
 * Where the walk of a partly durable segment begins after a crash: at the last place that its indexes
 * know for certain, or before, where the producers are to be found from.
 */
import type { Disk } from "../../env/disk.ts";
import { BatchView } from "../../record/batch_view.ts";
import { BATCH_HEADER_BYTES, MAGIC } from "../../record/format.ts";
import type { Segment } from "../segment/segment.ts";
import {
  type IndexAnchor,
  type SegmentIndexes,
  takeOverIndexes,
} from "../index/segment_indexes.ts";

/** Where a walk begins, and the indexes that it extends. */
export interface WalkStart {
  readonly position: number;
  /** What the batch there must have as its last offset; undefined where nothing is known of it. */
  readonly lastOffset: number | undefined;
  readonly indexes: SegmentIndexes;
  /** Batches before this place are in the indexes. */
  readonly indexedTo: number;
}

/**
 * Undefined where the indexes do not say. Batches at or behind `producersFrom` are to be walked, and
 * all behind the recovery point.
 */
export async function findWalkStart(
  disk: Disk,
  segment: Segment,
  needs: { readonly recoveryPoint: number; readonly producersFrom: number },
): Promise<WalkStart | undefined> {
  const files = {
    offsets: disk.readWhole(segment.path("index")),
    times: disk.readWhole(segment.path("timeindex")),
  };
  const taken = takeOverIndexes(segment, files, needs.recoveryPoint);
  if (taken === undefined || !await isAnchor(segment, taken.anchor)) return undefined;
  const { anchor, indexes } = taken;
  const indexedTo = anchor.position;
  if (needs.producersFrom > anchor.lastOffset) {
    return { position: indexedTo, lastOffset: anchor.lastOffset, indexes, indexedTo };
  }
  return { ...indexes.offsets.lookup(needs.producersFrom - 1), indexes, indexedTo };
}

/** Whether the batch at the anchor is the one that both indexes mean. */
async function isAnchor(segment: Segment, anchor: IndexAnchor): Promise<boolean> {
  const { position, lastOffset, maxTimestamp } = anchor;
  const bytes = await segment.withFile((file) => file.read(position, BATCH_HEADER_BYTES));
  if (bytes.length < BATCH_HEADER_BYTES) return false;
  const batch = new BatchView(bytes);
  return batch.magic() === MAGIC && batch.baseOffset() >= segment.baseOffset &&
    batch.lastOffset() === lastOffset && batch.maxTimestamp() === maxTimestamp;
}
