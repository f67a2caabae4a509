/**
 * What is known of the producers as of an offset, and that it is known on when the batches below go.
 *
 * A producer snapshot is written at each roll, and is made durable by the next sync. Until then it may
 * be torn by a loss of power, and the batches tell the same as it: so they stay until it is durable.
 */
import { DiskFault, isPassing } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { Offset } from "../../ground/numbers.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { syncFile } from "../atomic_file.ts";
import { scan } from "../batch_scanner.ts";
import { parseSegmentFileName } from "../format.ts";
import { ProducerStates } from "../producers/producer_state.ts";
import type { SegmentContext } from "../segment/segment.ts";
import { segmentPath } from "../index/segment_indexes.ts";
import type { Segments } from "../segment/segments.ts";
import { isSnapshotSound, loadSnapshot, writeSnapshot } from "../producers/snapshot_files.ts";

export interface KnownLog {
  readonly segments: Segments;
  readonly context: SegmentContext;
  readonly crc32c: Crc32c;
}

/**
 * To be called before the segments below the one that begins at `baseOffset` go: sees to it that its
 * snapshot is there, sound and durable. True where it was not there, so that its name is new.
 *
 * Where there is no room for it the segments go all the same: they are what makes room.
 */
export async function keepProducers(log: KnownLog, baseOffset: Offset): Promise<boolean> {
  const { context, context: { directory, disk, trace }, crc32c } = log;
  const path = segmentPath(directory, baseOffset, "snapshot");
  const isMissing = !isSnapshotSound(context, crc32c, baseOffset);
  try {
    if (isMissing) {
      const { producers } = await producersAt(log, baseOffset);
      writeSnapshot(context, crc32c, { offset: baseOffset, producers });
    }
    await syncFile(disk, path);
  } catch (fault) {
    if (!(fault instanceof DiskFault && isPassing(fault))) throw fault;
    const fields = { path, error: fault.message };
    trace.event("warn", "segments go before what their producers sent is written down", fields);
  }
  return isMissing;
}

/** The producers as of `end`, from the newest sound snapshot and the batches behind it. */
export async function producersAt(
  log: KnownLog,
  end: Offset,
): Promise<{ readonly producers: ProducerStates; readonly snapshotsBehind: readonly Offset[] }> {
  const { segments, context, crc32c } = log;
  const snapshots: Offset[] = [];
  for (const file of context.disk.list(context.directory)) {
    const parsed = parseSegmentFileName(file.name);
    if (parsed?.kind === "snapshot") snapshots.push(parsed.offset);
  }
  const producers = new ProducerStates();
  const offsets = snapshots.filter((offset) => offset <= end);
  const from = loadSnapshot(context, crc32c, { offsets, producers }) ?? 0;
  const visit = (batch: BatchView): boolean => {
    if (batch.lastOffset() >= end) return false;
    if (batch.lastOffset() >= from) producers.update(batch);
    return true;
  };
  for (const segment of segments.all().slice(segments.floorIndex(from))) {
    if (segment.baseOffset >= end) break;
    const range = { position: 0, end: segment.sizeInBytes, mode: "header" as const };
    // deno-lint-ignore no-await-in-loop -- in the order of the log
    await segment.withFile((file) => scan(file, range, visit));
  }
  return { producers, snapshotsBehind: snapshots.filter((offset) => offset > end) };
}
