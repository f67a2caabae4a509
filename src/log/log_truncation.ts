/**
 * Cutting a log's end off: what a follower does when its leader's log took another way.
 *
 * Producers are found anew from the newest snapshot that is left and the batches behind it.
 */
import type { Crc32c } from "../ground/crc32c.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import type { BatchView } from "../record/batch_view.ts";
import { scan } from "./batch_scanner.ts";
import { parseSegmentFileName } from "./format.ts";
import { findBatch } from "./log_reader.ts";
import type { ProducerStates } from "./producer_state.ts";
import { Segment, type SegmentContext } from "./segment.ts";
import type { Segments } from "./segments.ts";
import { loadSnapshot, removeSnapshots } from "./snapshot_files.ts";

export interface CutLog {
  readonly segments: Segments;
  readonly context: SegmentContext;
  readonly crc32c: Crc32c;
  readonly producers: ProducerStates;
}

/**
 * Removes every batch that holds `offset` or comes behind it; returns where the log ends now. Below
 * the first segment the whole log goes, and the empty log begins at `offset`.
 */
export async function cutLog(log: CutLog, offset: Offset): Promise<Offset> {
  const { segments, context } = log;
  const index = segments.floorIndex(offset);
  const segment = segments.at(index);
  let end: number = offset;
  if (offset <= segment.baseOffset) {
    for (const gone of segments.takeFrom(index)) gone.remove();
    segments.add(new Segment(context, { baseOffset: offset, sizeInBytes: 0 }));
  } else {
    const cut = await findBatch(segment, offset, segment.sizeInBytes);
    for (const gone of segments.takeFrom(index + 1)) gone.remove();
    if (cut !== undefined) {
      end = Math.min(offset, cut.baseOffset);
      segment.cut(cut.position);
      await segment.rebuildIndexes("the log was cut");
    }
  }
  await restoreProducers(log, end);
  return toOffset(end);
}

async function restoreProducers(log: CutLog, end: number): Promise<void> {
  const { segments, context, crc32c, producers } = log;
  const snapshots: Offset[] = [];
  for (const file of context.disk.list(context.directory)) {
    const parsed = parseSegmentFileName(file.name);
    if (parsed?.kind === "snapshot") snapshots.push(parsed.offset);
  }
  removeSnapshots(context, snapshots.filter((offset) => offset > end));
  producers.clear();
  const offsets = snapshots.filter((offset) => offset <= end);
  const from = loadSnapshot(context, crc32c, { offsets, producers }) ?? 0;
  for (const segment of segments.all().slice(segments.floorIndex(from))) {
    const visit = (batch: BatchView): boolean => {
      if (batch.lastOffset() >= from) producers.update(batch);
      return true;
    };
    const range = { position: 0, end: segment.sizeInBytes, mode: "header" as const };
    await segment.withFile((file) => scan(file, range, visit));
  }
}
