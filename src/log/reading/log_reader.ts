/**
 * Reading a log by offset, from memory where the tail has it, from the file otherwise.
 *
 * A slice holds whole batches of one segment, and nothing is copied: of the file only headers around
 * the two ends are looked at, if all between them was found to be sound not long ago or was appended
 * by this process (`verified_ranges.ts`). Everything else is read and checked before it is given out
 * (`checked_reads.ts`), once for all who ask for it at the time. It lies in the page cache then.
 * Not here: searching by time (`time_search.ts`). Longer than most: what is known to be sound and what
 * is not meet here, and both find their batches by the same walk.
 */
import { concat } from "../../ground/concat.ts";
import type { Offset } from "../../ground/numbers.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { scan } from "../batch_scanner.ts";
import {
  type CheckedGoal as ReadGoal,
  type CheckedLog,
  type CheckedRange,
  noteNextRead,
  readChecked,
} from "./checked_reads.ts";
import { LogFault } from "../log_fault.ts";
import { EMPTY_SLICE, fileSlice, type LogSlice } from "./log_slice.ts";
import type { OffsetPosition } from "../index/offset_index.ts";
import type { FoundBatch, NextRead, Segment } from "../segment/segment.ts";
import { searchAgain } from "../segment/segments.ts";
import type { Tail, TailBatch } from "./tail_cache.ts";

export interface ReadLimits {
  /** The first batch is given whole even where it is larger. */
  readonly bytesMax: number;
  /** Exclusive; the boundary of a batch. */
  readonly upTo: Offset;
  readonly logEndOffset: Offset;
}

export interface ReadableLog extends CheckedLog {
  readonly tail: Tail;
}

/** Mean bytes of batches below which they are copied together: one write beats many small ones. */
const SMALL_BATCH_BYTES = 4096;
/** Covers the usual `index.interval.bytes` and one small batch. */
const WALK_FIRST_BYTES = 5 * 1024;

/** At once from the tail, by a promise from files. Throws and rejects with `DiskFault` and `LogFault`. */
export function readLog(
  log: ReadableLog,
  offset: number,
  limits: ReadLimits,
): LogSlice | Promise<LogSlice> {
  try {
    const slice = readTail(log, offset, limits);
    if (slice !== undefined) return slice;
  } catch (fault) {
    log.reads.onFailed(log.directory, fault);
    throw fault;
  }
  return searchAgain(log.segments, () => readFiles(log, offset, limits)).catch((fault: unknown) => {
    log.reads.onFailed(log.directory, fault);
    throw fault;
  });
}

/** Undefined where the tail does not hold `offset`, or what it held may have left the page cache. */
function readTail(log: ReadableLog, offset: number, limits: ReadLimits): LogSlice | undefined {
  const batches = tailBatches(log.tail, offset, limits);
  const first = batches?.[0];
  if (batches === undefined || first === undefined) return batches && EMPTY_SLICE;
  const last = batches.at(-1) as TailBatch;
  const baseOffset = first.baseOffset as Offset;
  const nextOffset = last.lastOffset + 1 as Offset;
  const byteLength = last.position + last.sizeInBytes - first.position;
  const parts: Uint8Array[] = [];
  for (const { bytes } of batches) {
    if (bytes === undefined) break;
    parts.push(bytes);
  }
  if (parts.length < batches.length) {
    const segment = log.segments.at(log.segments.floorIndex(first.baseOffset));
    const coveredTo = segment.verified.coveredTo(first.position, log.reads.sinceMs());
    if (coveredTo < first.position + byteLength) return undefined;
    return {
      baseOffset,
      nextOffset,
      parts: [fileSlice(segment.shared(), first.position, byteLength)],
      byteLength,
    };
  }
  const isMany = parts.length > 1 && byteLength / parts.length < SMALL_BATCH_BYTES;
  return { baseOffset, nextOffset, parts: isMany ? [concat(parts)] : parts, byteLength };
}

/** Batches of one segment, as many as may be read; undefined where the tail does not hold `offset`. */
function tailBatches(
  tail: Tail,
  offset: number,
  limits: ReadLimits,
): readonly TailBatch[] | undefined {
  const first = tail.indexOf(offset);
  let batch = first < 0 ? undefined : tail.at(first);
  if (batch === undefined) return undefined;
  const batches: TailBatch[] = [];
  let byteLength = 0;
  let end = batch.position;
  for (let index = first + 1; batch !== undefined && batch.lastOffset < limits.upTo; index++) {
    const isNextSegment = batch.position !== end;
    if (isNextSegment) break;
    if (batches.length > 0 && byteLength + batch.sizeInBytes > limits.bytesMax) break;
    batches.push(batch);
    byteLength += batch.sizeInBytes;
    end += batch.sizeInBytes;
    if (byteLength >= limits.bytesMax) break;
    batch = tail.at(index);
  }
  return batches;
}

/** What the file of one segment holds of the asked range; the next segment where that is nothing. */
async function readFiles(
  log: ReadableLog,
  offset: number,
  limits: ReadLimits,
): Promise<LogSlice> {
  const { segments } = log;
  // Taken before the first await: what is appended later is behind `upTo` in any case.
  const candidates = segments.all().slice(segments.floorIndex(offset));
  const sizes = candidates.map((segment) => segment.sizeInBytes);
  for (const [index, segment] of candidates.entries()) {
    if (segment.baseOffset >= limits.upTo) return EMPTY_SLICE;
    const goal = {
      offset,
      bytesMax: limits.bytesMax,
      upTo: limits.upTo,
      end: sizes[index] as number,
      ceiling: candidates[index + 1]?.baseOffset ?? limits.logEndOffset,
    };
    const found = await readSegment(log, segment, goal);
    if (found === "gap") continue; // behind the last batch of this segment
    return found === "none" ? EMPTY_SLICE : sliceOf(segment, found);
  }
  return EMPTY_SLICE;
}

function sliceOf(segment: Segment, range: CheckedRange): LogSlice {
  const byteLength = range.stop - range.position;
  return {
    baseOffset: range.baseOffset as Offset,
    nextOffset: range.nextOffset as Offset,
    parts: [fileSlice(segment.shared(), range.position, byteLength)],
    byteLength,
  };
}

async function readSegment(
  log: ReadableLog,
  segment: Segment,
  goal: ReadGoal,
): Promise<CheckedRange | "gap" | "none"> {
  const { verified } = segment;
  for (;;) {
    const sinceMs = log.reads.sinceMs();
    const found = await readCovered(segment, goal, sinceMs);
    if (typeof found !== "number") return found;
    const other = sinceMs === Infinity ? undefined : verified.checkAt(found);
    if (other === undefined) {
      const check = {
        position: found,
        end: found + goal.bytesMax + 1,
        done: readChecked(log, segment, goal),
      };
      verified.startCheck(check);
      try {
        return await check.done;
      } finally {
        verified.endCheck(check);
      }
    }
    await other.done.catch(() => undefined); // who asked for it hears of it
  }
}

/**
 * Finds the range by headers alone, in what is known to be sound; otherwise gives the place from which
 * on it has to be checked. A range that is known for its larger part is cut there.
 */
async function readCovered(
  segment: Segment,
  goal: ReadGoal,
  sinceMs: number,
): Promise<CheckedRange | "none" | number> {
  const { offset, upTo, bytesMax } = goal;
  const noted = segment.nextReads.find(({ baseOffset }) => baseOffset === offset);
  const from = await startOf(segment, noted, offset);
  const end = Math.min(segment.verified.coveredTo(from.position, sinceMs), goal.end);
  if (end <= from.position) return from.position;
  const first = soundBatch(noted, end) ?? await walkTo(segment, from, { offset, end });
  if (first === undefined || first === "lie") return from.position;
  if (noted !== undefined) noteNextRead(segment, { ...noted, sound: first });
  if (first.baseOffset >= upTo) return "none";
  let bound = goal.end;
  let boundOffset = Math.min(goal.ceiling, upTo);
  if (goal.ceiling > upTo) {
    const entry = await lookup(segment, upTo);
    const last = entry.position < end
      ? await walkTo(segment, entry, { offset: upTo, end })
      : undefined;
    if (last === "lie") return from.position;
    if (last !== undefined) [bound, boundOffset] = [last.position, upTo];
  }
  const limit = first.position + Math.max(bytesMax, first.sizeInBytes);
  if (limit >= bound && bound <= end) {
    return {
      position: first.position,
      stop: bound,
      baseOffset: first.baseOffset,
      nextOffset: boundOffset,
    };
  }
  const isShort = end < limit &&
    (end - first.position) * 2 < Math.min(limit, bound) - first.position;
  if (isShort) return from.position;
  const { stop, nextOffset } = await wholeBatchesEnd(segment, first, Math.min(limit, end), end);
  return { position: first.position, stop, baseOffset: first.baseOffset, nextOffset };
}

/** Where a walk to `offset` begins. */
function startOf(
  segment: Segment,
  noted: NextRead | undefined,
  offset: number,
): OffsetPosition | Promise<OffsetPosition> {
  if (noted === undefined) return lookup(segment, offset);
  return { position: noted.position, lastOffset: undefined };
}

/** What a read before has learned of the batch, where all of that is still known to be sound. */
function soundBatch(noted: NextRead | undefined, end: number): FoundBatch | undefined {
  const sound = noted?.sound;
  return sound !== undefined && sound.position + sound.sizeInBytes <= end ? sound : undefined;
}

/** An index that cannot be had, because damage keeps it from being made anew, leads to the start. */
async function lookup(segment: Segment, offset: number): Promise<OffsetPosition> {
  try {
    return (await segment.indexes()).offsets.lookup(offset);
  } catch (fault) {
    if (!(fault instanceof LogFault)) throw fault;
    return { position: 0, lastOffset: undefined };
  }
}

/** The first batch of the segment that ends at or behind `offset`; undefined where there is none. */
export async function findBatch(
  segment: Segment,
  offset: number,
  end: number,
): Promise<FoundBatch | undefined> {
  const indexes = await segment.indexes();
  const result = await walkTo(segment, indexes.offsets.lookup(offset), { offset, end });
  if (result !== "lie") return result;
  const rebuilt = await segment.rebuildIndexes("an entry does not point to its batch");
  const second = await walkTo(segment, rebuilt.offsets.lookup(offset), { offset, end });
  if (second !== "lie") return second;
  throw new LogFault(
    segment.path("log"),
    `Cannot read ${segment.path("log")}: no batches where they were`,
  );
}

/** Walks from an index entry; "lie" where that entry or what lies there is no batch of this segment. */
async function walkTo(
  segment: Segment,
  from: OffsetPosition,
  goal: { readonly offset: number; readonly end: number },
): Promise<FoundBatch | undefined | "lie"> {
  if (from.position >= goal.end) return undefined;
  let found: FoundBatch | undefined;
  let isLie = false;
  const visit = (batch: BatchView, position: number): boolean => {
    const baseOffset = batch.baseOffset();
    const lastOffset = batch.lastOffset();
    isLie = baseOffset < segment.baseOffset ||
      position === from.position && from.lastOffset !== undefined && from.lastOffset !== lastOffset;
    if (isLie) return false;
    if (lastOffset < goal.offset) return true;
    found = {
      position,
      sizeInBytes: batch.sizeInBytes(),
      baseOffset,
      nextOffset: batch.nextOffset(),
    };
    return false;
  };
  const range = { position: from.position, end: goal.end, firstBytes: WALK_FIRST_BYTES };
  const { ending } = await segment.withFile((file) =>
    scan(file, { ...range, mode: "header" }, visit)
  );
  return isLie || ending === "corrupt" || ending === "torn" ? "lie" : found;
}

/** Where the last whole batch at or below `limit` ends, not beyond `end`; at least behind the first one. */
async function wholeBatchesEnd(
  segment: Segment,
  first: FoundBatch,
  limit: number,
  end: number,
): Promise<{ readonly stop: number; readonly nextOffset: number }> {
  const firstEnd = first.position + first.sizeInBytes;
  let stop = firstEnd;
  let nextOffset = first.nextOffset;
  if (firstEnd >= limit) return { stop, nextOffset };
  const { offsets } = await segment.indexes();
  const entry = offsets.lastUpTo(Math.min(limit, end - 1));
  const isNear = entry.lastOffset !== undefined && entry.position > firstEnd;
  // An entry behind the first batch is near enough to the limit; the next read goes on from it.
  if (isNear && limit < end) {
    const offset = entry.lastOffset ?? 0;
    const found = await walkTo(segment, entry, { offset, end });
    if (found !== undefined && found !== "lie") {
      const { position, baseOffset } = found;
      noteNextRead(segment, { position, baseOffset, sound: found });
      return { stop: position, nextOffset: baseOffset };
    }
  }
  const visit = (batch: BatchView, position: number): boolean => {
    if (position + batch.sizeInBytes() > limit) return false;
    stop = position + batch.sizeInBytes();
    nextOffset = batch.nextOffset();
    return true;
  };
  const position = isNear ? entry.position : firstEnd;
  const range = { position, end, firstBytes: WALK_FIRST_BYTES };
  await segment.withFile((file) => scan(file, { ...range, mode: "header" }, visit));
  return { stop, nextOffset };
}
