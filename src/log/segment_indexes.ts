/**
 * The two indexes of a segment, the latest time in it, and when an entry goes into an index.
 *
 * Appending, recovery and rebuilding all go through `onBatch`, so that a rebuilt index is the one that
 * was there before.
 */
import type { Disk } from "../env/disk.ts";
import type { Offset } from "../ground/numbers.ts";
import {
  OFFSET_ENTRY_BYTES,
  type SegmentFileKind,
  segmentFileName,
  TIME_ENTRY_BYTES,
} from "./format.ts";
import type { IndexEntries } from "./index_entries.ts";
import { OffsetIndex } from "./offset_index.ts";
import { TimeIndex } from "./time_index.ts";

const EMPTY = new Uint8Array(0);
const NO_TIMESTAMP = -1;

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
  #bytesSinceEntry = 0;

  constructor(baseOffset: Offset, offsetBytes: Uint8Array = EMPTY, timeBytes: Uint8Array = EMPTY) {
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

  /** Notes the latest time of a segment that gets no more batches, or is put down for a while. */
  seal(): void {
    this.times.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp);
  }

  unwrittenCount(): number {
    return this.offsets.entries.unwrittenCount() + this.times.entries.unwrittenCount();
  }
}

/** Indexes out of the bytes of their files; undefined where those cannot be a segment's of this size. */
export function parseIndexes(
  segment: { readonly baseOffset: Offset; readonly sizeInBytes: number },
  offsetBytes: Uint8Array | undefined,
  timeBytes: Uint8Array | undefined,
): SegmentIndexes | undefined {
  if (offsetBytes === undefined || timeBytes === undefined) return undefined;
  if (offsetBytes.length % OFFSET_ENTRY_BYTES !== 0 || timeBytes.length % TIME_ENTRY_BYTES !== 0) {
    return undefined;
  }
  const indexes = new SegmentIndexes(segment.baseOffset, offsetBytes, timeBytes);
  const flaw = indexes.offsets.flaw(segment.sizeInBytes) ?? indexes.times.flaw();
  return flaw === undefined ? indexes : undefined;
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
