/**
 * The offset checkpoints of the log directories, written as the logs move.
 *
 * Recovery points are hints: a stale one costs a start after a crash some time. Log starts are more:
 * what is below one that was written may be removed, so whoever moves a start waits until it is durable.
 * What the last start could not open keeps what the checkpoints said of it.
 */
import { DiskFault, isPassing } from "../env/disk.ts";
import type { Offset } from "../ground/numbers.ts";
import type { PartitionOffset } from "../log/checkpoint_file.ts";
import type { CheckpointKind } from "../log/log_directory.ts";
import type { TopicPartition } from "../log/partition_folder.ts";
import type { Place } from "./log_places.ts";

/** A log with the place where it lies, and what was last written down of it. */
export interface HintedLog {
  readonly name: TopicPartition;
  readonly place: Place;
  readonly log: { readonly recoveryPoint: Offset; readonly logStartOffset: Offset };
  writtenLogStart: Offset;
}

export interface HintSources {
  readonly places: readonly Place[];
  /** All logs that are open, the metadata log too. */
  logs(): Iterable<HintedLog>;
  /** Partitions whose folders are known and whose logs are not open. */
  unopened(): Iterable<{ readonly name: TopicPartition; readonly place: Place }>;
}

export class LogHints {
  readonly #sources: HintSources;
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
        // deno-lint-ignore no-await-in-loop -- one directory after the other
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
    await place.directory.writeCheckpoint(kind, () => {
      const entries: PartitionOffset[] = [];
      for (const one of this.#sources.logs()) {
        if (one.place !== place) continue;
        const offset = kind === "logStart" ? one.log.logStartOffset : one.log.recoveryPoint;
        if (kind === "logStart") starts.set(one, offset);
        if (offset > 0) entries.push({ ...one.name, offset });
      }
      entries.push(...this.#ofUnopened(kind, place));
      return entries;
    });
    for (const [one, offset] of starts) one.writtenLogStart = offset;
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
