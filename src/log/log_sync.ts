/**
 * Making a log durable: what it notes of new files, and the order in which all is carried to the disk.
 *
 * Not here: when that is done, and what a fault means (`log.ts`).
 */
import type { Offset } from "../ground/numbers.ts";
import { syncFile, writeAtomically } from "./atomic_file.ts";
import { LEADER_EPOCH_FILE } from "./format.ts";
import type { LeaderEpochs } from "./leader_epochs.ts";
import type { SegmentContext } from "./segment/segment.ts";
import type { Segments } from "./segment/segments.ts";

export interface SyncedLog {
  readonly context: SegmentContext;
  readonly segments: Segments;
  readonly epochs: LeaderEpochs;
}

export class LogSync {
  /** Entries of the directory that may not be durable: files made or removed. */
  hasNewEntries: boolean;
  #hasNewDirectory: boolean;
  /** Paths of snapshots whose content may not be durable. */
  #newSnapshots: readonly string[] = [];
  readonly #log: SyncedLog;

  constructor(
    log: SyncedLog,
    isNew: { readonly hasNewEntries: boolean; readonly hasNewDirectory: boolean },
  ) {
    this.#log = log;
    this.hasNewEntries = isNew.hasNewEntries;
    this.#hasNewDirectory = isNew.hasNewDirectory;
  }

  noteSnapshot(path: string): void {
    this.#newSnapshots = [...this.#newSnapshots, path];
    this.hasNewEntries = true;
  }

  /** The order is the point: data first, and oldest first, then the names under which it is found. */
  async run(recoveryPoint: Offset): Promise<void> {
    const { segments, context } = this.#log;
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
    if (epochs.isChanged) {
      epochs.isChanged = false; // a change that comes meanwhile sets it again
      try {
        await writeAtomically(disk, `${directory}/${LEADER_EPOCH_FILE}`, epochs.encode());
      } catch (fault) {
        epochs.isChanged = true;
        throw fault;
      }
    }
    await this.syncEntries();
    if (!this.#hasNewDirectory) return;
    await disk.syncDirectory(directory.slice(0, directory.lastIndexOf("/")));
    this.#hasNewDirectory = false;
  }

  /** Makes new names durable. */
  async syncEntries(): Promise<void> {
    if (!this.hasNewEntries) return;
    this.hasNewEntries = false;
    const { disk, directory } = this.#log.context;
    await disk.syncDirectory(directory).catch((fault: unknown) => {
      this.hasNewEntries = true;
      throw fault;
    });
  }
}
