/**
 * What the files of a partition's directory say by their names: segments, producer snapshots, and
 * index files whose log is missing.
 */
import type { FileInfo } from "../../env/disk.ts";
import type { Offset } from "../../ground/numbers.ts";
import { damageFault } from "./damage_fault.ts";
import { parseSegmentFileName } from "../format.ts";
import { orphanCases, type Stop } from "../recovery.ts";
import { Segment, type SegmentContext } from "../segment/segment.ts";
import { Segments } from "../segment/segments.ts";

export interface LogFiles {
  readonly segments: Segments;
  /** Offsets of the producer snapshots, going up. */
  readonly snapshots: readonly Offset[];
  /** Index files without a log, or with one that is empty. */
  readonly orphans: readonly Orphan[];
}

export interface Orphan {
  readonly baseOffset: Offset;
  readonly info: FileInfo;
}

export function findLogFiles(context: SegmentContext, files: readonly FileInfo[]): LogFiles {
  const segments = new Segments();
  const snapshots: Offset[] = [];
  const indexes: Orphan[] = [];
  const logs = new Set<number>();
  for (const info of files) {
    const parsed = parseSegmentFileName(info.name);
    if (parsed === undefined) continue;
    const baseOffset = parsed.offset;
    if (parsed.kind === "snapshot") snapshots.push(baseOffset);
    else if (parsed.kind === "log") {
      segments.add(new Segment(context, { baseOffset, sizeInBytes: info.bytes }));
      if (info.bytes > 0) logs.add(baseOffset);
    } else indexes.push({ baseOffset, info });
  }
  return { segments, snapshots, orphans: indexes.filter((at) => !logs.has(at.baseOffset)) };
}

/** Removes index files without a log, unless they say that a log was lost: then it throws. */
export function settleOrphans(
  context: SegmentContext,
  { segments, orphans }: LogFiles,
  hints: { readonly stop: Stop; readonly recoveryPoint: number; readonly logStartOffset: number },
): void {
  const removed: string[] = [];
  for (const { baseOffset, info } of orphans) {
    const facts = {
      stop: hints.stop,
      content: info.bytes === 0 ? "empty" as const : "entries" as const,
      start: baseOffset < hints.logStartOffset
        ? "below the log start" as const
        : "in the log" as const,
      recovery: baseOffset < hints.recoveryPoint ? "below" as const : "at or behind" as const,
    };
    let decision = orphanCases.decide({ ...facts, cover: "bare" });
    if (decision === "refuse" && isCovered(segments, baseOffset)) {
      decision = orphanCases.decide({ ...facts, cover: "covered" });
    }
    const path = `${context.directory}/${info.name}`;
    if (decision === "refuse") throw damageFault(path, "its log is not there, or empty");
    removed.push(path);
  }
  for (const path of removed) context.disk.remove(path);
}

/** Whether the segment before reaches over this offset. */
function isCovered(segments: Segments, baseOffset: number): boolean {
  const before = segments.all().findLast((segment) => segment.baseOffset < baseOffset);
  return before !== undefined && before.sizeInBytes > 0 && before.nextOffsetNow() > baseOffset;
}
