/**
 * One entry of `log.dirs`: who owns it, how it was left, and which partitions lie in it.
 *
 *     open   lock, identity, was it clean? remove the mark (durably), read the hints
 *     …      logs are opened, written, synced
 *     close  hints, then the mark (durably), unlock
 *
 * The mark is removed before anything else is written: a crash while logs are being opened must not
 * look like a clean stop (KAFKA-10471).
 * Not here: the logs themselves, and where a new partition goes.
 */
import { type Disk, DiskFault, type DiskLock } from "../env/disk.ts";
import type { Trace } from "../env/trace.ts";
import { assert } from "../ground/assert.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import { bytesOf } from "../ground/text.ts";
import type { Uuid } from "../ground/uuid.ts";
import { writeAtomically } from "./atomic_file.ts";
import { decodeCheckpoint, encodeCheckpoint, type PartitionOffset } from "./checkpoint_file.ts";
import type { DirectoryIdentity } from "./directory_identity.ts";
import {
  CLEAN_MARK_FILE,
  faultOf,
  type LogDirectoryOptions,
  openDirectory,
  type OpenedParts,
} from "./log_directory_open.ts";
import {
  decodePartitionMetadata,
  deletedName,
  encodePartitionMetadata,
  folderName,
  isDeletedName,
  parseFolderName,
  PARTITION_METADATA_FILE,
  type TopicPartition,
} from "./partition_folder.ts";

export const CHECKPOINT_FILES = {
  recoveryPoint: "recovery-point-offset-checkpoint",
  logStart: "log-start-offset-checkpoint",
  highWatermark: "replication-offset-checkpoint",
} as const;
export type CheckpointKind = keyof typeof CHECKPOINT_FILES;

export interface PartitionFolder extends TopicPartition {
  readonly path: string;
  /** Undefined where the file that says it is missing. */
  readonly topicId: Uuid | undefined;
}

export class LogDirectory {
  readonly path: string;
  readonly identity: DirectoryIdentity;
  /** Whether the last owner closed all logs; false for a new directory as well. */
  readonly wasClean: boolean;
  /** The broker epoch of that owner; undefined after an unclean stop. */
  readonly lastBrokerEpoch: number | undefined;
  readonly #disk: Disk;
  readonly #trace: Trace;
  readonly #lock: DiskLock;
  readonly #checkpoints: Record<CheckpointKind, ReadonlyMap<string, Offset>>;
  #writing: Promise<void> = Promise.resolve();

  /** Takes the directory, making it where it is missing. Throws a `LogDirectoryFault`. */
  static async open(options: LogDirectoryOptions): Promise<LogDirectory> {
    try {
      return await openDirectory(options, (parts) => new LogDirectory(options, parts));
    } catch (fault) {
      throw fault instanceof DiskFault ? faultOf(fault) : fault;
    }
  }

  private constructor(options: LogDirectoryOptions, parts: OpenedParts) {
    this.path = options.path;
    this.identity = parts.identity;
    this.wasClean = parts.mark !== undefined;
    this.lastBrokerEpoch = parts.mark?.brokerEpoch;
    this.#disk = options.disk;
    this.#trace = options.trace;
    this.#lock = parts.lock;
    this.#checkpoints = {
      recoveryPoint: this.#readCheckpoint("recoveryPoint"),
      logStart: this.#readCheckpoint("logStart"),
      highWatermark: this.#readCheckpoint("highWatermark"),
    };
  }

  /** The partitions that lie here, in the order of their names. */
  partitions(): readonly PartitionFolder[] {
    const folders: PartitionFolder[] = [];
    for (const entry of this.#disk.list(this.path)) {
      const parsed = entry.isDirectory ? parseFolderName(entry.name) : undefined;
      if (parsed === undefined) continue;
      const path = `${this.path}/${entry.name}`;
      folders.push({ ...parsed, path, topicId: this.#topicIdOf(path) });
    }
    return folders;
  }

  #topicIdOf(path: string): Uuid | undefined {
    const metadata = this.#disk.readWhole(`${path}/${PARTITION_METADATA_FILE}`);
    return metadata === undefined ? undefined : decodePartitionMetadata(metadata);
  }

  /** What the checkpoint says; 0 where it says nothing. */
  checkpoint(kind: CheckpointKind, partition: TopicPartition): Offset {
    return this.#checkpoints[kind].get(folderName(partition)) ?? toOffset(0);
  }

  /**
   * Makes the directory of a new partition, durably. One that lies there already and is another's is
   * put aside, not taken over: its records are not this topic's, and nobody said that they may go.
   * `uniqueHex`: as for `deletePartition`.
   */
  async createPartition(
    partition: TopicPartition,
    topicId: Uuid,
    uniqueHex: string,
  ): Promise<PartitionFolder> {
    const folder = folderName(partition);
    const path = `${this.path}/${folder}`;
    await this.#dropHints(partition);
    if (this.#disk.list(path).length > 0 && this.#topicIdOf(path) !== topicId) {
      const aside = `${path}.${uniqueHex}-stray`;
      this.#trace.event("warn", "a folder of another topic is put aside", { path, aside });
      this.#disk.rename(path, aside);
    }
    this.#disk.makeDirectory(path);
    await this.writeTopicId({ path }, topicId);
    await this.#disk.syncDirectory(this.path);
    return { ...partition, path, topicId };
  }

  /** Says whose a folder is, durably: one that lost the file in a crash gets it again. */
  async writeTopicId({ path }: Pick<PartitionFolder, "path">, topicId: Uuid): Promise<void> {
    const metadata = encodePartitionMetadata(topicId);
    await writeAtomically(this.#disk, `${path}/${PARTITION_METADATA_FILE}`, metadata);
  }

  /**
   * Takes a partition out of sight, durably; its files go with `removeDeleted`. Its log must be closed.
   * `uniqueHex`: 32 hex digits that no other deletion has. Gives the folder's name from then on.
   */
  async deletePartition(partition: TopicPartition, uniqueHex: string): Promise<string> {
    assert(/^[0-9a-f]{32}$/.test(uniqueHex), "a deletion is named by 32 hex digits");
    const folder = folderName(partition);
    await this.#dropHints(partition);
    const deleted = deletedName(folder, uniqueHex);
    this.#disk.rename(`${this.path}/${folder}`, `${this.path}/${deleted}`);
    await this.#disk.syncDirectory(this.path);
    return deleted;
  }

  /** Removes one folder that `deletePartition` put aside, by the name that it gave. */
  removeDeletedFolder(deleted: string): void {
    assert(isDeletedName(deleted), "only what was deleted is removed");
    this.#disk.remove(`${this.path}/${deleted}`);
  }

  /** Removes what `deletePartition` put aside before the last stop or crash; returns how many. */
  removeDeleted(): number {
    const deleted = this.#disk.list(this.path).filter((entry) =>
      entry.isDirectory && isDeletedName(entry.name)
    );
    for (const entry of deleted) this.#disk.remove(`${this.path}/${entry.name}`);
    return deleted.length;
  }

  /** Writes one of the hints. */
  /**
   * Writes one of the hints. `entries` is asked when its turn has come: a partition that was deleted
   * meanwhile must not be among them.
   */
  writeCheckpoint(
    kind: CheckpointKind,
    entries: () => readonly PartitionOffset[],
  ): Promise<void> {
    return this.#inTurn(() => this.#writeCheckpoint(kind, entries()));
  }

  /** Marks the directory as clean and lets go of it. All logs are closed, all hints written. */
  async close(brokerEpoch: number): Promise<void> {
    const mark = bytesOf(JSON.stringify({ version: 0, brokerEpoch }));
    await writeAtomically(this.#disk, `${this.path}/${CLEAN_MARK_FILE}`, mark);
    this.#lock.release();
  }

  /** Lets go of the directory without a word: the next owner will recover. */
  abandon(): void {
    this.#lock.release();
  }

  freeBytes(): number {
    return this.#disk.freeBytes(this.path);
  }

  /**
   * Forgets what the checkpoints say of a partition, durably: one of the same name that is made later
   * would be held to offsets that it never had.
   */
  #dropHints(partition: TopicPartition): Promise<void> {
    return this.#inTurn(async () => {
      for (const kind of Object.keys(CHECKPOINT_FILES) as CheckpointKind[]) {
        const entries = this.#checkpoints[kind];
        if (!entries.has(folderName(partition))) continue;
        const left = [...entries].flatMap(([name, offset]) => {
          const parsed = parseFolderName(name);
          const isDropped = name === folderName(partition);
          return parsed === undefined || isDropped ? [] : [{ ...parsed, offset }];
        });
        // deno-lint-ignore no-await-in-loop -- at most three small files
        await this.#writeCheckpoint(kind, left);
      }
    });
  }

  async #writeCheckpoint(
    kind: CheckpointKind,
    entries: readonly PartitionOffset[],
  ): Promise<void> {
    const path = `${this.path}/${CHECKPOINT_FILES[kind]}`;
    await writeAtomically(this.#disk, path, encodeCheckpoint(entries));
    this.#checkpoints[kind] = new Map(entries.map((entry) => [folderName(entry), entry.offset]));
  }

  /** One after the other: all of them write the same files. */
  #inTurn(action: () => Promise<void>): Promise<void> {
    const turn = this.#writing.then(action);
    this.#writing = turn.catch(() => undefined); // who asked hears of it
    return turn;
  }

  #readCheckpoint(kind: CheckpointKind): ReadonlyMap<string, Offset> {
    const path = `${this.path}/${CHECKPOINT_FILES[kind]}`;
    const bytes = this.#disk.readWhole(path);
    const entries = bytes === undefined ? [] : decodeCheckpoint(bytes);
    if (entries === undefined) this.#trace.event("warn", "damaged checkpoint ignored", { path });
    return new Map((entries ?? []).map((entry) => [folderName(entry), entry.offset]));
  }
}
