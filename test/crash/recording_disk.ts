/**
 * Writes down every call that changes a disk, in order, and lets it through.
 *
 * A file is known by a number (its inode), so that what happens to it follows it through renames. Marks
 * of the script ("this was acknowledged now") stand in the same list, which makes before and after
 * plain.
 */
import type { Disk, DiskFile, DiskLock, FileInfo, OpenMode } from "../../src/env/disk.ts";
import { PlainDisk } from "./plain_disk.ts";

export type DiskCall =
  | { readonly kind: "create"; readonly path: string; readonly inode: number }
  | {
    readonly kind: "write";
    readonly inode: number;
    readonly at: number;
    readonly bytes: Uint8Array;
  }
  | { readonly kind: "truncate"; readonly inode: number; readonly length: number }
  /** All that was written before the call began is durable when it has ended. */
  | { readonly kind: "sync-begin"; readonly inode: number; readonly id: number }
  | { readonly kind: "sync-end"; readonly inode: number; readonly id: number }
  | { readonly kind: "sync-directory-begin"; readonly path: string; readonly id: number }
  | { readonly kind: "sync-directory-end"; readonly path: string; readonly id: number }
  | { readonly kind: "make-directory"; readonly path: string }
  | { readonly kind: "rename"; readonly source: string; readonly target: string }
  | { readonly kind: "remove"; readonly path: string }
  /** Not a call: the script says what is promised from here on. */
  | { readonly kind: "mark"; readonly mark: () => void };

export class RecordingDisk implements Disk {
  readonly filesMax = Infinity;
  readonly calls: DiskCall[] = [];
  readonly #disk: PlainDisk;
  readonly #inodes = new Map<string, number>();
  #nextInode = 0;
  #nextSync = 0;

  /** `disk` becomes the recording's own; files that are there get their numbers in its order. */
  constructor(disk: PlainDisk = new PlainDisk()) {
    this.#disk = disk;
    for (const path of disk.files.keys()) this.#inodes.set(path, this.#nextInode++);
  }

  /** From here on, a stop must find what `mark` adds to the promises. */
  mark(mark: () => void): void {
    this.calls.push({ kind: "mark", mark });
  }

  open(path: string, mode: OpenMode): DiskFile {
    const isNew = this.#disk.info(path) === undefined;
    const file = this.#disk.open(path, mode);
    if (isNew) {
      this.#inodes.set(path, this.#nextInode);
      this.calls.push({ kind: "create", path, inode: this.#nextInode++ });
    }
    return new RecordingFile(file, this.#inodes.get(path) as number, this);
  }

  readWhole(path: string): Uint8Array | undefined {
    return this.#disk.readWhole(path);
  }

  list(path: string): readonly FileInfo[] {
    return this.#disk.list(path);
  }

  info(path: string): FileInfo | undefined {
    return this.#disk.info(path);
  }

  makeDirectory(path: string): void {
    if (this.#disk.info(path) !== undefined) return;
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (parent !== "") this.makeDirectory(parent);
    this.#disk.makeDirectory(path);
    this.calls.push({ kind: "make-directory", path });
  }

  rename(source: string, target: string): void {
    this.#disk.rename(source, target);
    this.calls.push({ kind: "rename", source, target });
    for (const [path, inode] of [...this.#inodes]) {
      if (path !== source && !path.startsWith(`${source}/`)) continue;
      this.#inodes.delete(path);
      this.#inodes.set(target + path.slice(source.length), inode);
    }
  }

  // deno-lint-ignore require-await -- what it throws is a rejection
  async removeFile(path: string): Promise<void> {
    this.remove(path);
  }

  /** Of a directory: entry by entry, as a real disk does it, so that a stop may find it half done. */
  remove(path: string): void {
    for (const entry of this.#disk.list(path)) this.remove(`${path}/${entry.name}`);
    if (this.#disk.info(path) === undefined) return;
    this.#disk.remove(path);
    this.#inodes.delete(path);
    this.calls.push({ kind: "remove", path });
  }

  async syncDirectory(path: string): Promise<void> {
    const id = this.#nextSync++;
    this.calls.push({ kind: "sync-directory-begin", path, id });
    await Promise.resolve();
    this.calls.push({ kind: "sync-directory-end", path, id });
  }

  lock(path: string): DiskLock | undefined {
    return this.#disk.lock(path);
  }

  freeBytes(): number {
    return this.#disk.freeBytes();
  }

  totalBytes(): number {
    return this.#disk.totalBytes();
  }

  nextSyncId(): number {
    return this.#nextSync++;
  }
}

class RecordingFile implements DiskFile {
  readonly path: string;
  readonly #file: DiskFile;
  readonly #inode: number;
  readonly #disk: RecordingDisk;

  constructor(file: DiskFile, inode: number, disk: RecordingDisk) {
    this.path = file.path;
    this.#file = file;
    this.#inode = inode;
    this.#disk = disk;
  }

  bytes(): number {
    return this.#file.bytes();
  }

  write(position: number, parts: readonly Uint8Array[]): void {
    this.#file.write(position, parts);
    let at = position;
    for (const part of parts) {
      const bytes = part.slice(); // the caller's memory is used again
      this.#disk.calls.push({ kind: "write", inode: this.#inode, at, bytes });
      at += part.length;
    }
  }

  readNow(position: number, length: number): Uint8Array {
    return this.#file.readNow(position, length);
  }

  read(position: number, length: number): Promise<Uint8Array> {
    return this.#file.read(position, length);
  }

  async sync(): Promise<void> {
    const id = this.#disk.nextSyncId();
    this.#disk.calls.push({ kind: "sync-begin", inode: this.#inode, id });
    await Promise.resolve();
    this.#disk.calls.push({ kind: "sync-end", inode: this.#inode, id });
  }

  truncate(bytes: number): void {
    this.#file.truncate(bytes);
    this.#disk.calls.push({ kind: "truncate", inode: this.#inode, length: bytes });
  }

  close(): void {
    this.#file.close();
  }
}
