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
import type { Crc32c } from "../ground/crc32c.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import type { BatchView } from "../record/batch_view.ts";
import { scan } from "./batch_scanner.ts";
import { parseSegmentFileName } from "./format.ts";
import { findBatch } from "./log_reader.ts";
import { ProducerStates } from "./producer_state.ts";
import { beginSegment } from "./log_roller.ts";
import type { Segment, SegmentContext } from "./segment.ts";
import type { Segments } from "./segments.ts";
import { loadSnapshot, removeSnapshots } from "./snapshot_files.ts";

export interface CuttableLog {
  readonly segments: Segments;
  readonly context: SegmentContext;
  readonly crc32c: Crc32c;
  readonly producers: ProducerStates;
}

/** What is to be done. */
export interface LogCut {
  /** Where the log ends then. */
  readonly end: Offset;
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
 * segment the whole log goes, and the empty log begins at `offset`.
 */
export async function planCut(log: CuttableLog, offset: Offset): Promise<LogCut> {
  const { segments } = log;
  const index = segments.floorIndex(offset);
  const segment = segments.at(index);
  if (offset <= segment.baseOffset) {
    const cut = { end: offset, keptCount: index, segment: undefined, position: 0 };
    return { ...cut, ...await producersAt(log, offset) };
  }
  const { sizeInBytes } = segment;
  const found = await findBatch(segment, offset, sizeInBytes);
  const end = toOffset(Math.min(offset, found?.baseOffset ?? offset));
  const position = found?.position ?? sizeInBytes;
  const producers = await producersAt(log, end);
  // An empty segment would begin where the log does not end: one at the end takes its place.
  if (position === 0) return { end, keptCount: index, segment: undefined, position, ...producers };
  return { end, keptCount: index + 1, segment, position, ...producers };
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

/** The producers as of `end`, from the newest sound snapshot and the batches behind it. */
async function producersAt(
  log: CuttableLog,
  end: Offset,
): Promise<Pick<LogCut, "producers" | "snapshots">> {
  const { segments, context, crc32c } = log;
  const snapshots: Offset[] = [];
  for (const file of context.disk.list(context.directory)) {
    const parsed = parseSegmentFileName(file.name);
    if (parsed?.kind === "snapshot") snapshots.push(parsed.offset);
  }
  const producers = new ProducerStates();
  const offsets = snapshots.filter((offset) => offset <= end);
  const from = loadSnapshot(context, crc32c, { offsets, producers }) ?? 0;
  const visit = (batch: BatchView): boolean => {
    if (batch.lastOffset() >= end) return false;
    if (batch.lastOffset() >= from) producers.update(batch);
    return true;
  };
  for (const segment of segments.all().slice(segments.floorIndex(from))) {
    if (segment.baseOffset >= end) break;
    const range = { position: 0, end: segment.sizeInBytes, mode: "header" as const };
    await segment.withFile((file) => scan(file, range, visit));
  }
  return { producers, snapshots: snapshots.filter((offset) => offset > end) };
}
