/**
 * Cutting a log's end off: what a follower does when its leader's log took another way.
 *
 *     1. planCut       looks up where, and the producers as of there; changes nothing
 *     2. dropBehind    segments behind go, the newest first; made durable
 *     3. cutSegment    the one in the middle is cut; made durable before anything is appended
 *
 * Batches of the way not taken must not come back behind new ones: a crash leaves the log as it was,
 * cut, or something in between, and never with a hole.
 */
import { type Offset, toOffset } from "../ground/numbers.ts";
import { type KnownLog, producersAt } from "./loading/kept_producers.ts";
import { findBatch } from "./reading/log_reader.ts";
import type { ProducerStates } from "./producers/producer_state.ts";
import { beginSegment } from "./log_roller.ts";
import type { Segment } from "./segment/segment.ts";
import { removeSnapshots } from "./producers/snapshot_files.ts";

export interface CuttableLog extends KnownLog {
  readonly producers: ProducerStates;
}

/** What is to be done. */
export interface LogCut {
  /** Where the log ends then; not behind the offset that was asked for. */
  readonly end: Offset;
  /** Nowhere on the way from here to there does the log end before this offset. */
  readonly safePoint: Offset;
  /** Segments from here on go. */
  readonly keptCount: number;
  /** The one that is cut, if any; its indexes are to be made anew. */
  readonly segment: Segment | undefined;
  readonly position: number;
  /** As of `end`. */
  readonly producers: ProducerStates;
  /** Offsets of snapshots from behind `end`. */
  readonly snapshots: readonly Offset[];
}

/**
 * Looks up where to cut so that every batch goes that holds `offset` or comes behind it. Below the first
 * segment the whole log goes, and the empty log begins at `offset`. In a gap between batches the log
 * ends at `offset`; otherwise where the first batch that goes begins.
 */
export async function planCut(log: KnownLog, offset: Offset): Promise<LogCut> {
  const { segments } = log;
  const index = segments.floorIndex(offset);
  const segment = segments.at(index);
  if (offset <= segment.baseOffset) return await cutAt(log, index, offset);
  const { sizeInBytes } = segment;
  const found = await findBatch(segment, offset, sizeInBytes);
  const end = toOffset(Math.min(offset, found?.baseOffset ?? offset));
  const position = found?.position ?? sizeInBytes;
  // An empty segment would begin where the log does not end: one at the end takes its place.
  if (position === 0) return await cutAt(log, index, end);
  return { ...await cutAt(log, index + 1, end), segment, position };
}

/** Keeps so many segments whole. */
async function cutAt(log: KnownLog, keptCount: number, end: Offset): Promise<LogCut> {
  // A gap may end the segment that stays; where its batches end is not known without looking.
  const safePoint = keptCount === 0 ? end : log.segments.at(keptCount - 1).baseOffset;
  const { producers, snapshotsBehind: snapshots } = await producersAt(log, end);
  return { end, safePoint, keptCount, segment: undefined, position: 0, producers, snapshots };
}

/**
 * Takes out the segments behind the cut. The newest goes first, so that what is left at any moment has
 * no hole; for the same reason this is durable before a segment is cut.
 */
export function dropBehind(log: CuttableLog, cut: LogCut): void {
  const { segments, context, producers } = log;
  for (const gone of segments.takeFrom(cut.keptCount).toReversed()) gone.remove();
  removeSnapshots(context, cut.snapshots);
  if (cut.segment === undefined) segments.add(beginSegment(context, cut.end));
  producers.clear();
  producers.load([...cut.producers.entries()]);
}

/** Where that leaves a gap before the log's end, an empty segment says where the end is. */
export async function cutSegment(
  { segments, context }: CuttableLog,
  { segment, position, end }: LogCut,
): Promise<void> {
  if (segment === undefined) return;
  segment.cut(position);
  segment.startIndexes();
  await segment.rebuildIndexes("the log was cut");
  if (segment.nextOffsetNow() < end) segments.add(beginSegment(context, end));
}
