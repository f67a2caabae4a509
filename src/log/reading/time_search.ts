/**
 * Searching a log by time, to the record.
 *
 * Indexes lead to a batch, the records of that one batch are looked at. Records need not be in the
 * order of their times: what is found is the first in the order of offsets.
 * An answer must not hang on a flipped bit: every batch that is passed over is checked, and an index
 * entry counts only where its batch says the same.
 * Source: kafka: UnifiedLog.fetchOffsetByTimestamp, LogSegment.findOffsetByTimestamp,
 * FileRecords.searchForTimestamp, DefaultRecordBatch.offsetOfMaxTimestamp.
 */
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { BatchView } from "../../record/batch_view.ts";
import type { Decompress } from "../../record/compression.ts";
import { RecordCursor } from "../../record/record_cursor.ts";
import { checkBatches, type CheckedBatch } from "./batch_check.ts";
import { type CheckedLog, isOnlyDoubt, rebuildIfPossible } from "./checked_reads.ts";
import { LogFault } from "../log_fault.ts";
import type { Segment } from "../segment/segment.ts";
import { searchAgain } from "../segment/segments.ts";
import type { TimestampOffset } from "../index/time_index.ts";

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
/** Enough for the batches between two index entries, mostly. */
const CHUNK_BYTES = 16 * 1024;

type RecordTest = (offset: number, timestamp: number) => boolean;

/** A segment with its bounds as they were when the search began. */
interface Place {
  readonly log: CheckedLog;
  readonly segment: Segment;
  readonly end: number;
  readonly ceiling: number;
}

/** The first record of the range whose time is at or behind `timestamp`. */
export function findTime(
  log: CheckedLog,
  decompress: Decompress,
  goal: TimeRange & { readonly timestamp: number },
): Promise<TimedOffset | undefined> {
  return searched(log, () => searchTime(log, decompress, goal));
}

/** The first record with the latest time in the log; undefined where that is outside the range. */
export function findLatestTime(
  log: CheckedLog,
  decompress: Decompress,
  range: TimeRange,
): Promise<TimedOffset | undefined> {
  return searched(log, () => searchLatestTime(log, decompress, range));
}

/**
 * The latest time of a segment, compared once with the batch that has it: a time index that names too
 * early a time would hide the whole segment, or have it removed.
 */
export function checkedMaxTimestamp(log: CheckedLog, segment: Segment): Promise<number> {
  const place = placesOf(log, { from: segment.baseOffset }).find((one) => one.segment === segment);
  return place === undefined ? Promise.resolve(-1) : latestOf(place);
}

function searched<Found>(log: CheckedLog, search: () => Promise<Found>): Promise<Found> {
  return searchAgain(log.segments, search).catch((fault: unknown) => {
    log.reads.onFailed(log.directory, fault);
    throw fault;
  });
}

async function searchTime(
  log: CheckedLog,
  decompress: Decompress,
  goal: TimeRange & { readonly timestamp: number },
): Promise<TimedOffset | undefined> {
  const { from, upTo, timestamp } = goal;
  for (const place of placesOf(log, goal)) {
    const { segment } = place;
    if (segment.baseOffset >= upTo) return undefined;
    if (await latestOf(place) < timestamp) continue;
    const entry = await entryBefore(place, timestamp);
    const first = await findFirst(place, Math.max(entry?.offset ?? segment.baseOffset, from), -1);
    if (first === undefined) continue;
    const isIt: RecordTest = (offset, time) => offset >= from && time >= timestamp;
    const found = await searchRecords(place, decompress, { first, timestamp, isIt });
    if (found !== undefined) return found.offset < upTo ? found : undefined;
  }
  return undefined;
}

async function searchLatestTime(
  log: CheckedLog,
  decompress: Decompress,
  range: TimeRange,
): Promise<TimedOffset | undefined> {
  let latest = -1;
  let place: Place | undefined;
  for (const candidate of placesOf(log, range)) {
    const maxTimestamp = await latestOf(candidate);
    if (maxTimestamp <= latest) continue;
    latest = maxTimestamp;
    place = candidate;
  }
  if (place === undefined) return undefined;
  const { offsetOfMaxTimestamp } = await place.segment.indexes();
  const first = await findFirst(place, offsetOfMaxTimestamp, -1);
  if (first === undefined) return undefined;
  const isIt: RecordTest = (offset, time) => offset >= range.from && time >= latest;
  const found = await searchRecords(place, decompress, { first, timestamp: latest, isIt });
  return found !== undefined && found.offset < range.upTo ? found : undefined;
}

function placesOf(log: CheckedLog, { from }: Pick<TimeRange, "from">): readonly Place[] {
  const segments = log.segments.all().slice(log.segments.floorIndex(from));
  return segments.map((segment, index) => ({
    log,
    segment,
    end: segment.sizeInBytes,
    ceiling: segments[index + 1]?.baseOffset ?? Infinity,
  }));
}

async function latestOf(place: Place): Promise<number> {
  const { segment } = place;
  const latest = await segment.maxTimestamp();
  if (latest < 0 || segment.verified.maxTimestamp === latest) return latest;
  const { maxTimestamp: timestamp, offsetOfMaxTimestamp: offset } = await segment.indexes();
  const isTrue = timestamp === latest && await isOfBatch(place, { timestamp, offset });
  const checked = isTrue ? latest : await rebuiltLatest(place);
  segment.verified.maxTimestamp = checked;
  return checked;
}

async function rebuiltLatest({ segment }: Place): Promise<number> {
  return (await segment.rebuildIndexes("its latest time is no batch's")).maxTimestamp;
}

/** The last entry of the time index that is earlier, if its batch says so. */
async function entryBefore(place: Place, timestamp: number): Promise<TimestampOffset | undefined> {
  const entry = (await place.segment.indexes()).times.lookup(timestamp);
  if (entry === undefined || await isOfBatch(place, entry)) return entry;
  await rebuildIfPossible(place.segment, "a time is not its batch's");
  const second = (await place.segment.indexes()).times.lookup(timestamp);
  return second !== undefined && await isOfBatch(place, second) ? second : undefined;
}

async function isOfBatch(
  place: Place,
  { timestamp, offset }: TimestampOffset,
): Promise<boolean> {
  const batch = await findFirst(place, offset, -1);
  return batch !== undefined && batch.baseOffset <= offset && batch.maxTimestamp === timestamp;
}

/** The first sound batch that ends at or behind `offset` and reaches `timestamp`. */
async function findFirst(
  place: Place,
  offset: number,
  timestamp: number,
): Promise<CheckedBatch | undefined> {
  const { segment } = place;
  const entry = (await segment.indexes()).offsets.lookup(offset);
  const from = { ...entry, floor: entry.lastOffset ?? segment.baseOffset };
  const isIt = (batch: CheckedBatch): boolean =>
    batch.nextOffset > offset && batch.maxTimestamp >= timestamp;
  const found = await walk(place, from, isIt);
  if (found !== "astray") return found;
  await rebuildIfPossible(segment, "an entry does not point to its batch");
  const second = await walk(place, { position: 0, floor: segment.baseOffset }, isIt);
  return second === "astray" ? undefined : second;
}

interface WalkStart {
  readonly position: number;
  readonly floor: number;
  readonly lastOffset?: number | undefined;
}

/** The first batch from a place on that `isIt` takes, all before it checked as well. */
async function walk(
  place: Place,
  from: WalkStart,
  isIt: (batch: CheckedBatch) => boolean,
): Promise<CheckedBatch | undefined | "astray"> {
  const { log, segment, end, ceiling } = place;
  if (from.position >= end) return undefined;
  let found: CheckedBatch | undefined;
  const range = { ...from, end, ceiling, chunkBytes: CHUNK_BYTES };
  const result = await segment.withFile((file) =>
    checkBatches(file, range, {
      crc32c: log.reads.crc32c,
      epochs: log.reads.epochsOf(log),
      wants: () => found === undefined,
      onSound: (batch) => {
        if (found === undefined && isIt(batch)) found = batch;
      },
    })
  );
  if (result.kind === "astray") return "astray";
  if (result.kind !== "damaged" || found !== undefined) return found;
  if (await isOnlyDoubt(log, segment, result)) return await walk(place, from, isIt);
  const { position, floor, reason } = result;
  throw log.reads.damaged(segment.path("log"), { position, offset: floor, reason });
}

/** The first record that `isIt` accepts, in the batches from `first` on that reach `timestamp`. */
async function searchRecords(
  place: Place,
  decompress: Decompress,
  goal: {
    readonly first: CheckedBatch;
    readonly timestamp: number;
    readonly isIt: RecordTest;
  },
): Promise<TimedOffset | undefined> {
  const { segment } = place;
  const reaches = (one: CheckedBatch): boolean => one.maxTimestamp >= goal.timestamp;
  const { position, baseOffset } = goal.first;
  let batch = await walk(place, { position, floor: baseOffset }, reaches);
  while (batch !== undefined && batch !== "astray") {
    const { position: at, sizeInBytes, nextOffset } = batch;
    const bytes = await segment.withFile((file) => file.read(at, sizeInBytes));
    const found = searchBatch(segment, bytes, { decompress, isIt: goal.isIt });
    if (found !== undefined) return found;
    batch = await walk(place, { position: at + sizeInBytes, floor: nextOffset }, reaches);
  }
  return undefined;
}

function searchBatch(
  segment: Segment,
  bytes: Uint8Array,
  how: { readonly decompress: Decompress; readonly isIt: RecordTest },
): TimedOffset | undefined {
  const batch = new BatchView(bytes);
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
