/**
 * A data directory as it lies there, read without taking or changing it: whose it is, whether a broker
 * runs on it, how it was left, what the checkpoints say, and which folders there are.
 */
import { type Disk, DiskFault, type DiskLock } from "../../env/disk.ts";
import { textOf } from "../../ground/text.ts";
import { decodeCheckpoint } from "../checkpoint_file.ts";
import {
  decodeIdentity,
  type DirectoryIdentity,
  IDENTITY_FILE,
} from "../directory/directory_identity.ts";
import { folderName, parseFolderName, type TopicPartition } from "../directory/partition_folder.ts";
import { fileKindOf } from "./file_kind.ts";
import type { PartitionHints } from "./partition_report.ts";

export const METADATA_FOLDER = "__cluster_metadata-0";
const LOCK_FILE = ".lock";
/** mq's, and Kafka's. */
const CLEAN_MARKS = [".cleanshutdown", ".kafka_cleanshutdown"];
const ASIDE = /-(delete|stray|future)$/;

export const CHECKPOINTS = {
  recoveryPoint: "recovery-point-offset-checkpoint",
  logStart: "log-start-offset-checkpoint",
  highWatermark: "replication-offset-checkpoint",
} as const;
export type CheckpointName = keyof typeof CHECKPOINTS;

export interface FolderEntry extends TopicPartition {
  readonly path: string;
}

export interface DataDirectory {
  readonly path: string;
  /** The identity, what is wrong with it, or undefined where the file is not there. */
  readonly identity: DirectoryIdentity | string | undefined;
  readonly state: "running" | "clean" | "unclean";
  /** By folder name; undefined where the file is damaged. */
  readonly checkpoints: Readonly<Record<CheckpointName, ReadonlyMap<string, number> | undefined>>;
  readonly partitions: readonly FolderEntry[];
  /** Folders that were put aside: deleted, stray, or a move that was not finished. */
  readonly aside: readonly string[];
  readonly foreign: readonly string[];
}

/**
 * Undefined where the path is no data directory. `isOurs`: the caller has its lock.
 * Throws a `DiskFault`.
 */
export function readDataDirectory(
  disk: Disk,
  path: string,
  isOurs = false,
): DataDirectory | undefined {
  if (disk.info(path)?.isDirectory !== true) return undefined;
  const entries = disk.list(path);
  const [aside, foreign]: [string[], string[]] = [[], []];
  const partitions: FolderEntry[] = [];
  let isOwn = false;
  for (const { name, isDirectory } of entries) {
    const parsed = isDirectory && !ASIDE.test(name) ? parseFolderName(name) : undefined;
    if (parsed !== undefined) partitions.push({ ...parsed, path: `${path}/${name}` });
    else if (isDirectory && ASIDE.test(name)) aside.push(name);
    else if (isDirectory || isForeign(name)) foreign.push(name);
    else isOwn = true;
  }
  if (!isOwn && partitions.length === 0) return undefined;
  return {
    path,
    identity: readIdentity(disk, path),
    state: stateOf(disk, path, isOurs),
    checkpoints: {
      recoveryPoint: readCheckpoint(disk, path, "recoveryPoint"),
      logStart: readCheckpoint(disk, path, "logStart"),
      highWatermark: readCheckpoint(disk, path, "highWatermark"),
    },
    partitions,
    aside,
    foreign,
  };
}

const DIRECTORY_KINDS: readonly string[] = [
  "checkpoint",
  "identity",
  "directory-list",
  "clean-mark",
  "lock",
  "metadata-snapshot", // Kafka's bootstrap.checkpoint
];

function isForeign(name: string): boolean {
  if (name.endsWith(".tmp")) return false;
  return !DIRECTORY_KINDS.includes(fileKindOf(name)?.kind ?? "");
}

function readIdentity(disk: Disk, path: string): DataDirectory["identity"] {
  const bytes = disk.readWhole(`${path}/${IDENTITY_FILE}`);
  if (bytes === undefined) return undefined;
  const identity = decodeIdentity(bytes);
  return typeof identity === "string" ? `${identity}: ${textOf(bytes).slice(0, 200)}` : identity;
}

/** Only mq's lock is seen: Kafka's is of another kind (fcntl), which does not meet flock. */
function stateOf(disk: Disk, path: string, isOurs: boolean): DataDirectory["state"] {
  if (!isOurs) {
    const lock = lockDirectory(disk, path);
    if (lock === undefined) return "running";
    lock.release();
  }
  const isClean = CLEAN_MARKS.some((name) => disk.info(`${path}/${name}`) !== undefined);
  return isClean ? "clean" : "unclean";
}

/** The directory for ourselves; undefined where a broker has it. One without a lock file is nobody's. */
export function lockDirectory(disk: Disk, path: string): DiskLock | undefined {
  const file = `${path}/${LOCK_FILE}`;
  if (disk.info(file) === undefined) return { release: () => undefined };
  try {
    return disk.lock(file);
  } catch (fault) {
    // Who may not write there cannot lock: a medium that is mounted for reading has no broker.
    if (fault instanceof DiskFault && fault.kind === "not-permitted") {
      return { release: () => undefined };
    }
    throw fault;
  }
}

function readCheckpoint(
  disk: Disk,
  path: string,
  name: CheckpointName,
): ReadonlyMap<string, number> | undefined {
  const bytes = disk.readWhole(`${path}/${CHECKPOINTS[name]}`);
  if (bytes === undefined || bytes.length === 0) return new Map(); // Kafka begins with an empty file
  const entries = decodeCheckpoint(bytes);
  return entries && new Map(entries.map((entry) => [folderName(entry), entry.offset]));
}

/** What the directory says of one of its partitions. */
export function hintsOf(
  directory: DataDirectory,
  partition: TopicPartition,
  isCompacted: boolean | undefined,
): PartitionHints {
  const name = folderName(partition);
  const { recoveryPoint, logStart, highWatermark } = directory.checkpoints;
  return {
    state: directory.state,
    recoveryPoint: recoveryPoint?.get(name),
    hasRecoveryPoints: (recoveryPoint?.size ?? 0) > 0,
    logStart: logStart?.get(name),
    highWatermark: highWatermark?.get(name),
    isCompacted,
  };
}
