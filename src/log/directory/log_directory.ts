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
 * Not here: the logs themselves, and where a new partition goes. Longer than most: what is made and
 * removed, and what the checkpoints say of it, go together.
 */
import { type Disk, DiskFault, type DiskLock, isPassing } from "../../env/disk.ts";
import type { Trace } from "../../env/trace.ts";
import { assert } from "../../ground/assert.ts";
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { bytesOf } from "../../ground/text.ts";
import type { Uuid } from "../../ground/uuid.ts";
import { syncFile, writeAtomically, writePlainly } from "../atomic_file.ts";
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
import { SharedSyncs } from "./shared_syncs.ts";

export const CHECKPOINT_FILES = {
  recoveryPoint: "recovery-point-offset-checkpoint",
  logStart: "log-start-offset-checkpoint",
  highWatermark: "replication-offset-checkpoint",
  /** Up to where a compacted log is clean. */
  cleaned: "cleaner-offset-checkpoint",
} as const;
export type CheckpointKind = keyof typeof CHECKPOINT_FILES;

const LISTED_MS = 1000;

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
  /** For the logs in it. */
  readonly syncs: SharedSyncs;
  readonly #disk: Disk;
  readonly #trace: Trace;
  readonly #lock: DiskLock;
  readonly #checkpoints: Record<CheckpointKind, ReadonlyMap<string, Offset>>;
  readonly #written = new Set<CheckpointKind>();
  readonly #clock: LogDirectoryOptions["clock"];
  /** What lies here, and until when that is taken to be so: thousands may be made one after the other. */
  #listed: { readonly names: Set<string>; readonly untilMs: number } | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** Names that the checkpoints are to forget: whose turn comes first does it for all. */
  readonly #dropped = new Set<string>();

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
    this.#clock = options.clock;
    this.#trace = options.trace;
    this.#lock = parts.lock;
    this.health = new DirectoryHealth(options);
    this.syncs = new SharedSyncs(options.disk, options.path);
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

  /** Whether one of this name lies here, whosever it is. Throws what the disk throws. */
  hasFolder(partition: TopicPartition): boolean {
    return this.#disk.info(`${this.path}/${folderName(partition)}`) !== undefined;
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
   * Makes the directory of a new partition. It becomes durable with its first record (`LogSync`), or by
   * `syncPartition`: a loss of power before that leaves nothing, or a part of it that holds no record
   * anybody was told of, and metadata knows whose that is; the next start completes it.
   * One that lies there already and is another's is put aside, durably, and not taken over: its records
   * are not this topic's, and nobody said that they may go. `uniqueHex`: as for `deletePartitions`.
   */
  async createPartition(
    partition: TopicPartition,
    topicId: Uuid,
    uniqueHex: string,
  ): Promise<PartitionFolder> {
    await this.preparePartition(partition, topicId, () => uniqueHex);
    return this.makePartition(partition, topicId);
  }

  /** The first half of `createPartition`. Tells whether a folder lies there, which is the topic's. */
  async preparePartition(
    partition: TopicPartition,
    topicId: Uuid,
    uniqueHex: () => string,
  ): Promise<boolean> {
    const folder = folderName(partition);
    const path = `${this.path}/${folder}`;
    await this.#dropHints([partition]);
    if (!this.#namesHere().has(folder)) return false;
    if (!this.#isOfAnother(path, topicId)) return true;
    const aside = `${path}.${uniqueHex()}-stray`;
    this.#trace.event("warn", "a folder of another topic is put aside", { path, aside });
    this.#listed = undefined;
    this.#disk.rename(path, aside);
    await this.#disk.syncDirectory(this.path);
    return false;
  }

  /** The second half. */
  makePartition(partition: TopicPartition, topicId: Uuid): PartitionFolder {
    const folder = folderName(partition);
    const path = `${this.path}/${folder}`;
    this.#disk.makeDirectory(path);
    this.#listed?.names.add(folder);
    this.writeTopicId({ path }, topicId);
    return { ...partition, path, topicId };
  }

  #namesHere(): ReadonlySet<string> {
    const now = this.#clock.monotonicMs();
    if (this.#listed === undefined || now >= this.#listed.untilMs) {
      const names = new Set(this.#disk.list(this.path).map(({ name }) => name));
      this.#listed = { names, untilMs: now + LISTED_MS };
    }
    return this.#listed.names;
  }

  /** Whether a folder is another topic's; one that a loss of power has left empty is nobody's. */
  #isOfAnother(path: string, topicId: Uuid): boolean {
    const files = this.#disk.list(path);
    if (files.length === 0) return false;
    const owner = this.#topicIdOf(path);
    if (owner !== undefined) return owner !== topicId;
    return files.some(({ name, bytes, isDirectory }) =>
      isDirectory || (bytes > 0 && name !== PARTITION_METADATA_FILE)
    );
  }

  /** Says whose a folder is: one that lost the file, or its content, in a crash gets it again. */
  writeTopicId({ path }: Pick<PartitionFolder, "path">, topicId: Uuid): void {
    const metadata = encodePartitionMetadata(topicId);
    writePlainly(this.#disk, `${path}/${PARTITION_METADATA_FILE}`, metadata);
  }

  /**
   * Makes a new folder durable before its first record is, for what else lies in it: with it the name of
   * its first segment, for a later one alone would be taken for all that there ever was.
   */
  async syncPartition({ path }: Pick<PartitionFolder, "path">): Promise<void> {
    const first = `${path}/${segmentFileName(toOffset(0), "log")}`;
    if (this.#disk.info(first) === undefined) this.#disk.open(first, "write").close();
    await syncFile(this.#disk, `${path}/${PARTITION_METADATA_FILE}`);
    await this.#disk.syncDirectory(path);
    await this.#disk.syncDirectory(this.path);
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
    await this.syncs.syncNames();
    return paths;
  }

  #putAside(partition: TopicPartition, uniqueHex: string): readonly string[] {
    assert(/^[0-9a-f]{32}$/.test(uniqueHex), "a deletion is named by 32 hex digits");
    const folder = folderName(partition);
    const path = `${this.path}/${deletedName(folder, uniqueHex)}`;
    if (!this.hasFolder(partition)) return []; // it was never made
    this.#listed = undefined;
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
    const own = partitions.map(folderName);
    for (const name of own) this.#dropped.add(name);
    return this.#inTurn(async () => {
      const dropped = new Set([...own, ...this.#dropped]);
      this.#dropped.clear();
      for (const kind of Object.keys(CHECKPOINT_FILES) as CheckpointKind[]) {
        const entries = this.#checkpoints[kind];
        if (![...dropped].some((name) => entries.has(name))) continue;
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
