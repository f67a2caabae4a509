/**
 * Finds the aborted transactions of one segment anew in its batches.
 *
 * A transaction may have begun before the segment: the walk begins at a producer snapshot at or below
 * its base. For a transaction index that is damaged; nothing else needs it.
 */
import type { Crc32c } from "../../ground/crc32c.ts";
import type { Offset } from "../../ground/numbers.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { scanNow } from "../batch_scanner.ts";
import { damageFault } from "./damage_fault.ts";
import { parseSegmentFileName } from "../format.ts";
import { ProducerStates } from "../producers/producer_state.ts";
import type { Segment, SegmentContext } from "../segment/segment.ts";
import type { Segments } from "../segment/segments.ts";
import { loadSnapshot } from "../producers/snapshot_files.ts";
import { TransactionIndex } from "../index/transaction_index.ts";

export interface RecalledLog {
  readonly context: SegmentContext;
  readonly crc32c: Crc32c;
  readonly segments: Segments;
}

export function recallTransactions(log: RecalledLog, segment: Segment): TransactionIndex {
  const { context, crc32c, segments } = log;
  const offsets: Offset[] = [];
  for (const { name } of context.disk.list(context.directory)) {
    const parsed = parseSegmentFileName(name);
    if (parsed?.kind === "snapshot" && parsed.offset <= segment.baseOffset) {
      offsets.push(parsed.offset);
    }
  }
  const producers = new ProducerStates();
  const from = loadSnapshot(context, crc32c, { offsets, producers }) ?? 0;
  const found = new TransactionIndex(segment.baseOffset);
  for (const walked of segments.all().slice(segments.floorIndex(from))) {
    if (walked.baseOffset > segment.baseOffset) break;
    const visit = (batch: BatchView): boolean => {
      const aborted = batch.lastOffset() < from ? undefined : producers.update(batch);
      if (aborted !== undefined && walked === segment) found.append(aborted);
      return true;
    };
    if (walked.sizeInBytes === 0) continue;
    const range = { position: 0, end: walked.sizeInBytes, mode: "header" as const };
    const { ending, position } = scanNow(walked.shared().file, range, visit);
    if (ending !== "clean") {
      const place = `byte ${position} of ${walked.sizeInBytes}`;
      throw damageFault(walked.path("log"), `it is damaged at ${place}`);
    }
  }
  return found;
}
