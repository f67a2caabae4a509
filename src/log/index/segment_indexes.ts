/**
 * The two indexes of a segment, the latest time in it, and when an entry goes into an index.
 *
 * Appending, recovery and rebuilding all go through `onBatch`, so that a rebuilt index is the one that
 * was there before.
 */
import type { Disk } from "../../env/disk.ts";
import type { Offset } from "../../ground/numbers.ts";
import type { BatchView } from "../../record/batch_view.ts";
import {
  OFFSET_ENTRY_BYTES,
  type SegmentFileKind,
  segmentFileName,
  TIME_ENTRY_BYTES,
} from "../format.ts";
import type { IndexEntries } from "./index_entries.ts";
import { OffsetIndex } from "./offset_index.ts";
import { TimeIndex } from "./time_index.ts";

const EMPTY = new Uint8Array(0);
const NO_TIMESTAMP = -1;
const NO_OFFSET = -1;

/** A batch as the indexes see it. */
export interface IndexedBatch {
  readonly position: number;
  readonly sizeInBytes: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

export class SegmentIndexes {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
  /** The latest time in the segment; -1 where no batch has one. */
  maxTimestamp: number;
  /** The last offset of the first batch with that time. */
  offsetOfMaxTimestamp: number;
  readonly #baseOffset: Offset;
  #bytesSinceEntry = 0;

  constructor(baseOffset: Offset, offsetBytes: Uint8Array = EMPTY, timeBytes: Uint8Array = EMPTY) {
    this.#baseOffset = baseOffset;
    this.offsets = new OffsetIndex(baseOffset, offsetBytes);
    this.times = new TimeIndex(baseOffset, timeBytes);
    const last = this.times.last();
    this.maxTimestamp = last?.timestamp ?? NO_TIMESTAMP;
    this.offsetOfMaxTimestamp = last?.offset ?? baseOffset;
  }

  /** Notes a batch at the end of the segment. Source: kafka: LogSegment.append. */
  onBatch(batch: IndexedBatch, indexIntervalBytes: number): void {
    if (batch.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = batch.maxTimestamp;
      this.offsetOfMaxTimestamp = batch.lastOffset;
    }
    if (this.#bytesSinceEntry > indexIntervalBytes) {
      this.offsets.append(batch.lastOffset, batch.position);
      this.times.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp);
      this.#bytesSinceEntry = 0;
    }
    this.#bytesSinceEntry += batch.sizeInBytes;
  }

  /** Notes a batch that a walk came to. */
  note(batch: BatchView, position: number, indexIntervalBytes: number): void {
    this.onBatch({
      position,
      sizeInBytes: batch.sizeInBytes(),
      lastOffset: batch.lastOffset(),
      maxTimestamp: batch.maxTimestamp(),
    }, indexIntervalBytes);
  }

  /** Keeps the first entries of both; the next batch that is noted gets an entry. */
  keep(offsetCount: number, timeCount: number): void {
    this.offsets.entries.truncate(offsetCount);
    this.times.entries.truncate(timeCount);
    const last = this.times.last();
    this.maxTimestamp = last?.timestamp ?? NO_TIMESTAMP;
    this.offsetOfMaxTimestamp = last?.offset ?? this.#baseOffset;
    this.#bytesSinceEntry = Infinity;
  }

  /** Notes the latest time of a segment that gets no more batches, or is put down for a while. */
  seal(): void {
    this.times.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp);
  }

  unwrittenCount(): number {
    return this.offsets.entries.unwrittenCount() + this.times.entries.unwrittenCount();
  }
}

/** Indexes out of the bytes of their files, or why those cannot be a segment's of this size. */
export function parseIndexes(
  segment: { readonly baseOffset: Offset; readonly sizeInBytes: number },
  offsetBytes: Uint8Array | undefined,
  timeBytes: Uint8Array | undefined,
): SegmentIndexes | string {
  if (offsetBytes === undefined || timeBytes === undefined) return "a file is missing";
  if (offsetBytes.length % OFFSET_ENTRY_BYTES !== 0 || timeBytes.length % TIME_ENTRY_BYTES !== 0) {
    return "a file ends with half an entry";
  }
  const indexes = new SegmentIndexes(segment.baseOffset, offsetBytes, timeBytes);
  return indexes.offsets.flaw(segment.sizeInBytes) ?? indexes.times.flaw() ?? indexes;
}

/** The greatest offset that these files name, as far as their entries go up; -1 where none is named. */
export function lastNamedOffset(
  baseOffset: Offset,
  offsetBytes: Uint8Array | undefined,
  timeBytes: Uint8Array | undefined,
): number {
  const { offsets, times } = new SegmentIndexes(baseOffset, offsetBytes, timeBytes);
  const offsetCount = offsets.soundCount(Infinity, Infinity);
  const timeCount = times.soundCount(Infinity);
  return Math.max(
    offsetCount === 0 ? NO_OFFSET : offsets.entryAt(offsetCount - 1).lastOffset ?? NO_OFFSET,
    timeCount === 0 ? NO_OFFSET : times.entryAt(timeCount - 1).offset,
  );
}

/** A batch up to which both indexes of a segment are whole. */
export interface IndexAnchor {
  readonly position: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

/**
 * What may be taken over of index files that a crash left, for batches below `offset`.
 *
 * The anchor is a batch that has an entry in both files, each behind entries that go up. When the
 * first was written the second was too, and it holds the batch's own time: so neither file lacks
 * anything before. `indexes` hold the entries before the anchor, and a walk from the anchor on adds
 * what is missing as if it had come from the segment's base. Zeros and torn pages that power loss
 * leaves go down and are behind the last good entry.
 */
export function takeOverIndexes(
  segment: { readonly baseOffset: Offset; readonly sizeInBytes: number },
  files: { readonly offsets: Uint8Array | undefined; readonly times: Uint8Array | undefined },
  offset: number,
): { readonly anchor: IndexAnchor; readonly indexes: SegmentIndexes } | undefined {
  if (files.offsets === undefined || files.times === undefined) return undefined;
  const indexes = new SegmentIndexes(segment.baseOffset, files.offsets, files.times);
  const { offsets, times } = indexes;
  const offsetCount = offsets.soundCount(segment.sizeInBytes, offset);
  for (let timeIndex = times.soundCount(offset) - 1; timeIndex >= 0; timeIndex--) {
    const time = times.entryAt(timeIndex);
    const index = offsets.indexOf(time.offset, offsetCount);
    if (index < 0) continue;
    const { position } = offsets.entryAt(index);
    indexes.keep(index, timeIndex);
    const anchor = { position, lastOffset: time.offset, maxTimestamp: time.timestamp };
    return { anchor, indexes };
  }
  return undefined;
}

/** Adds the unwritten entries to the file; with `isFinal` the file has these entries and no byte more. */
export function writeEntries(
  disk: Disk,
  path: string,
  entries: IndexEntries,
  isFinal: boolean,
): void {
  if (entries.unwrittenCount() === 0 && !isFinal) return;
  const file = disk.open(path, "write");
  try {
    if (entries.unwrittenCount() > 0) {
      file.write(entries.writtenBytes(), [entries.unwrittenBytes()]);
    }
    if (isFinal && file.bytes() !== entries.bytes()) file.truncate(entries.bytes());
  } finally {
    file.close();
  }
  entries.markWritten();
}

export function segmentPath(directory: string, baseOffset: Offset, kind: SegmentFileKind): string {
  return `${directory}/${segmentFileName(baseOffset, kind)}`;
}
