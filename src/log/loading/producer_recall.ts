/**
 * Looks up the batches shortly before a producer snapshot, which holds only one of each producer.
 *
 * A bounded walk over headers, back from the snapshot's offset: enough for the batches that a client
 * may have had in flight when the log was closed.
 */
import { BatchView } from "../../record/batch_view.ts";
import { BATCH_HEADER_BYTES } from "../../record/format.ts";
import { scanNow } from "../batch_scanner.ts";
import { ProducerStates } from "../producers/producer_state.ts";
import type { Segments } from "../segment/segments.ts";

const INDEX_ENTRIES_BACK = 32;
const BATCHES_ENOUGH = 64;
const SEGMENTS_MAX = 4;

/** The producers of the last batches below `offset`. */
export function recallProducers(segments: Segments, offset: number): ProducerStates {
  const newestFirst: BatchView[][] = [];
  let count = 0;
  const last = segments.floorIndex(offset - 1);
  for (let at = last; at >= 0 && at > last - SEGMENTS_MAX && count < BATCHES_ENOUGH; at--) {
    const batches = headersBelow(segments, at, offset);
    count += batches.length;
    newestFirst.push(batches);
  }
  const producers = new ProducerStates();
  for (const batches of newestFirst.reverse()) {
    for (const batch of batches) producers.update(batch);
  }
  return producers;
}

function headersBelow(segments: Segments, index: number, offset: number): BatchView[] {
  const segment = segments.at(index);
  if (segment.sizeInBytes === 0) return [];
  const { position } = segment.indexesNow().offsets.lookupBack(offset - 1, INDEX_ENTRIES_BACK);
  const batches: BatchView[] = [];
  const visit = (batch: BatchView): boolean => {
    if (batch.lastOffset() >= offset) return false;
    const at = batch.position();
    batches.push(new BatchView(batch.bytes.slice(at, at + BATCH_HEADER_BYTES)));
    return true;
  };
  const range = { position, end: segment.sizeInBytes, mode: "header" as const };
  scanNow(segment.shared().file, range, visit);
  return batches;
}
