/**
 * Taking a log directory: its lock, whose it is, and how the last owner left it.
 *
 * Not here: what lies in it (`log_directory.ts`).
 */
import { type Disk, DiskFault, type DiskLock } from "../../env/disk.ts";
import { textOf } from "../../ground/text.ts";
import { writeAtomically } from "../atomic_file.ts";
import type { DirectoryHealthOptions } from "./directory_health.ts";
import {
  decodeIdentity,
  type DirectoryIdentity,
  encodeIdentity,
  IDENTITY_FILE,
} from "./directory_identity.ts";
import { LogDirectoryFault } from "./log_directory_fault.ts";

const LOCK_FILE = ".lock";
/** Written last at a clean stop, removed first at a start. */
export const CLEAN_MARK_FILE = ".cleanshutdown";

export interface LogDirectoryOptions extends DirectoryHealthOptions {
  readonly nodeId: number;
  /** The cluster that it must belong to; undefined takes the one that it names. */
  readonly clusterId?: string;
  /** Given to a directory that is new; `clusterId` wins over this one's. */
  readonly newIds: { readonly clusterId: string; readonly directoryId: string };
}

interface CleanMark {
  readonly brokerEpoch: number;
}

export interface OpenedParts {
  readonly identity: DirectoryIdentity;
  readonly mark: CleanMark | undefined;
  readonly lock: DiskLock;
}

export async function openDirectory<Opened>(
  options: LogDirectoryOptions,
  make: (parts: OpenedParts) => Opened,
): Promise<Opened> {
  const { disk, path } = options;
  // A life before this one may have made it, and been killed before it was durable.
  if (disk.info(`${path}/${IDENTITY_FILE}`) === undefined) await makeDurableDirectory(disk, path);
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

export function faultOf(fault: DiskFault): LogDirectoryFault {
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

/** Makes a directory and those above it, each durable in its parent: a crash must not take them all. */
async function makeDurableDirectory(disk: Disk, path: string): Promise<void> {
  const slash = path.lastIndexOf("/");
  const parent = slash === -1 ? "." : path.slice(0, slash) || "/";
  if (disk.info(path) === undefined) {
    await makeDurableDirectory(disk, parent);
    disk.makeDirectory(path);
  }
  if (path !== parent) await syncParent(disk, parent); // the root has none
}

/** One that may not be looked at was not made by us. */
async function syncParent(disk: Disk, parent: string): Promise<void> {
  try {
    await disk.syncDirectory(parent);
  } catch (fault) {
    if (!(fault instanceof DiskFault) || fault.kind !== "not-permitted") throw fault;
  }
}
