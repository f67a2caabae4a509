/**
 * At which offset each leader epoch of a partition began (KIP-101), for truncation and fencing.
 *
 *     0            version
 *     2            entries
 *     0 0          leader epoch, first offset of it
 *     5 1042
 *
 * Every batch carries its leader epoch, so the file `leader-epoch-checkpoint` is a shortcut: entries
 * behind the recovery point are found anew in the batches.
 * Source: kafka: LeaderEpochFileCache, LeaderEpochCheckpointFile.
 */
import type { Offset } from "../ground/numbers.ts";
import { bytesOf, textOf } from "../ground/text.ts";

const VERSION = 0;
const NONE = -1;

export interface EpochStart {
  readonly leaderEpoch: number;
  readonly startOffset: number;
}

export interface EpochEnd {
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

export class LeaderEpochs {
  /** Epochs and start offsets both go up. */
  #entries: EpochStart[] = [];
  /** Whether the file lacks something. */
  isChanged = false;

  entries(): readonly EpochStart[] {
    return this.#entries;
  }

  latest(): EpochStart | undefined {
    return this.#entries.at(-1);
  }

  /** Notes that batches of this epoch begin at `startOffset`; nothing where the epoch is the last one. */
  assign(leaderEpoch: number, startOffset: number): void {
    const latest = this.#entries.at(-1);
    if (leaderEpoch < 0 || latest?.leaderEpoch === leaderEpoch) return;
    // An entry that goes back in epoch or offset contradicts those behind it, and is newer than they are.
    if (
      latest !== undefined &&
      (latest.leaderEpoch > leaderEpoch || latest.startOffset >= startOffset)
    ) {
      this.#keep((entry) => entry.leaderEpoch < leaderEpoch && entry.startOffset < startOffset);
    }
    this.#entries.push({ leaderEpoch, startOffset });
    this.isChanged = true;
  }

  /**
   * The last epoch at or below the asked one, and the offset at which the next one began.
   * Source: kafka: LeaderEpochFileCache.endOffsetFor (KIP-279).
   */
  endOffsetFor(leaderEpoch: number, logEndOffset: Offset): EpochEnd {
    const latest = this.#entries.at(-1);
    if (leaderEpoch === NONE || latest === undefined) return { leaderEpoch: NONE, endOffset: NONE };
    if (leaderEpoch === latest.leaderEpoch) return { leaderEpoch, endOffset: logEndOffset };
    const index = this.#entries.findIndex((entry) => entry.leaderEpoch > leaderEpoch);
    const higher = this.#entries[index];
    if (higher === undefined) return { leaderEpoch: NONE, endOffset: NONE };
    const floor = this.#entries[index - 1];
    return { leaderEpoch: floor?.leaderEpoch ?? leaderEpoch, endOffset: higher.startOffset };
  }

  /** The epoch of the record at `offset`; undefined where none is known. */
  epochFor(offset: number): number | undefined {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.leaderEpoch;
  }

  /** The log ends at `endOffset` now. */
  truncateFromEnd(endOffset: number): void {
    if ((this.latest()?.startOffset ?? NONE) >= endOffset) {
      this.#keep((entry) => entry.startOffset < endOffset);
    }
  }

  /** The log begins at `startOffset` now; the epoch of its first record stays known. */
  truncateFromStart(startOffset: number): void {
    const floor = this.#entries.findLast((entry) => entry.startOffset <= startOffset);
    if (floor === undefined || floor === this.#entries[0] && floor.startOffset === startOffset) {
      return;
    }
    this.#keep((entry) => entry.startOffset > floor.startOffset);
    this.#entries.unshift({ leaderEpoch: floor.leaderEpoch, startOffset });
  }

  clear(): void {
    this.#keep(() => false);
  }

  encode(): Uint8Array {
    const lines = this.#entries.map((entry) => `${entry.leaderEpoch} ${entry.startOffset}\n`);
    return bytesOf(`${VERSION}\n${lines.length}\n${lines.join("")}`);
  }

  /** Takes over what a checkpoint file holds; false (and nothing changed) where it is damaged. */
  decode(bytes: Uint8Array): boolean {
    const lines = textOf(bytes).split("\n");
    const [version, count] = lines;
    if (version !== String(VERSION) || lines.at(-1) !== "" || lines.length !== Number(count) + 3) {
      return false;
    }
    const entries: EpochStart[] = [];
    for (const line of lines.slice(2, -1)) {
      const [, leaderEpoch, startOffset] = /^(\d{1,10}) (\d{1,16})$/.exec(line) ?? [];
      if (leaderEpoch === undefined) return false;
      entries.push({ leaderEpoch: Number(leaderEpoch), startOffset: Number(startOffset) });
    }
    if (!entries.every((entry, index) => isAfter(entry, entries[index - 1]))) return false;
    this.#entries = entries;
    return true;
  }

  #keep(isKept: (entry: EpochStart) => boolean): void {
    this.#entries = this.#entries.filter(isKept);
    this.isChanged = true;
  }
}

function isAfter(entry: EpochStart, before: EpochStart | undefined): boolean {
  return before === undefined ||
    entry.leaderEpoch > before.leaderEpoch && entry.startOffset > before.startOffset;
}
