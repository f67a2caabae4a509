/**
 * The offset checkpoints of the log directories, written as the logs move.
 *
 * Recovery points are hints: a stale one costs a start after a crash some time. Log starts are more:
 * what is below one that was written may be removed, so whoever moves a start waits until it is durable.
 * Up to where a log is clean is a hint, too: without it a log is compacted from its start.
 * What the last start could not open keeps what the checkpoints said of it.
 */
import { DiskFault, isPassing } from "../env/disk.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import type { PartitionOffset } from "../log/checkpoint_file.ts";
import type { Log } from "../log/log.ts";
import type { CheckpointKind } from "../log/directory/log_directory.ts";
import type { TopicPartition } from "../log/directory/partition_folder.ts";
import { atMost } from "./at_most.ts";
import type { Place } from "./log_places.ts";

/** A log with the place where it lies, and what was last written down of it. */
export interface HintedLog {
  readonly name: TopicPartition;
  readonly place: Place;
  readonly log: Pick<
    Log,
    | "recoveryPoint"
    | "logStartOffset"
    | "wantsSnapshot"
    | "onCheckpoint"
    | "isFolderNew"
    | "isUsable"
    | "isClosed"
    | "sync"
  >;
  writtenLogStart: Offset;
}

export interface HintSources {
  readonly places: readonly Place[];
  /** All logs that are open, the metadata log too. */
  logs(): Iterable<HintedLog>;
  /** Partitions whose folders are known and whose logs are not open. */
  unopened(): Iterable<{ readonly name: TopicPartition; readonly place: Place }>;
}

/** Logs that are synced at the same time. */
const CONCURRENT_MAX = 16;
/** Producer snapshots that are written before somebody else has a turn. */
const SNAPSHOTS_AT_ONCE = 10;

export class LogHints {
  readonly #sources: HintSources;
  /** Logs that want a producer snapshot, and up to where they are written down as durable. */
  readonly #wanting = new Map<HintedLog, Offset>();
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(sources: HintSources) {
    this.#sources = sources;
  }

  /** Costs nothing where no log has become durable further than before. */
  async writeRecoveryPoints(): Promise<void> {
    for (const place of this.#sources.places) {
      if (!place.isOnline || !place.hasNewRecoveryPoints) continue;
      place.hasNewRecoveryPoints = false; // a move that comes meanwhile sets it again
      try {
        // deno-lint-ignore no-await-in-loop -- one directory after the other
        await this.#write("recoveryPoint", place);
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        place.hasNewRecoveryPoints = true;
        place.onFault(error);
      }
    }
  }

  /**
   * Lets logs write producer snapshots whose recovery points were written down. One that finds no room
   * is written another time. `pause` lets others have a turn.
   */
  async writeSnapshots(pause: () => Promise<void>): Promise<void> {
    let count = 0;
    for (const [one, recoveryPoint] of this.#wanting) {
      this.#wanting.delete(one);
      const { place, log } = one;
      if (!place.isOnline) continue;
      // deno-lint-ignore no-await-in-loop -- that is what a pause is
      if (count++ % SNAPSHOTS_AT_ONCE === SNAPSHOTS_AT_ONCE - 1) await pause();
      try {
        // deno-lint-ignore no-await-in-loop -- one after the other: nobody waits for it
        await log.onCheckpoint(recoveryPoint);
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        if (!isPassing(error)) place.onFault(error);
      }
    }
  }

  /**
   * Makes durable where all logs start now; who calls while a write is under way shares the next one.
   * Rejects where a directory has no room for it. One that fails is offline: whoever works on a log of
   * it sees that there.
   */
  writeLogStarts(): Promise<void> {
    if (this.#writing === undefined) return this.#startWriting();
    const next = (): Promise<void> => {
      this.#next = undefined;
      return this.#startWriting();
    };
    this.#next ??= this.#writing.then(next, next);
    return this.#next;
  }

  /** Whether it is written that this log is durable up to `offset`; undefined is one that was deleted. */
  async writeRecoveryPoint(one: HintedLog | undefined, offset: Offset): Promise<boolean> {
    if (one === undefined) return false;
    const { place, name } = one;
    const isWritten = (): boolean => place.directory.checkpoint("recoveryPoint", name) >= offset;
    if (isWritten()) return true;
    place.hasNewRecoveryPoints = true;
    await this.writeRecoveryPoints();
    return isWritten();
  }

  cleanedUpTo(one: HintedLog | undefined): Offset {
    return one?.place.directory.checkpoint("cleaned", one.name) ?? toOffset(0);
  }

  /** Of the other logs in its place, what was written before stays. Throws what the disk throws. */
  async writeCleanedUpTo(cleaned: HintedLog | undefined, offset: Offset): Promise<void> {
    if (cleaned === undefined) return;
    const { place } = cleaned;
    await place.directory.writeCheckpoint("cleaned", () => {
      const entries: PartitionOffset[] = [];
      for (const one of this.#sources.logs()) {
        if (one.place !== place) continue;
        const upTo = one === cleaned ? offset : this.cleanedUpTo(one);
        if (upTo > 0) entries.push({ ...one.name, offset: upTo });
      }
      entries.push(...this.#ofUnopened("cleaned", place));
      return entries;
    });
  }

  /** At a clean stop. Throws what the disk throws. */
  async writeAll(place: Place): Promise<void> {
    await this.#write("recoveryPoint", place);
    await this.#write("logStart", place);
  }

  #startWriting(): Promise<void> {
    this.#writing = this.#writeMovedStarts().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeMovedStarts(): Promise<void> {
    const moved: HintedLog[] = [];
    for (const one of this.#sources.logs()) {
      if (one.log.logStartOffset !== one.writtenLogStart) moved.push(one);
    }
    let refusal: DiskFault | undefined;
    for (const place of new Set(moved.map((one) => one.place))) {
      if (!place.isOnline) continue;
      try {
        // A folder that is lost with the power is made anew, and its offsets would begin anew with it.
        const unnamed = moved.filter((one) => {
          return one.place === place && one.log.isFolderNew && one.log.isUsable;
        });
        // deno-lint-ignore no-await-in-loop -- one directory after the other
        await atMost(CONCURRENT_MAX, unnamed, syncUnlessClosed);
        // deno-lint-ignore no-await-in-loop
        await this.#write("logStart", place);
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        place.onFault(error);
        if (isPassing(error)) refusal = error;
      }
    }
    if (refusal !== undefined) throw refusal;
  }

  /** The entries are taken when the write's turn has come: see `LogDirectory.writeCheckpoint`. */
  async #write(kind: "recoveryPoint" | "logStart", place: Place): Promise<void> {
    const starts = new Map<HintedLog, Offset>();
    const wanting = new Map<HintedLog, Offset>();
    await place.directory.writeCheckpoint(kind, () => {
      const entries: PartitionOffset[] = [];
      for (const one of this.#sources.logs()) {
        if (one.place !== place) continue;
        const offset = kind === "logStart" ? one.log.logStartOffset : one.log.recoveryPoint;
        if (kind === "logStart") starts.set(one, offset);
        else if (one.log.wantsSnapshot) wanting.set(one, offset);
        if (offset > 0) entries.push({ ...one.name, offset });
      }
      entries.push(...this.#ofUnopened(kind, place));
      return entries;
    });
    for (const [one, offset] of starts) one.writtenLogStart = offset;
    for (const [one, offset] of wanting) this.#wanting.set(one, offset);
  }

  #ofUnopened(kind: CheckpointKind, place: Place): readonly PartitionOffset[] {
    const entries: PartitionOffset[] = [];
    for (const one of this.#sources.unopened()) {
      if (one.place !== place) continue;
      const offset = place.directory.checkpoint(kind, one.name);
      if (offset > 0) entries.push({ ...one.name, offset });
    }
    return entries;
  }
}

/**
 * A topic may be deleted while the sync of its log waits: its start is not written down any more, and
 * that the folder is gone says nothing of the disk.
 */
async function syncUnlessClosed({ log }: HintedLog): Promise<void> {
  try {
    await log.sync();
  } catch (fault) {
    const isGone = fault instanceof DiskFault && fault.kind === "not-found" && log.isClosed;
    if (!isGone) throw fault;
  }
}
