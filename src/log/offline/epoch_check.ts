/**
 * Whether the leader epochs of the batches go up, and whether `leader-epoch-checkpoint` says the same.
 *
 * A batch's epoch lies outside its CRC. One batch whose epoch fits neither its neighbours nor a file
 * that agrees with all others lies; where the file disagrees with more than such batches, it is the
 * file that lies. Batches that were never known as durable are not held to the file: it is written at
 * a sync.
 */

import type { OffsetSpan } from "./finding.ts";

export interface EpochedBatch {
  readonly position: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
}

/** A batch whose epoch is wrong, and what it should be. */
export interface WrongEpoch {
  readonly segment: string;
  readonly batch: EpochedBatch;
  readonly expected: number;
}

export interface EpochVerdict {
  readonly wrong: readonly WrongEpoch[];
  readonly fileFlaw: string | undefined;
}

/** Of batches that are older than leader epochs are. */
const NO_EPOCH = -1;

/** Batches of one epoch, one behind the other. */
interface EpochRun {
  readonly segment: string;
  readonly first: EpochedBatch;
  readonly leaderEpoch: number;
  batches: number;
  lastOffset: number;
}

export type EpochFor = (offset: number) => number | undefined;

export class EpochCheck {
  /** In the order of the log. */
  readonly #runs: EpochRun[] = [];

  onBatch(batch: EpochedBatch, segment: string): void {
    const { leaderEpoch, lastOffset } = batch;
    const latest = this.#runs.at(-1);
    if (latest?.leaderEpoch === leaderEpoch) {
      latest.lastOffset = lastOffset;
      latest.batches++;
    } else {
      const { position, baseOffset } = batch;
      const first = { position, baseOffset, lastOffset, leaderEpoch };
      this.#runs.push({ segment, first, leaderEpoch, batches: 1, lastOffset });
    }
  }

  /**
   * `epochFor`: what the file says; undefined where it says nothing. It is held to the batches that
   * end in `known`: the file forgets what lies below the log's start, which the last segment keeps.
   */
  verdict(epochFor: EpochFor | undefined, known: OffsetSpan): EpochVerdict {
    const { kept, accused } = sortRuns(
      this.#runs.filter(({ leaderEpoch }) => leaderEpoch !== NO_EPOCH),
    );
    const lying = accused.map(({ run, least, most }) => {
      const said = epochFor?.(run.first.lastOffset) ?? least;
      const expected = said >= least && said <= most ? said : least;
      return { segment: run.segment, batch: run.first, expected };
    });
    if (epochFor === undefined) return { wrong: lying, fileFlaw: undefined };
    const isHeld = ({ lastOffset }: EpochRun): boolean =>
      lastOffset >= known.from && lastOffset < known.until;
    const heldTo: EpochFor = (offset) => epochFor(Math.max(offset, known.from));
    const other = kept.filter((run) => isHeld(run) && !isAgreed(run, heldTo));
    const agreed = kept.filter(({ lastOffset }) => lastOffset >= known.from).length - other.length;
    const areBatches = agreed > 0 && other.every((run) => run.batches === 1);
    if (areBatches) {
      const wrong = other.map(({ segment, first }) => {
        return { segment, batch: first, expected: epochFor(first.lastOffset) ?? -1 };
      });
      return { wrong: [...lying, ...wrong], fileFlaw: undefined };
    }
    const [{ first, leaderEpoch } = { first: undefined, leaderEpoch: 0 }] = other;
    const fileFlaw = first &&
      `it says epoch ${
          epochFor(first.baseOffset) ?? "unknown"
        } of offset ${first.baseOffset}, whose ` +
        `batch says ${leaderEpoch}`;
    return { wrong: lying, fileFlaw };
  }
}

function isAgreed({ first, lastOffset, leaderEpoch }: EpochRun, epochFor: EpochFor): boolean {
  return epochFor(first.lastOffset) === leaderEpoch && epochFor(lastOffset) === leaderEpoch;
}

/** A batch whose epoch cannot be, and what its neighbours allow. */
interface Accused {
  readonly run: EpochRun;
  readonly least: number;
  readonly most: number;
}

/** Takes out single batches without which the epochs go up. */
function sortRuns(runs: readonly EpochRun[]): {
  readonly kept: readonly EpochRun[];
  readonly accused: readonly Accused[];
} {
  const kept: EpochRun[] = [];
  const accused: Accused[] = [];
  for (const run of runs) {
    const latest = kept.at(-1);
    if (run.leaderEpoch < NO_EPOCH) {
      accused.push({ run, least: latest?.leaderEpoch ?? 0, most: Infinity });
      continue;
    }
    if (latest !== undefined && run.leaderEpoch < latest.leaderEpoch) {
      const before = kept.at(-2);
      const hasJumped = latest.batches === 1 && run.leaderEpoch >= (before?.leaderEpoch ?? 0);
      if (!hasJumped) {
        accused.push({ run, least: latest.leaderEpoch, most: Infinity });
        continue;
      }
      kept.pop();
      const { leaderEpoch: most } = run;
      accused.push({ run: latest, least: before?.leaderEpoch ?? 0, most });
    }
    const same = kept.at(-1);
    if (same?.leaderEpoch === run.leaderEpoch) {
      same.batches += run.batches;
      same.lastOffset = run.lastOffset;
    } else kept.push({ ...run });
  }
  return { kept, accused };
}
