/**
 * One entry of `log.dirs`: who owns it, how it was left, how it is, and which partitions lie in it.
 * The one owner of the faults of its disk (`health`): everybody else hands them in and asks.
 *
 *     open   lock, identity, was it clean? remove the mark (durably), read the hints
 *     …      logs are opened, written, synced
 *     close  hints, then the mark (durably), unlock
 *
 * The mark is removed before anything else is written: a crash while logs are being opened must not
 * look like a clean stop (KAFKA-10471).
 * Not here: the logs themselves, and where a new partition goes.
 */
import { type Disk, DiskFault, type DiskLock, isPassing } from "../../env/disk.ts";
import type { Trace } from "../../env/trace.ts";
import { assert } from "../../ground/assert.ts";
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { bytesOf } from "../../ground/text.ts";
import type { Uuid } from "../../ground/uuid.ts";
import { writeAtomically } from "../atomic_file.ts";
import { decodeCheckpoint, encodeCheckpoint, type PartitionOffset } from "../checkpoint_file.ts";
import { DirectoryHealth } from "./directory_health.ts";
import type { DirectoryIdentity } from "./directory_identity.ts";
import { segmentFileName } from "../format.ts";
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
  /** Up to where a compacted log is clean. */
  cleaned: "cleaner-offset-checkpoint",
} as const;
export type CheckpointKind = keyof typeof CHECKPOINT_FILES;

export interface PartitionFolder extends TopicPartition {
  readonly path: string;
  /** Undefined where the file that says it is missing. */
  readonly topicId: Uuid | undefined;
  /** Where that file is there and cannot be read. */
  readonly fault?: DiskFault;
}

export class LogDirectory {
  readonly path: string;
  readonly identity: DirectoryIdentity;
  /** Whether the last owner closed all logs; false for a new directory as well. */
  readonly wasClean: boolean;
  /** The broker epoch of that owner; undefined after an unclean stop. */
  readonly lastBrokerEpoch: number | undefined;
  readonly health: DirectoryHealth;
  readonly #disk: Disk;
  readonly #trace: Trace;
  readonly #lock: DiskLock;
  readonly #checkpoints: Record<CheckpointKind, ReadonlyMap<string, Offset>>;
  readonly #written = new Set<CheckpointKind>();
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
    this.health = new DirectoryHealth(options);
    this.#checkpoints = {
      recoveryPoint: this.#readCheckpoint("recoveryPoint"),
      logStart: this.#readCheckpoint("logStart"),
      highWatermark: this.#readCheckpoint("highWatermark"),
      cleaned: this.#readCheckpoint("cleaned"),
    };
  }

  /** The partitions that lie here, in the order of their names. */
  partitions(): readonly PartitionFolder[] {
    const folders: PartitionFolder[] = [];
    for (const entry of this.#disk.list(this.path)) {
      const parsed = entry.isDirectory ? parseFolderName(entry.name) : undefined;
      if (parsed === undefined) continue;
      const path = `${this.path}/${entry.name}`;
      try {
        folders.push({ ...parsed, path, topicId: this.#topicIdOf(path) });
      } catch (fault) {
        if (!(fault instanceof DiskFault)) throw fault;
        folders.push({ ...parsed, path, topicId: undefined, fault });
      }
    }
    return folders;
  }

  /** Looks again at a folder of which the file could not be read. Throws what the disk throws. */
  lookAgain({ topic, partition, path }: PartitionFolder): PartitionFolder {
    return { topic, partition, path, topicId: this.#topicIdOf(path) };
  }

  #topicIdOf(path: string): Uuid | undefined {
    const metadata = this.#disk.readWhole(`${path}/${PARTITION_METADATA_FILE}`);
    return metadata === undefined ? undefined : decodePartitionMetadata(metadata);
  }

  /** Whether there is a checkpoint that can be read. */
  hasCheckpoint(kind: CheckpointKind): boolean {
    return this.#written.has(kind);
  }

  /** What the checkpoint says; 0 where it says nothing. */
  checkpoint(kind: CheckpointKind, partition: TopicPartition): Offset {
    return this.#checkpoints[kind].get(folderName(partition)) ?? toOffset(0);
  }

  /**
   * Makes the directory of a new partition, durably. One that lies there already and is another's is
   * put aside, not taken over: its records are not this topic's, and nobody said that they may go.
   * `uniqueHex`: as for `deletePartitions`.
   */
  async createPartition(
    partition: TopicPartition,
    topicId: Uuid,
    uniqueHex: string,
  ): Promise<PartitionFolder> {
    const folder = folderName(partition);
    const path = `${this.path}/${folder}`;
    await this.#dropHints([partition]);
    if (this.#disk.list(path).length > 0 && this.#topicIdOf(path) !== topicId) {
      const aside = `${path}.${uniqueHex}-stray`;
      this.#trace.event("warn", "a folder of another topic is put aside", { path, aside });
      this.#disk.rename(path, aside);
    }
    this.#disk.makeDirectory(path);
    // With the name of the folder's owner that of its first segment becomes durable: otherwise a loss
    // of power might leave a later one alone.
    if (this.#disk.list(path).length === 0) {
      this.#disk.open(`${path}/${segmentFileName(toOffset(0), "log")}`, "write").close();
    }
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
   * Takes partitions out of sight, durably. Their logs must be closed. `uniqueHex` gives 32 hex digits
   * that no other deletion has. Gives the paths of the folders from then on. One that cannot be renamed for now is told of and left to the next start.
   */
  async deletePartitions(
    partitions: readonly TopicPartition[],
    uniqueHex: () => string,
  ): Promise<readonly string[]> {
    await this.#dropHints(partitions).catch((error: unknown) => {
      // On a full disk a deletion is what makes room; `createPartition` drops what is left.
      if (!(error instanceof DiskFault && isPassing(error))) throw error;
    });
    const paths = partitions.flatMap((partition) => this.#putAside(partition, uniqueHex()));
    await this.#disk.syncDirectory(this.path);
    return paths;
  }

  #putAside(partition: TopicPartition, uniqueHex: string): readonly string[] {
    assert(/^[0-9a-f]{32}$/.test(uniqueHex), "a deletion is named by 32 hex digits");
    const folder = folderName(partition);
    const path = `${this.path}/${deletedName(folder, uniqueHex)}`;
    try {
      this.#disk.rename(`${this.path}/${folder}`, path);
      return [path];
    } catch (error) {
      if (!(error instanceof DiskFault && isPassing(error))) throw error;
      this.#trace.event("warn", "a folder is removed at the next start only", {
        path: `${this.path}/${folder}`,
        error: error.message,
      });
      return [];
    }
  }

  /** Paths of what `deletePartitions` put aside, before the last stop or crash as well. */
  deletedFolders(): readonly string[] {
    return this.#disk.list(this.path).flatMap(({ name, isDirectory }) =>
      isDirectory && isDeletedName(name) ? [`${this.path}/${name}`] : []
    );
  }

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
    this.health.stop();
    await writeAtomically(this.#disk, `${this.path}/${CLEAN_MARK_FILE}`, mark);
    this.#lock.release();
  }

  /** Lets go of the directory without a word: the next owner will recover. */
  abandon(): void {
    this.health.stop();
    this.#lock.release();
  }

  /**
   * Forgets what the checkpoints say of partitions, durably: one of the same name that is made later
   * would be held to offsets that it never had.
   */
  #dropHints(partitions: readonly TopicPartition[]): Promise<void> {
    const names = partitions.map(folderName);
    return this.#inTurn(async () => {
      for (const kind of Object.keys(CHECKPOINT_FILES) as CheckpointKind[]) {
        const entries = this.#checkpoints[kind];
        if (!names.some((name) => entries.has(name))) continue;
        const dropped = new Set(names);
        const left = [...entries].flatMap(([name, offset]) => {
          const parsed = parseFolderName(name);
          return parsed === undefined || dropped.has(name) ? [] : [{ ...parsed, offset }];
        });
        // deno-lint-ignore no-await-in-loop -- at most four small files
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
    this.#written.add(kind);
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
    else if (bytes !== undefined) this.#written.add(kind);
    return new Map((entries ?? []).map((entry) => [folderName(entry), entry.offset]));
  }
}
