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
import { bytesOf, textOf } from "../ground/text.ts";
import type { Uuid } from "../ground/uuid.ts";
import { writeAtomically } from "./atomic_file.ts";
import { decodeCheckpoint, encodeCheckpoint, type PartitionOffset } from "./checkpoint_file.ts";
import {
  decodeIdentity,
  type DirectoryIdentity,
  encodeIdentity,
  IDENTITY_FILE,
} from "./directory_identity.ts";
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

const LOCK_FILE = ".lock";
const CLEAN_MARK_FILE = ".cleanshutdown";

export const CHECKPOINT_FILES = {
  recoveryPoint: "recovery-point-offset-checkpoint",
  logStart: "log-start-offset-checkpoint",
  highWatermark: "replication-offset-checkpoint",
} as const;
export type CheckpointKind = keyof typeof CHECKPOINT_FILES;

/** Why a directory cannot be used. */
export class LogDirectoryFault extends Error {
  override readonly name = "LogDirectoryFault";
  readonly code: "IN_USE" | "NOT_PERMITTED" | "WRONG_CLUSTER" | "CORRUPT" | "IO";
  readonly hint: string;
  constructor(code: LogDirectoryFault["code"], message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

export interface LogDirectoryOptions {
  readonly path: string;
  readonly disk: Disk;
  readonly trace: Trace;
  readonly nodeId: number;
  /** The cluster that it must belong to; undefined takes the one that it names. */
  readonly clusterId?: string;
  /** Given to a directory that is new; `clusterId` wins over this one's. */
  readonly newIds: { readonly clusterId: string; readonly directoryId: string };
}

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
  readonly #checkpoints: Readonly<Record<CheckpointKind, Map<string, Offset>>>;
  #dropping: Promise<void> = Promise.resolve();

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
      const metadata = this.#disk.readWhole(`${path}/${PARTITION_METADATA_FILE}`);
      const topicId = metadata === undefined ? undefined : decodePartitionMetadata(metadata);
      folders.push({ ...parsed, path, topicId });
    }
    return folders;
  }

  /** What the checkpoint said when the directory was opened; 0 where it said nothing. */
  checkpoint(kind: CheckpointKind, partition: TopicPartition): Offset {
    return this.#checkpoints[kind].get(folderName(partition)) ?? toOffset(0);
  }

  /** Makes the directory of a new partition, durably; content where it is there already. */
  async createPartition(partition: TopicPartition, topicId: Uuid): Promise<PartitionFolder> {
    const path = `${this.path}/${folderName(partition)}`;
    await this.#dropHints(partition);
    this.#disk.makeDirectory(path);
    const metadata = encodePartitionMetadata(topicId);
    await writeAtomically(this.#disk, `${path}/${PARTITION_METADATA_FILE}`, metadata);
    await this.#disk.syncDirectory(this.path);
    return { ...partition, path, topicId };
  }

  /**
   * Takes a partition out of sight, durably; its files go with `removeDeleted`. Its log must be closed.
   * `uniqueHex`: 32 hex digits that no other deletion has.
   */
  async deletePartition(partition: TopicPartition, uniqueHex: string): Promise<void> {
    assert(/^[0-9a-f]{32}$/.test(uniqueHex), "a deletion is named by 32 hex digits");
    const folder = folderName(partition);
    await this.#dropHints(partition);
    this.#disk.rename(`${this.path}/${folder}`, `${this.path}/${deletedName(folder, uniqueHex)}`);
    await this.#disk.syncDirectory(this.path);
  }

  /** Removes what `deletePartition` put aside, now or before a crash; returns how many. */
  removeDeleted(): number {
    const deleted = this.#disk.list(this.path).filter((entry) =>
      entry.isDirectory && isDeletedName(entry.name)
    );
    for (const entry of deleted) this.#disk.remove(`${this.path}/${entry.name}`);
    return deleted.length;
  }

  /** Writes one of the hints. */
  async writeCheckpoint(kind: CheckpointKind, entries: Iterable<PartitionOffset>): Promise<void> {
    const path = `${this.path}/${CHECKPOINT_FILES[kind]}`;
    await writeAtomically(this.#disk, path, encodeCheckpoint(entries));
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
   * would be held to offsets that it never had. One after the other, because all write the same files.
   */
  #dropHints(partition: TopicPartition): Promise<void> {
    const turn = this.#dropping.then(async () => {
      for (const [kind, entries] of Object.entries(this.#checkpoints)) {
        if (!entries.delete(folderName(partition))) continue;
        const left = [...entries].flatMap(([name, offset]) => {
          const parsed = parseFolderName(name);
          return parsed === undefined ? [] : [{ ...parsed, offset }];
        });
        await this.writeCheckpoint(kind as CheckpointKind, left);
      }
    });
    this.#dropping = turn.catch(() => undefined); // who asked hears of it
    return turn;
  }

  #readCheckpoint(kind: CheckpointKind): Map<string, Offset> {
    const path = `${this.path}/${CHECKPOINT_FILES[kind]}`;
    const bytes = this.#disk.readWhole(path);
    const entries = bytes === undefined ? [] : decodeCheckpoint(bytes);
    if (entries === undefined) this.#trace.event("warn", "damaged checkpoint ignored", { path });
    return new Map((entries ?? []).map((entry) => [folderName(entry), entry.offset]));
  }
}

interface CleanMark {
  readonly brokerEpoch: number;
}

interface OpenedParts {
  readonly identity: DirectoryIdentity;
  readonly mark: CleanMark | undefined;
  readonly lock: DiskLock;
}

async function openDirectory(
  options: LogDirectoryOptions,
  make: (parts: OpenedParts) => LogDirectory,
): Promise<LogDirectory> {
  const { disk, path } = options;
  disk.makeDirectory(path);
  const lock = disk.lock(`${path}/${LOCK_FILE}`);
  if (lock === undefined) {
    throw new LogDirectoryFault(
      "IN_USE",
      `Cannot use log directory ${path}: another process has it`,
      "Stop the other broker, or choose another directory",
    );
  }
  try {
    const identity = await settleIdentity(options);
    const mark = readMark(disk, path);
    const markPath = `${path}/${CLEAN_MARK_FILE}`;
    if (disk.info(markPath) !== undefined) {
      disk.remove(markPath);
      await disk.syncDirectory(path);
    }
    return make({ identity, mark, lock });
  } catch (fault) {
    lock.release();
    throw fault;
  }
}

async function settleIdentity(options: LogDirectoryOptions): Promise<DirectoryIdentity> {
  const { disk, path, nodeId, newIds } = options;
  const file = `${path}/${IDENTITY_FILE}`;
  const bytes = disk.readWhole(file);
  if (bytes === undefined) {
    const { directoryId } = newIds;
    const identity = { clusterId: options.clusterId ?? newIds.clusterId, nodeId, directoryId };
    await writeAtomically(disk, file, encodeIdentity(identity));
    return identity;
  }
  const identity = decodeIdentity(bytes);
  if (typeof identity === "string") {
    throw new LogDirectoryFault(
      "CORRUPT",
      `Cannot read ${file}: ${identity}`,
      "Restore the file, or choose another directory",
    );
  }
  const { clusterId } = options;
  if (clusterId !== undefined && clusterId !== identity.clusterId) {
    throw wrong(path, `cluster ${identity.clusterId}`, `cluster ${clusterId}`);
  }
  if (nodeId !== identity.nodeId) {
    throw wrong(path, `node ${identity.nodeId}`, `node ${nodeId}`);
  }
  return identity;
}

function wrong(path: string, owner: string, expected: string): LogDirectoryFault {
  return new LogDirectoryFault(
    "WRONG_CLUSTER",
    `Cannot use log directory ${path}: it belongs to ${owner}, not to ${expected}`,
    "Choose another directory, or start with the id that it belongs to",
  );
}

/** A mark that cannot be read is none. */
function readMark(disk: Disk, path: string): CleanMark | undefined {
  const bytes = disk.readWhole(`${path}/${CLEAN_MARK_FILE}`);
  if (bytes === undefined) return undefined;
  try {
    const mark = JSON.parse(textOf(bytes)) as { version?: unknown; brokerEpoch?: unknown } | null;
    if (mark?.version !== 0 || !Number.isSafeInteger(mark.brokerEpoch)) return undefined;
    return { brokerEpoch: Number(mark.brokerEpoch) };
  } catch {
    return undefined; // JSON.parse has no other way to say no
  }
}

function faultOf(fault: DiskFault): LogDirectoryFault {
  if (fault.kind === "not-permitted") {
    return new LogDirectoryFault(
      "NOT_PERMITTED",
      fault.message,
      "Give this user the right to read and write there, or choose another directory",
    );
  }
  return new LogDirectoryFault(
    "IO",
    fault.message,
    "Look after the disk, or choose another directory",
  );
}
