/**
 * Making a log durable: what it notes of new files, and the order in which all is carried to the disk.
 *
 * A new partition's folder is durable no sooner than its first record: until then nobody was told of
 * anything that is in it, and a start makes anew what a loss of power took (`createPartition`).
 *
 * A log may be closed while its sync waits, and then its folder is removed, or somebody else's: after
 * each wait nothing is written by name before the log was asked again whether it is usable.
 * Not here: when that is done, and what a fault means (`log.ts`).
 */
import { DiskFault, isPassing } from "../env/disk.ts";
import type { Offset } from "../ground/numbers.ts";
import { syncFile, writeAtomically, writePlainly } from "./atomic_file.ts";
import { LEADER_EPOCH_FILE } from "./format.ts";
import type { LogHealth } from "./log_health.ts";
import { PARTITION_METADATA_FILE } from "./directory/partition_folder.ts";
import type { SharedSyncs } from "./directory/shared_syncs.ts";
import type { LeaderEpochs } from "./leader_epochs.ts";
import type { SegmentContext } from "./segment/segment.ts";
import type { Segments } from "./segment/segments.ts";

export interface SyncedLog {
  readonly context: SegmentContext;
  readonly segments: Segments;
  readonly epochs: LeaderEpochs;
  readonly health: Pick<LogHealth, "throwUnusable">;
  /** Of the directory that its folder lies in. */
  readonly shared: SharedSyncs;
}

/** What may not be durable of a log that was opened. */
export interface NewNames {
  readonly hasNewEntries: boolean;
  readonly hasNewDirectory: boolean;
  /** Neither is it known whose folder it is, by a file in it. */
  readonly isFolderNew: boolean;
}

export class LogSync {
  /** Entries of the directory that may not be durable: files made or removed. */
  hasNewEntries: boolean;
  #hasNewDirectory: boolean;
  #isFolderNew: boolean;
  /** Whether the file of the leader epochs may be torn or lost, though it lacks nothing. */
  #areEpochsLoose: boolean;
  /** Paths of snapshots whose content may not be durable. */
  #newSnapshots: readonly string[] = [];
  readonly #log: SyncedLog;

  constructor(log: SyncedLog, { hasNewEntries, hasNewDirectory, isFolderNew }: NewNames) {
    this.#log = log;
    this.hasNewEntries = hasNewEntries || isFolderNew;
    this.#hasNewDirectory = hasNewDirectory || isFolderNew;
    this.#isFolderNew = isFolderNew;
    this.#areEpochsLoose = hasNewEntries; // who was killed may have written it plainly
  }

  /**
   * Whether a loss of power may take the folder, or the name of its first segment: a second one must
   * not begin before, for it alone would be taken for all that there ever was.
   */
  get isFolderNew(): boolean {
    return this.#isFolderNew;
  }

  noteSnapshot(path: string): void {
    this.#newSnapshots = [...this.#newSnapshots, path];
    this.hasNewEntries = true;
  }

  /** The order is the point: data first, and oldest first, then the names under which it is found. */
  async run(recoveryPoint: Offset): Promise<void> {
    const { segments, context, shared } = this.#log;
    if (context.makeFolder !== undefined) return; // there is nothing yet
    if (this.#isFolderNew && segments.count === 1) {
      await shared.firstSync(() => this.#syncNewFolder());
    } else await this.#syncSegments(recoveryPoint);
    const snapshots = this.#newSnapshots;
    for (const path of snapshots) {
      // It may have gone with its segment.
      await this.#syncThere(path);
    }
    this.#newSnapshots = this.#newSnapshots.filter((path) => !snapshots.includes(path));
    await this.#syncNames();
  }

  async #syncSegments(recoveryPoint: Offset): Promise<void> {
    const { segments } = this.#log;
    // From the segment of the last durable offset on: it may have been sealed since.
    const unsynced = segments.all().slice(segments.floorIndex(recoveryPoint - 1));
    for (const segment of unsynced) {
      await segment.sync();
      if (segment !== unsynced.at(-1)) await segment.syncIndexes();
    }
  }

  /**
   * Of a folder with its first segment, all at once: until that is done nobody was told of anything in
   * it, and recovery takes any part of it for what it is. Four calls: the records, whose folder it is,
   * the names in it and, for all folders that are new now, its own. The leader epochs need none where
   * they have no file yet: if a crash takes it, or a part, the batches tell the same. An older file would
   * be believed instead (`epochCases`): it is replaced as always, with the names.
   */
  async #syncNewFolder(): Promise<void> {
    const { segments, epochs, health, shared, context: { directory, disk } } = this.#log;
    health.throwUnusable("sync"); // it has waited for its turn
    const path = `${directory}/${LEADER_EPOCH_FILE}`;
    if (epochs.isChanged && disk.info(path) === undefined) {
      this.#areEpochsLoose = true;
      this.hasNewEntries = true;
      writePlainly(disk, path, epochs.encode());
      epochs.isChanged = false;
    }
    await allOf([
      segments.at(0).sync(),
      this.#syncOwner(),
      this.syncEntries(),
      shared.syncNames(),
    ]);
    this.#hasNewDirectory = false;
    this.#isFolderNew = false;
  }

  /** Before a close is called clean: what the file says is believed then. */
  async syncEpochs(): Promise<void> {
    if (!this.#areEpochsLoose) return;
    await this.#syncThere(`${this.#log.context.directory}/${LEADER_EPOCH_FILE}`);
    this.#areEpochsLoose = false;
  }

  /** The file that says whose folder it is. */
  #syncOwner(): Promise<void> {
    return this.#syncThere(`${this.#log.context.directory}/${PARTITION_METADATA_FILE}`);
  }

  /** One that is not there would be made, and empty. */
  async #syncThere(path: string): Promise<void> {
    const { health, context: { disk } } = this.#log;
    health.throwUnusable("sync");
    if (disk.info(path) !== undefined) await syncFile(disk, path);
  }

  /** What is noted as done is noted when it is done: a call that failed is made again. */
  async #syncNames(): Promise<void> {
    const { epochs, health, shared, context: { directory, disk } } = this.#log;
    const throwUnusable = (): void => health.throwUnusable("sync");
    if (this.#isFolderNew) await this.#syncOwner();
    throwUnusable();
    if (epochs.isChanged) {
      const { hasNewEntries } = this;
      epochs.isChanged = false; // a change that comes meanwhile sets it again
      this.hasNewEntries = false; // they become durable with the file's own
      try {
        const path = `${directory}/${LEADER_EPOCH_FILE}`;
        await writeAtomically(disk, path, epochs.encode(), throwUnusable);
        this.#areEpochsLoose = false;
      } catch (fault) {
        epochs.isChanged = true;
        this.hasNewEntries ||= hasNewEntries;
        throw fault;
      }
    }
    await this.syncEntries();
    if (!this.#hasNewDirectory) return;
    await shared.syncNames();
    this.#hasNewDirectory = false;
    this.#isFolderNew = false;
  }

  /** Makes new names durable. */
  async syncEntries(): Promise<void> {
    if (!this.hasNewEntries || this.#log.context.makeFolder !== undefined) return;
    this.hasNewEntries = false;
    const { disk, directory } = this.#log.context;
    await disk.syncDirectory(directory).catch((fault: unknown) => {
      this.hasNewEntries = true;
      throw fault;
    });
  }
}

/** Waits for all of them. Of their faults one that is no want of room or handles comes first. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  const faults = (await Promise.allSettled(work)).flatMap((ended): unknown[] => {
    return ended.status === "rejected" ? [ended.reason] : [];
  });
  const isLasting = (fault: unknown): boolean => !(fault instanceof DiskFault && isPassing(fault));
  if (faults.length > 0) throw faults.find(isLasting) ?? faults[0];
}
