/**
 * Taking segments out of the log whose records all lie below the log's start.
 *
 * Their files get other names and are removed later by somebody else, so that who is reading them
 * comes to an end. The caller has made the log's start durable before: what a crash leaves of the old
 * names is known to be below it, and goes when the log is opened.
 */
import type { Disk } from "../../env/disk.ts";
import type { Offset } from "../../ground/numbers.ts";
import { DELETED_SUFFIX, SEGMENT_FILE_KINDS } from "../format.ts";
import { type Rename, renameFiles } from "../rename_files.ts";
import type { Segment, SegmentContext } from "./segment.ts";
import { segmentPath } from "../index/segment_indexes.ts";
import type { Segments } from "./segments.ts";

export interface RemovalLog {
  readonly context: SegmentContext;
  readonly segments: Segments;
  /** Hears of a fault that leaves names and memory different. */
  readonly onBroken: (fault: unknown) => void;
}

/** Renames the files and forgets the segments, in one go; the names are not durable yet. */
export function takeSegmentsBelow(log: RemovalLog, logStartOffset: Offset): readonly string[] {
  const { segments, context } = log;
  const count = segments.floorIndex(logStartOffset);
  if (count === 0) return [];
  const gone = segments.all().slice(0, count);
  const left = segments.all().slice(count);
  const renames = gone.flatMap((segment) => filesToDelete(context.disk, segment));
  for (const { baseOffset } of snapshotsToDelete(context, gone, left)) {
    renames.push(toDelete(segmentPath(context.directory, baseOffset, "snapshot")));
  }
  renameFiles(context.disk, renames, log.onBroken);
  segments.replace(0, count);
  for (const segment of gone) segment.abandon();
  return renames.map(({ to }) => to);
}

/** Renames that put the files of a segment aside, its producer snapshot left out. */
export function filesToDelete(disk: Disk, segment: Segment): Rename[] {
  return SEGMENT_FILE_KINDS.map((kind) => segment.path(kind))
    .filter((path) => disk.info(path) !== undefined)
    .map(toDelete);
}

export function toDelete(path: string): Rename {
  return { from: path, to: path + DELETED_SUFFIX };
}

/** Of the segments that go, those whose snapshot goes too: the newest snapshot of a log stays. */
function snapshotsToDelete(
  context: SegmentContext,
  gone: readonly Segment[],
  left: readonly Segment[],
): readonly Segment[] {
  const hasSnapshot = ({ baseOffset }: Segment): boolean =>
    context.disk.info(segmentPath(context.directory, baseOffset, "snapshot")) !== undefined;
  const found = gone.filter(hasSnapshot);
  return left.some(hasSnapshot) ? found : found.slice(0, -1);
}
