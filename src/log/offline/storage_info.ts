/**
 * What lies in data directories, by names, sizes and checkpoints: no log is read, so it is cheap with
 * ten thousand partitions and beside a running broker.
 */
import type { Disk } from "../../env/disk.ts";
import {
  decodePartitionMetadata,
  folderName,
  PARTITION_METADATA_FILE,
} from "../directory/partition_folder.ts";
import { reserveBytesOf } from "../directory/directory_state.ts";
import { type DataDirectory, readDataDirectory } from "./data_directory.ts";
import { listPartition } from "./partition_files.ts";
import { NoLogFound } from "./verify_directory.ts";

export interface StoredPartition {
  readonly topic: string;
  readonly partition: number;
  readonly path: string;
  readonly topicId: string | null;
  /** Of all files, those that wait to be removed included. */
  readonly sizeInBytes: number;
  readonly segments: number;
  readonly startOffset: number;
  /** By the newest of the names and checkpoints that say it: the log may end behind. */
  readonly endOffset: number;
  readonly recoveryPoint: number | null;
  /** Of `.deleted` files, and of what repairs have kept. */
  readonly deletedBytes: number;
  readonly repairBytes: number;
}

export interface StoredFolder {
  readonly name: string;
  readonly sizeInBytes: number;
}

export interface StoredDirectory {
  readonly path: string;
  readonly directoryId: string | null;
  readonly clusterId: string | null;
  readonly nodeId: number | null;
  /** What is wrong with `meta.properties`. */
  readonly identityFlaw: string | null;
  readonly state: DataDirectory["state"];
  readonly freeBytes: number;
  /** Null where the system does not tell. */
  readonly totalBytes: number | null;
  /** The largest first. */
  readonly partitions: readonly StoredPartition[];
  /** Deleted and stray folders. */
  readonly aside: readonly StoredFolder[];
  readonly foreign: readonly string[];
  readonly sizeInBytes: number;
  /** Free bytes below which a broker takes no records: as set, or what a small file system allows. */
  readonly reserveBytes: number;
}

/** `reserveBytes`: `mq.disk.reserve.bytes`. Throws `NoLogFound`, or a `DiskFault`. */
export function storageInfo(disk: Disk, path: string, reserveBytes: number): StoredDirectory {
  const directory = readDataDirectory(disk, path);
  if (directory === undefined) {
    throw new NoLogFound(
      disk.info(path) === undefined ? `There is no ${path}` : `No log lies in ${path}`,
    );
  }
  const partitions = directory.partitions.map((entry) => storedPartition(disk, directory, entry))
    .sort((one, other) => other.sizeInBytes - one.sizeInBytes);
  const aside = directory.aside.map((name) => ({
    name,
    sizeInBytes: treeBytes(disk, `${path}/${name}`),
  }));
  const { identity } = directory;
  const known = typeof identity === "object" ? identity : undefined;
  const totalBytes = disk.totalBytes(path);
  return {
    path,
    directoryId: known?.directoryId ?? null,
    clusterId: known?.clusterId ?? null,
    nodeId: known?.nodeId ?? null,
    identityFlaw: typeof identity === "string" ? identity : null,
    state: directory.state,
    freeBytes: disk.freeBytes(path),
    totalBytes: Number.isFinite(totalBytes) ? totalBytes : null,
    partitions,
    aside,
    foreign: directory.foreign,
    sizeInBytes: sum(partitions) + sum(aside),
    reserveBytes: reserveBytesOf(reserveBytes, totalBytes),
  };
}

function sum(items: readonly { readonly sizeInBytes: number }[]): number {
  return items.reduce((total, { sizeInBytes }) => total + sizeInBytes, 0);
}

function storedPartition(
  disk: Disk,
  { checkpoints }: DataDirectory,
  { topic, partition, path }: DataDirectory["partitions"][number],
): StoredPartition {
  const files = listPartition(disk, path);
  const logs = files.segments.filter(({ log }) => log !== undefined);
  const name = folderName({ topic, partition });
  const recoveryPoint = checkpoints.recoveryPoint?.get(name);
  const metadata = disk.readWhole(`${path}/${PARTITION_METADATA_FILE}`);
  const startOffset = Math.max(logs[0]?.baseOffset ?? 0, checkpoints.logStart?.get(name) ?? 0);
  const deleted = files.leftovers.filter((file) => file.name.endsWith(".deleted"));
  return {
    topic,
    partition,
    path,
    topicId: (metadata && decodePartitionMetadata(metadata)) ?? null,
    sizeInBytes: treeBytes(disk, path),
    segments: logs.length,
    startOffset,
    endOffset: Math.max(
      startOffset,
      logs.at(-1)?.baseOffset ?? 0,
      recoveryPoint ?? 0,
      checkpoints.highWatermark?.get(name) ?? 0,
      ...files.snapshots.map(({ offset }) => offset),
    ),
    recoveryPoint: recoveryPoint ?? null,
    deletedBytes: deleted.reduce((total, { bytes }) => total + bytes, 0),
    repairBytes: files.repairFolders
      .reduce((total, folder) => total + treeBytes(disk, `${path}/${folder}`), 0),
  };
}

function treeBytes(disk: Disk, path: string): number {
  let total = 0;
  for (const { name, isDirectory, bytes } of disk.list(path)) {
    total += isDirectory ? treeBytes(disk, `${path}/${name}`) : bytes;
  }
  return total;
}
