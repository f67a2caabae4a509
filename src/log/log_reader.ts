/**
 * Reading a log by offset, from memory where the tail has it, from the file otherwise.
 *
 * A slice holds whole batches of one segment. Nothing is copied, and of the file only the headers
 * around its two ends are looked at. Not here: searching by time (`time_search.ts`).
 */
import { concat } from "../ground/concat.ts";
import type { Offset } from "../ground/numbers.ts";
import type { BatchView } from "../record/batch_view.ts";
import { scan } from "./batch_scanner.ts";
import { LogFault } from "./log_fault.ts";
import { EMPTY_SLICE, fileSlice, type LogSlice } from "./log_slice.ts";
import type { OffsetPosition } from "./offset_index.ts";
import type { FoundBatch, Segment } from "./segment.ts";
import type { Segments } from "./segments.ts";
import type { Tail, TailBatch } from "./tail_cache.ts";

export interface ReadLimits {
  /** The first batch is given whole even where it is larger. */
  readonly bytesMax: number;
  /** Exclusive; the boundary of a batch. */
  readonly upTo: Offset;
  readonly logEndOffset: Offset;
}

/** Mean bytes of batches below which they are copied together: one write beats many small ones. */
const SMALL_BATCH_BYTES = 4096;
/** Covers the usual `index.interval.bytes` and one small batch. */
const WALK_FIRST_BYTES = 5 * 1024;
/** Consumers of one segment that are remembered. */
const NEXT_READS_MAX = 8;

/** Undefined where the tail does not hold `offset`. */
export function readTail(
  { tail, segments }: { readonly tail: Tail; readonly segments: Segments },
  offset: number,
  limits: ReadLimits,
): LogSlice | undefined {
  const batches = tailBatches(tail, offset, limits);
  const first = batches?.[0];
  if (batches === undefined || first === undefined) return batches && EMPTY_SLICE;
  const baseOffset = first.baseOffset as Offset;
  const nextOffset = (batches.at(-1) as TailBatch).lastOffset + 1 as Offset;
  const byteLength = batches.reduce((sum, batch) => sum + batch.sizeInBytes, 0);
  const parts = batches.flatMap(({ bytes }) => bytes === undefined ? [] : [bytes]);
  if (parts.length < batches.length) {
    const segment = segments.at(segments.floorIndex(first.baseOffset));
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
export async function readFiles(
  segments: Segments,
  offset: number,
  limits: ReadLimits,
): Promise<LogSlice> {
  // Taken before the first await: what is appended later is behind `upTo` in any case.
  const candidates = segments.all().slice(segments.floorIndex(offset));
  const sizes = candidates.map((segment) => segment.sizeInBytes);
  for (const [index, segment] of candidates.entries()) {
    if (segment.baseOffset >= limits.upTo) return EMPTY_SLICE;
    const end = sizes[index] as number;
    const first = segment.nextReads.find((batch) => batch.baseOffset === offset) ??
      await findBatch(segment, offset, end);
    if (first === undefined) continue; // in a gap behind the last batch of this segment
    const segmentEnd = candidates[index + 1]?.baseOffset ?? limits.logEndOffset;
    const isCut = segmentEnd > limits.upTo;
    const bound = isCut ? (await findBatch(segment, limits.upTo, end))?.position ?? end : end;
    if (first.position >= bound) return EMPTY_SLICE;
    const limit = first.position + Math.max(limits.bytesMax, first.sizeInBytes);
    const { stop, nextOffset } = limit >= bound
      ? { stop: bound, nextOffset: Math.min(segmentEnd, limits.upTo) }
      : await wholeBatchesEnd(segment, first, limit);
    const byteLength = stop - first.position;
    return {
      baseOffset: first.baseOffset as Offset,
      nextOffset: nextOffset as Offset,
      parts: [fileSlice(segment.shared(), first.position, byteLength)],
      byteLength,
    };
  }
  return EMPTY_SLICE;
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

/** Where the last whole batch at or below `limit` ends; at least behind the first one. */
async function wholeBatchesEnd(
  segment: Segment,
  first: FoundBatch,
  limit: number,
): Promise<{ readonly stop: number; readonly nextOffset: number }> {
  const firstEnd = first.position + first.sizeInBytes;
  if (firstEnd >= limit) return { stop: firstEnd, nextOffset: first.nextOffset };
  const entry = (await segment.indexes()).offsets.lastUpTo(limit);
  // An entry behind the first batch is near enough to the limit; the next read goes on from it.
  if (entry.lastOffset !== undefined && entry.position > firstEnd) {
    const found = await findBatch(segment, entry.lastOffset, segment.sizeInBytes);
    if (found !== undefined && found.position <= limit) {
      noteNextRead(segment, found);
      return { stop: found.position, nextOffset: found.baseOffset };
    }
  }
  let stop = firstEnd;
  let nextOffset = first.nextOffset;
  const visit = (batch: BatchView, position: number): boolean => {
    if (position + batch.sizeInBytes() > limit) return false;
    stop = position + batch.sizeInBytes();
    nextOffset = batch.nextOffset();
    return true;
  };
  const range = { position: firstEnd, end: segment.sizeInBytes, firstBytes: WALK_FIRST_BYTES };
  await segment.withFile((file) => scan(file, { ...range, mode: "header" }, visit));
  return { stop, nextOffset };
}

/** One more read of the same consumer will begin at this batch, and need not search for it. */
function noteNextRead(segment: Segment, batch: FoundBatch): void {
  const { nextReads } = segment;
  if (nextReads.some((noted) => noted.position === batch.position)) return;
  if (nextReads.length === NEXT_READS_MAX) nextReads.shift();
  nextReads.push(batch);
}
