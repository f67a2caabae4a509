/**
 * Whose word counts where a batch has another leader epoch than the log has for its offsets.
 *
 * The field lies outside the batch's CRC, and `leader-epoch-checkpoint` is a file without one: either may
 * have been hurt. The headers around tell which. Many batches do not rot at once: where two or more
 * contradict the file, the file is wrong, and it is a hint that can be done without.
 * Where one alone does, it is the batch, unless its neighbour says the same: at the border of two epochs
 * a batch that was hurt in just the bit that tells them apart looks like a border that was hurt. Such a
 * batch is told of and served, its records are as they were.
 */
import type { BatchView } from "../../record/batch_view.ts";
import { isWrongEpoch } from "./batch_check.ts";
import { scan } from "../batch_scanner.ts";
import type { LeaderEpochs } from "../leader_epochs.ts";
import type { Segment } from "../segment/segment.ts";
import type { Segments } from "../segment/segments.ts";

export interface EpochedLog {
  readonly directory: string;
  readonly segments: Segments;
  readonly epochs: LeaderEpochs;
}

/** Whether the batch at `position` is the one that is wrong. Looks at headers of three segments. */
export async function mayTrustEpochs(
  { segments, epochs }: EpochedLog,
  segment: Segment,
  position: number,
): Promise<boolean> {
  const at = segments.indexOf(segment.baseOffset);
  let wrongCount = 0;
  let leaderEpochBefore = -1;
  let isJoined = false;
  let isBehind = false;
  for (const around of segments.all().slice(Math.max(0, at - 1), at + 2)) {
    const visit = (batch: BatchView, place: number): boolean => {
      const leaderEpoch = batch.partitionLeaderEpoch();
      const isIt = around === segment && place === position;
      if ((isIt || isBehind) && leaderEpoch === leaderEpochBefore) isJoined = true;
      if (isWrongEpoch(leaderEpoch, epochs.epochFor(batch.lastOffset()))) wrongCount++;
      isBehind = isIt;
      leaderEpochBefore = leaderEpoch;
      return wrongCount < 2;
    };
    const end = around.sizeInBytes;
    // deno-lint-ignore no-await-in-loop -- one segment behind the other
    await around.withFile((file) => scan(file, { position: 0, end, mode: "header" }, visit));
  }
  return wrongCount < 2 && !isJoined;
}
