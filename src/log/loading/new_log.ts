/** A log of which nothing is on the disk yet, not even its folder: there is nothing to be looked for. */
import { toOffset } from "../../ground/numbers.ts";
import { LeaderEpochs } from "../leader_epochs.ts";
import { ProducerStates } from "../producers/producer_state.ts";
import { Segment, type SegmentContext } from "../segment/segment.ts";
import { Segments } from "../segment/segments.ts";
import type { LoadedLog } from "./log_loader.ts";

export function newLog(context: SegmentContext): LoadedLog {
  const segments = new Segments();
  segments.add(new Segment(context, { baseOffset: toOffset(0), sizeInBytes: 0 }));
  const epochs = new LeaderEpochs();
  epochs.isChanged = true; // the file is to be written
  return {
    segments,
    producers: new ProducerStates(),
    epochs,
    logEndOffset: toOffset(0),
    recoveryPoint: toOffset(0),
    snapshotOffset: undefined,
    isEndRead: true,
  };
}
