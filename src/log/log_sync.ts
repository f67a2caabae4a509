/**
 * Making a log durable: what it notes of new files, and the order in which all is carried to the disk.
 *
 * A new partition's folder is durable no sooner than its first record: until then nobody was told of
 * anything that is in it, and a start makes anew what a loss of power took (`createPartition`).
 *
 * Not here: when that is done, and what a fault means (`log.ts`).
 */
import type { Offset } from "../ground/numbers.ts";
import { syncFile, writeAtomically } from "./atomic_file.ts";
import { LEADER_EPOCH_FILE } from "./format.ts";
import { PARTITION_METADATA_FILE } from "./directory/partition_folder.ts";
import type { LeaderEpochs } from "./leader_epochs.ts";
import type { SegmentContext } from "./segment/segment.ts";
import type { Segments } from "./segment/segments.ts";

export interface SyncedLog {
  readonly context: SegmentContext;
  readonly segments: Segments;
  readonly epochs: LeaderEpochs;
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
  /** Paths of snapshots whose content may not be durable. */
  #newSnapshots: readonly string[] = [];
  readonly #log: SyncedLog;

  constructor(log: SyncedLog, { hasNewEntries, hasNewDirectory, isFolderNew }: NewNames) {
    this.#log = log;
    this.hasNewEntries = hasNewEntries || isFolderNew;
    this.#hasNewDirectory = hasNewDirectory || isFolderNew;
    this.#isFolderNew = isFolderNew;
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
    const { segments, context } = this.#log;
    if (context.makeFolder !== undefined) return; // there is nothing yet
    // From the segment of the last durable offset on: it may have been sealed since.
    const unsynced = segments.all().slice(segments.floorIndex(recoveryPoint - 1));
    for (const segment of unsynced) {
      await segment.sync();
      if (segment !== unsynced.at(-1)) await segment.syncIndexes();
    }
    const snapshots = this.#newSnapshots;
    for (const path of snapshots) {
      // It may have gone with its segment; to sync it would make it anew, and empty.
      if (context.disk.info(path) !== undefined) await syncFile(context.disk, path);
    }
    this.#newSnapshots = this.#newSnapshots.filter((path) => !snapshots.includes(path));
    await this.#syncNames();
  }

  /** What is noted as done is noted when it is done: a call that failed is made again. */
  async #syncNames(): Promise<void> {
    const { epochs, context: { directory, disk } } = this.#log;
    if (this.#isFolderNew) {
      const path = `${directory}/${PARTITION_METADATA_FILE}`;
      if (disk.info(path) !== undefined) await syncFile(disk, path); // or it would be made, and empty
    }
    if (epochs.isChanged) {
      const { hasNewEntries } = this;
      epochs.isChanged = false; // a change that comes meanwhile sets it again
      this.hasNewEntries = false; // they become durable with the file's own
      try {
        await writeAtomically(disk, `${directory}/${LEADER_EPOCH_FILE}`, epochs.encode());
      } catch (fault) {
        epochs.isChanged = true;
        this.hasNewEntries ||= hasNewEntries;
        throw fault;
      }
    }
    await this.syncEntries();
    if (!this.#hasNewDirectory) return;
    await disk.syncDirectory(directory.slice(0, directory.lastIndexOf("/")));
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
