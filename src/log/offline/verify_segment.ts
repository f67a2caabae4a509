/**
 * One segment examined in one walk: its batches, and its indexes against them.
 *
 * Not here: what offsets that are missing mean, which only the neighbours tell (`verify_partition.ts`).
 */
import { type Disk, DiskFault } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { RELATIVE_OFFSET_MAX } from "../format.ts";
import { markerOf } from "../producers/transaction_marker.ts";
import { type IndexFlaw, OffsetIndexCheck, TimeIndexCheck } from "./index_files.ts";
import { type DamagedPlace, walkLog } from "./log_walk.ts";
import { type BatchFacts, OffsetJudge } from "./offset_judge.ts";
import type { SegmentFiles } from "./partition_files.ts";
import type { TransactionalBatch } from "./transaction_check.ts";

export interface ExaminedBatch extends BatchFacts, TransactionalBatch {}

export interface SegmentVisitor {
  onBatch(batch: ExaminedBatch): void;
  /** Bytes that hold no batch that may be served, in the order of the file. */
  onDamage(place: DamagedPlace): void;
  onProgress(bytes: number): Promise<void> | void;
}

export interface SegmentTask {
  readonly disk: Disk;
  readonly crc32c: Crc32c;
  readonly directory: string;
  readonly files: SegmentFiles;
  /** Base offset of the next segment; undefined for the last one. */
  readonly nextBaseOffset: number | undefined;
  /** A broker may be appending to it. */
  readonly isGrowing: boolean;
}

export interface SegmentResult {
  readonly sizeInBytes: number;
  readonly batches: number;
  /** Behind the last batch that is kept; the base offset where there is none. */
  readonly nextOffset: number;
  readonly offsetIndexFlaw: IndexFlaw | undefined;
  readonly timeIndexFlaw: IndexFlaw | undefined;
  /** An offset that the index says was behind the last batch. */
  readonly offsetBehind: number | undefined;
  /** What the disk said where it would not give the bytes. */
  readonly fault: DiskFault | undefined;
}

/** Larger ones are no index of a segment (`segment.index.bytes` is 10 MiB by default). */
const INDEX_BYTES_MAX = 256 * 1024 * 1024;

export async function verifySegment(
  task: SegmentTask,
  visitor: SegmentVisitor,
): Promise<SegmentResult> {
  const { files, nextBaseOffset, isGrowing } = task;
  const { baseOffset } = files;
  const indexes = {
    offsets: checkOf(OffsetIndexCheck, task, files.index?.name),
    times: checkOf(TimeIndexCheck, task, files.timeindex?.name),
  };
  let batches = 0;
  let pending: DamagedPlace[] = [];
  const limit = Math.min(nextBaseOffset ?? Infinity, baseOffset + RELATIVE_OFFSET_MAX + 1);
  const judge = new OffsetJudge<ExaminedBatch>(baseOffset, limit, {
    onKept: (batch) => {
      batches++;
      const isBefore = (place: DamagedPlace): boolean => place.position < batch.position;
      for (const place of pending.filter(isBefore)) visitor.onDamage(place);
      pending = pending.filter((place) => !isBefore(place));
      indexes.offsets?.onBatch(batch);
      indexes.times?.onBatch(batch);
      visitor.onBatch(batch);
    },
    onRejected: (batch, reason) => {
      const { position, sizeInBytes } = batch;
      pending.push({ position, sizeInBytes, reason, isTorn: false });
      pending.sort((one, other) => one.position - other.position);
    },
  });
  const end = files.log?.bytes ?? 0;
  const fault = await readAll(task, {
    end,
    onBatch: (batch, position) => judge.push(factsOf(batch, position)),
    onDamage: (place) => {
      pending.push(place);
    },
    onPause: (position) => visitor.onProgress(position),
  });
  const nextOffset = judge.finish();
  for (const place of pending) visitor.onDamage(place);
  const isWhole = fault === undefined;
  const isSealed = nextBaseOffset !== undefined;
  return {
    sizeInBytes: end,
    batches,
    nextOffset,
    offsetBehind: isWhole && !isGrowing ? indexes.offsets?.offsetBehind() : undefined,
    offsetIndexFlaw: isWhole ? indexes.offsets?.finish(isGrowing) : undefined,
    timeIndexFlaw: isWhole ? indexes.times?.finish(isSealed, isGrowing) : undefined,
    fault,
  };
}

interface Reading {
  readonly end: number;
  onBatch(batch: BatchView, position: number): void;
  onDamage(place: DamagedPlace): void;
  onPause(position: number): Promise<void> | void;
}

/** Reads the log file to its end; a fault of the disk is a place that cannot be read. */
async function readAll(task: SegmentTask, reading: Reading): Promise<DiskFault | undefined> {
  const { disk, directory, files, crc32c, nextBaseOffset } = task;
  try {
    const file = disk.open(`${directory}/${files.log?.name ?? ""}`, "read");
    try {
      const offsetMax = (nextBaseOffset ?? files.baseOffset + RELATIVE_OFFSET_MAX + 1) - 1;
      const options = { crc32c, end: reading.end, offsetMin: files.baseOffset, offsetMax };
      await walkLog(file, options, {
        onBatch(batch, at): boolean {
          reading.onBatch(batch, at);
          return true;
        },
        onDamage: (place) => reading.onDamage(place),
        onPause: (at) => reading.onPause(at),
      });
    } finally {
      file.close();
    }
    return undefined;
  } catch (fault) {
    if (!(fault instanceof DiskFault)) throw fault;
    return fault;
  }
}

function factsOf(batch: BatchView, position: number): ExaminedBatch {
  const isControl = batch.isControl();
  const marker = isControl ? markerOf(batch) : undefined;
  return {
    position,
    sizeInBytes: batch.sizeInBytes(),
    baseOffset: batch.baseOffset(),
    lastOffset: batch.lastOffset(),
    maxTimestamp: batch.maxTimestamp(),
    leaderEpoch: batch.partitionLeaderEpoch(),
    producerId: batch.producerId(),
    isTransactional: batch.isTransactional(),
    isControl,
    marker: marker === undefined ? undefined : marker.isAbort ? "abort" : "commit",
  };
}

function checkOf<Check>(
  type: new (bytes: Uint8Array, baseOffset: number) => Check,
  { disk, directory, files }: SegmentTask,
  name: string | undefined,
): Check | undefined {
  if (name === undefined) return undefined;
  const path = `${directory}/${name}`;
  if ((disk.info(path)?.bytes ?? 0) > INDEX_BYTES_MAX) return undefined;
  const bytes = disk.readWhole(path);
  return bytes === undefined ? undefined : new type(bytes, files.baseOffset);
}
