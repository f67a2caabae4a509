/**
 * Files and directories.
 *
 * Two kinds of call. Synchronous ones go to the page cache and to directory entries: they are short,
 * and their order is the order of the program. `sync`, `syncDirectory` and `read` may wait for the
 * device and give promises, so that the event loop never does.
 *
 * Every call throws a `DiskFault` and nothing else; the log directory that owns the path catches it.
 */

/**
 * "no-space" and "no-handles" (too many open files) say nothing of the disk: what was asked was not
 * done, and may be asked again. "unreadable" is an I/O error of a read: what was to be read is lost, the
 * rest of the disk need not be. "io" is one of a write or a sync: what the disk holds is not known any
 * more.
 */
export type DiskFaultKind =
  | "not-found"
  | "exists"
  | "no-space"
  | "no-handles"
  | "not-permitted"
  | "unreadable"
  | "io";

/** A broken disk, or a path that is not what was expected. One owner catches it: the log directory. */
export class DiskFault extends Error {
  override readonly name = "DiskFault";
  readonly kind: DiskFaultKind;
  readonly path: string;
  constructor(kind: DiskFaultKind, path: string, message: string) {
    super(message);
    this.kind = kind;
    this.path = path;
  }
}

/** Whether the disk is well and only has no room for what was asked: nothing goes offline for that. */
export function isPassing(fault: DiskFault): boolean {
  return fault.kind === "no-space" || fault.kind === "no-handles";
}

export interface FileInfo {
  readonly name: string;
  readonly isDirectory: boolean;
  /** 0 for a directory. */
  readonly bytes: number;
}

/**
 * How to open: "read" needs the file to be there; "write" reads and writes and makes it where missing.
 */
export type OpenMode = "read" | "write";

export interface Disk {
  /** Files that may be open at once, with room left for connections. */
  readonly filesMax: number;
  open(path: string, mode: OpenMode): DiskFile;
  /** The whole of a small file; undefined where there is none. */
  readWhole(path: string): Uint8Array | undefined;
  /** Entries of a directory in the order of their names; empty where there is no such directory. */
  list(path: string): readonly FileInfo[];
  /** Undefined where there is nothing. */
  info(path: string): FileInfo | undefined;
  /** Makes the directory and its parents; content where it is there. */
  makeDirectory(path: string): void;
  rename(source: string, target: string): void;
  /** Removes a file, or a directory with all that is in it; content where there is nothing. */
  remove(path: string): void;
  /**
   * Removes a file off the event loop: to give back the pages of a large one takes the system a while.
   * Content where there is none.
   */
  removeFile(path: string): Promise<void>;
  /** Makes entries of the directory (creates, renames, removals) durable. */
  syncDirectory(path: string): Promise<void>;
  /** Takes an advisory lock on a file (made where missing); undefined where another process has it. */
  lock(path: string): DiskLock | undefined;
  /** Bytes that may still be written to the file system of `path`. */
  freeBytes(path: string): number;
  /** Bytes that the file system of `path` holds in all; Infinity where that is not known. */
  totalBytes(path: string): number;
}

export interface DiskLock {
  release(): void;
}

export interface DiskFile {
  readonly path: string;
  bytes(): number;
  /** Writes all parts one behind the other from `position`, in one call where the system can. */
  write(position: number, parts: readonly Uint8Array[]): void;
  /** Reads at once, for what is small or known to be in memory; fewer bytes only at the end. */
  readNow(position: number, length: number): Uint8Array;
  /** Reads off the event loop; fewer bytes only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Makes what was written before this call durable (fdatasync), off the event loop. */
  sync(): Promise<void>;
  truncate(bytes: number): void;
  /** A closed file is not used again. Reads and syncs under way are waited for by the caller. */
  close(): void;
}
