/** A cleaner that throws nothing away: it copies the batches of some segments into one. */
import { type Offset, toOffset } from "../../src/ground/numbers.ts";
import type { Disk } from "../../src/env/disk.ts";
import { CLEANED_SUFFIX, type SegmentFileKind } from "../../src/log/format.ts";
import type { Log } from "../../src/log/log.ts";
import { SegmentIndexes, segmentPath } from "../../src/log/index/segment_indexes.ts";
import type { CleanedSegment } from "../../src/log/segment/segment_swap.ts";
import type { BatchView } from "../../src/record/batch_view.ts";
import { BatchWalk } from "../../src/record/batch_walk.ts";
import { concat } from "./log_fixture.ts";

export interface CleanerOptions {
  /** Which batches stay. */
  readonly isKept?: (batch: BatchView) => boolean;
}

/** Writes the `.cleaned` files of closed segments that follow each other, whole and durable. */
export async function writeCleaned(
  disk: Disk,
  log: Log,
  bases: readonly Offset[],
  { isKept = () => true }: CleanerOptions = {},
): Promise<CleanedSegment> {
  const [baseOffset] = bases;
  if (baseOffset === undefined) throw new Error("nothing to clean");
  const indexes = new SegmentIndexes(baseOffset);
  const batches: Uint8Array[] = [];
  const aborted: Uint8Array[] = [];
  let position = 0;
  for (const base of bases) {
    const bytes = await log.withSegment(base, (file, size) => file.read(0, size));
    if (bytes === undefined) throw new Error(`there is a segment ${base}`);
    const walk = new BatchWalk(bytes);
    while (walk.next()) {
      const { batch } = walk;
      if (!isKept(batch)) continue;
      const sizeInBytes = batch.sizeInBytes();
      batches.push(bytes.slice(batch.position(), batch.position() + sizeInBytes));
      const [lastOffset, maxTimestamp] = [batch.lastOffset(), batch.maxTimestamp()];
      indexes.onBatch({ position, sizeInBytes, lastOffset, maxTimestamp }, 100);
      position += sizeInBytes;
    }
    aborted.push(disk.readWhole(segmentPath(log.directory, base, "txnindex")) ?? new Uint8Array(0));
  }
  indexes.seal();
  const pathOf = (kind: SegmentFileKind): string => segmentPath(log.directory, baseOffset, kind);
  await write(disk, pathOf("log"), concat(batches));
  await write(disk, pathOf("index"), indexes.offsets.entries.unwrittenBytes());
  await write(disk, pathOf("timeindex"), indexes.times.entries.unwrittenBytes());
  const entries = concat(aborted);
  if (entries.length > 0) await write(disk, pathOf("txnindex"), entries);
  return { baseOffset, sizeInBytes: position };
}

async function write(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = disk.open(path + CLEANED_SUFFIX, "write");
  try {
    file.truncate(0);
    file.write(0, [bytes]);
    await file.sync();
  } finally {
    file.close();
  }
}

/** Cleans and replaces; what a disk that fails says is thrown. */
export async function replaceWithCopy(
  disk: Disk,
  log: Log,
  bases: readonly number[],
): Promise<readonly string[] | undefined> {
  const replaced = bases.map((base) => toOffset(base));
  return await log.replaceSegments(replaced, await writeCleaned(disk, log, replaced));
}
