/**
 * Searching a log by time, to the record.
 *
 * Indexes lead to a batch, the records of that one batch are looked at. Records need not be in the
 * order of their times: what is found is the first in the order of offsets.
 * Source: kafka: UnifiedLog.fetchOffsetByTimestamp, LogSegment.findOffsetByTimestamp,
 * FileRecords.searchForTimestamp, DefaultRecordBatch.offsetOfMaxTimestamp.
 */
import { type Offset, toOffset } from "../ground/numbers.ts";
import { BatchView } from "../record/batch_view.ts";
import type { Decompress } from "../record/compression.ts";
import { RecordCursor } from "../record/record_cursor.ts";
import { scan } from "./batch_scanner.ts";
import { LogFault } from "./log_fault.ts";
import { findBatch } from "./log_reader.ts";
import type { Segment } from "./segment.ts";
import type { Segments } from "./segments.ts";

export interface TimedOffset {
  readonly offset: Offset;
  readonly timestamp: number;
  /** -1 where the batch has none. */
  readonly leaderEpoch: number;
}

export interface TimeRange {
  readonly from: number;
  /** Exclusive. */
  readonly upTo: number;
}

/** More than any batch that was let in inflates to. */
const INFLATED_BYTES_MAX = 64 * 1024 * 1024;

type RecordTest = (offset: number, timestamp: number) => boolean;

/** The first record of the range whose time is at or behind `timestamp`. */
export async function findTime(
  segments: Segments,
  decompress: Decompress,
  goal: TimeRange & { readonly timestamp: number },
): Promise<TimedOffset | undefined> {
  const { from, upTo, timestamp } = goal;
  for (const segment of segments.all().slice(segments.floorIndex(from))) {
    if (segment.baseOffset >= upTo) return undefined;
    if (await segment.maxTimestamp() < timestamp) continue;
    const indexes = await segment.indexes();
    const before = indexes.times.lookup(timestamp)?.offset ?? segment.baseOffset;
    const first = await findBatch(segment, Math.max(before, from), segment.sizeInBytes);
    if (first === undefined) continue;
    const start = first.position;
    const isIt: RecordTest = (offset, time) => offset >= from && time >= timestamp;
    const found = await searchRecords(segment, decompress, { start, timestamp, isIt });
    if (found !== undefined) return found.offset < upTo ? found : undefined;
  }
  return undefined;
}

/** The first record with the latest time in the log; undefined where that is outside the range. */
export async function findLatestTime(
  segments: Segments,
  decompress: Decompress,
  range: TimeRange,
): Promise<TimedOffset | undefined> {
  let latest = -1;
  let segment: Segment | undefined;
  for (const candidate of segments.all().slice(segments.floorIndex(range.from))) {
    const maxTimestamp = await candidate.maxTimestamp();
    if (maxTimestamp <= latest) continue;
    latest = maxTimestamp;
    segment = candidate;
  }
  if (segment === undefined) return undefined;
  const indexes = await segment.indexes();
  const first = await findBatch(segment, indexes.offsetOfMaxTimestamp, segment.sizeInBytes);
  if (first === undefined) return undefined;
  const start = first.position;
  const isIt: RecordTest = (offset, time) => offset >= range.from && time >= latest;
  const found = await searchRecords(segment, decompress, { start, timestamp: latest, isIt });
  return found !== undefined && found.offset < range.upTo ? found : undefined;
}

/** The first record that `isIt` accepts, in the batches from `start` on that reach `timestamp`. */
async function searchRecords(
  segment: Segment,
  decompress: Decompress,
  goal: { readonly start: number; readonly timestamp: number; readonly isIt: RecordTest },
): Promise<TimedOffset | undefined> {
  const end = segment.sizeInBytes;
  let position = goal.start;
  while (position < end) {
    let sizeInBytes = 0;
    const visit = (batch: BatchView): boolean => {
      if (batch.maxTimestamp() < goal.timestamp) return true;
      sizeInBytes = batch.sizeInBytes();
      return false;
    };
    const range = { position, end, mode: "header" as const };
    const result = await segment.withFile((file) => scan(file, range, visit));
    if (result.ending === "torn" || result.ending === "corrupt") {
      throw new LogFault(
        segment.path("log"),
        `Cannot search ${segment.path("log")}: no whole batch at byte ${result.position}`,
      );
    }
    if (result.ending === "clean") return undefined;
    const bytes = await segment.withFile((file) => file.read(result.position, sizeInBytes));
    const found = searchBatch(segment, bytes, { decompress, isIt: goal.isIt });
    if (found !== undefined) return found;
    position = result.position + sizeInBytes;
  }
  return undefined;
}

function searchBatch(
  segment: Segment,
  bytes: Uint8Array,
  how: { readonly decompress: Decompress; readonly isIt: RecordTest },
): TimedOffset | undefined {
  const path = segment.path("log");
  const batch = new BatchView(bytes);
  const isOfSegment = batch.baseOffset() >= segment.baseOffset && batch.lastOffsetDelta() >= 0 &&
    segment.fits(batch.lastOffset());
  if (!isOfSegment) {
    throw new LogFault(path, `Cannot search ${path}: it holds offset ${batch.baseOffset()}`);
  }
  const { decompress } = how;
  const cursor = new RecordCursor({ decompress, inflatedBytesMax: INFLATED_BYTES_MAX });
  cursor.open(batch);
  while (cursor.next()) {
    const [offset, timestamp] = [cursor.offset(), cursor.timestamp()];
    if (how.isIt(offset, timestamp)) {
      return { offset: toOffset(offset), timestamp, leaderEpoch: batch.partitionLeaderEpoch() };
    }
  }
  if (cursor.failure === undefined) return undefined;
  throw new LogFault(
    segment.path("log"),
    `Cannot search ${segment.path("log")}: ${cursor.failure}`,
  );
}
