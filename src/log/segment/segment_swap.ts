/**
 * Putting a cleaned segment in the place of the segments that it was made from.
 *
 * A crash at any moment leaves either all of the old or all of the new:
 *
 *     1. B.index.cleaned … B.log.cleaned are there, whole and durable       old: `.cleaned` is removed
 *     2. their names are durable
 *     3. each is renamed to `.swap`, the log last; names durable            ── from here on: new ──
 *     4. files of the old segments → `.deleted`, and the log has the new one; names durable
 *     5. `.swap` → the final names, the log last; names durable
 *
 * While any `.cleaned` is left, opening the log takes it that nothing has happened; with B.log.swap and
 * no `.cleaned` it finishes what is left. The old names are durably gone before the new ones come:
 * otherwise a crash could leave an old segment beside the new one (Kafka does not wait here).
 * Source: kafka: LocalLog.replaceSegments, LogLoader.
 */
import { DiskFault, isPassing } from "../../env/disk.ts";
import type { Offset } from "../../ground/numbers.ts";
import { CLEANED_SUFFIX, SEGMENT_FILE_KINDS, SWAP_SUFFIX } from "../format.ts";
import { type Rename, renameFiles, undoRenames } from "../rename_files.ts";
import { filesToDelete, type RemovalLog, toDelete } from "./segment_removal.ts";
import { Segment, type SegmentContext } from "./segment.ts";
import { segmentPath } from "../index/segment_indexes.ts";
import type { Tail } from "../reading/tail_cache.ts";

/** What the cleaner has made: `<base>.{log,index,timeindex,txnindex}.cleaned`, whole and durable. */
export interface CleanedSegment {
  readonly baseOffset: Offset;
  readonly sizeInBytes: number;
}

export interface SwapLog extends RemovalLog {
  readonly tail: Tail;
  /** Asked after each wait: the log may have been closed. */
  readonly isUsable: () => boolean;
}

/**
 * Returns the paths of the old files; undefined where nothing was done, because the segments are not
 * there any more or the log is not.
 */
export async function swapSegments(
  log: SwapLog,
  replaced: readonly Offset[],
  cleaned: CleanedSegment,
): Promise<readonly string[] | undefined> {
  const { context, context: { disk, directory } } = log;
  if (!isThere(log, replaced, cleaned)) {
    removeCleaned(context, cleaned.baseOffset);
    return undefined;
  }
  await settleNames(log);
  await disk.syncDirectory(directory);
  if (!isThere(log, replaced, cleaned)) {
    removeCleaned(context, cleaned.baseOffset);
    return undefined;
  }
  const decided = renamesOf(context, cleaned.baseOffset, CLEANED_SUFFIX, SWAP_SUFFIX);
  let paths: readonly string[];
  try {
    renameFiles(disk, decided, log.onBroken);
    await disk.syncDirectory(directory);
    if (!isThere(log, replaced, cleaned)) return undefined; // closed: the next open finishes it
    paths = exchange(log, replaced, cleaned, decided);
  } catch (fault) {
    // A directory without room for longer names: all is as before, and the room is wanted back.
    const isUndone = fault instanceof DiskFault && isPassing(fault) && log.isUsable();
    if (isUndone) removeCleaned(context, cleaned.baseOffset);
    throw fault;
  }
  await settleNames(log).catch((fault: unknown) => {
    // Done it is: the next swap or the next open gives the names.
    if (!(fault instanceof DiskFault && isPassing(fault))) throw fault;
  });
  return paths;
}

/** Step 5; also of a swap before that had no handle left for its sync. */
async function settleNames(log: SwapLog): Promise<void> {
  const { context, context: { disk, directory }, segments } = log;
  const waiting = segments.all().filter(({ suffix }) => suffix !== "");
  if (waiting.length === 0) return;
  await disk.syncDirectory(directory);
  if (!log.isUsable()) return; // closed: the next open gives the names
  for (const segment of waiting) {
    renameFiles(disk, renamesOf(context, segment.baseOffset, SWAP_SUFFIX, ""), log.onBroken);
    segment.suffix = "";
  }
  await disk.syncDirectory(directory);
}

/** Step 4, in one go: a path always leads to the segment that the table says. */
function exchange(
  log: SwapLog,
  replaced: readonly Offset[],
  cleaned: CleanedSegment,
  decided: readonly Rename[],
): readonly string[] {
  const { context, context: { disk }, segments, tail } = log;
  const index = segments.indexOf(cleaned.baseOffset);
  const old = segments.all().slice(index, index + replaced.length);
  const aside = old.flatMap((segment) => filesToDelete(disk, segment));
  for (const { baseOffset } of old.slice(1)) {
    const path = segmentPath(context.directory, baseOffset, "snapshot");
    if (disk.info(path) !== undefined) aside.push(toDelete(path));
  }
  try {
    renameFiles(disk, aside, log.onBroken);
  } catch (fault) {
    undoRenames(disk, decided, log.onBroken); // and nothing has happened
    throw fault;
  }
  const segment = new Segment(context, cleaned);
  segment.suffix = SWAP_SUFFIX;
  segment.markDurable();
  segments.replace(index, old.length, segment);
  const lastOffset = segments.at(index + 1).baseOffset - 1;
  if (tail.indexOf(lastOffset) >= 0) tail.clear(); // it knows places in files that are gone
  for (const gone of old) gone.abandon();
  return aside.map(({ to }) => to);
}

/** Whether the log may be changed and has these segments, one behind the other and all closed. */
function isThere(log: SwapLog, replaced: readonly Offset[], cleaned: CleanedSegment): boolean {
  if (!log.isUsable() || replaced[0] !== cleaned.baseOffset) return false;
  const index = log.segments.indexOf(cleaned.baseOffset);
  if (index < 0 || index + replaced.length >= log.segments.count) return false;
  return replaced.every((baseOffset, at) => log.segments.at(index + at).baseOffset === baseOffset);
}

/** Of the files that are there. */
function renamesOf(
  { disk, directory }: SegmentContext,
  baseOffset: Offset,
  from: string,
  to: string,
): Rename[] {
  return SEGMENT_FILE_KINDS.map((kind) => segmentPath(directory, baseOffset, kind))
    .filter((path) => disk.info(path + from) !== undefined)
    .map((path) => ({ from: path + from, to: path + to }));
}

function removeCleaned({ disk, directory }: SegmentContext, baseOffset: Offset): void {
  for (const kind of SEGMENT_FILE_KINDS) {
    disk.remove(segmentPath(directory, baseOffset, kind) + CLEANED_SUFFIX);
  }
}
