/**
 * `env.Disk` of one life of a process, over the disk of its machine.
 *
 * Synchronous calls take no time and change the page cache. What may wait (reads, syncs, `removeFile`)
 * ends in an event of its own, and ends never where the life has. A program that goes on in the middle
 * of the event that ended it works on a disk that nobody sees (`SimProcess`). Longer than most: it is a disk with all its calls.
 */
import {
  type Disk,
  DiskFault,
  type DiskFile,
  type DiskLock,
  type FileInfo,
  type OpenMode,
} from "../../../src/env/disk.ts";
import type { Life } from "../life.ts";
import type { Scheduler } from "../scheduler.ts";
import type { DiskCallKind, DiskFaults } from "./disk_faults.ts";
import type { DiskMedia } from "./disk_media.ts";
import { DirectoryNode, FileNode } from "./disk_nodes.ts";
import { SimFile } from "./sim_file.ts";

export interface SimDiskOptions {
  readonly scheduler: Scheduler;
  readonly life: Life;
  readonly media: DiskMedia;
  readonly faults: DiskFaults;
  readonly filesMax: number;
}

export class SimDisk implements Disk {
  readonly filesMax: number;
  openCount = 0;
  readonly options: SimDiskOptions;
  readonly #locks: string[] = [];

  constructor(options: SimDiskOptions) {
    this.options = options;
    this.filesMax = options.filesMax;
    options.life.onEnded(() => {
      for (const path of this.#locks) options.media.locks.delete(path);
    });
  }

  open(path: string, mode: OpenMode): DiskFile {
    this.call("open", path);
    const { media } = this.options;
    let node = media.find(path);
    if (node instanceof DirectoryNode) throw exists(path);
    if (node === undefined) {
      if (mode === "read") throw notFound("open", path);
      const { directory, name } = media.parent(path);
      node = new FileNode();
      media.change({ directory, name, node });
    }
    return new SimFile(this, path, node);
  }

  readWhole(path: string): Uint8Array | undefined {
    this.call("read", path);
    const node = this.options.media.find(path);
    return node instanceof FileNode ? node.cached.view().slice() : undefined;
  }

  list(path: string): readonly FileInfo[] {
    this.call("list", path);
    const node = this.options.media.find(path);
    if (!(node instanceof DirectoryNode)) return [];
    const found: FileInfo[] = [];
    for (const [name, child] of node.cached) {
      const bytes = child instanceof FileNode ? child.cached.length : 0;
      found.push({ name, isDirectory: child instanceof DirectoryNode, bytes });
    }
    return found.sort((left, right) => left.name < right.name ? -1 : 1);
  }

  info(path: string): FileInfo | undefined {
    this.call("list", path);
    const node = this.options.media.find(path);
    if (node === undefined) return undefined;
    const isDirectory = node instanceof DirectoryNode;
    const name = path.slice(path.lastIndexOf("/") + 1);
    return { name, isDirectory, bytes: isDirectory ? 0 : node.cached.length };
  }

  makeDirectory(path: string): void {
    const { media } = this.options;
    const found = media.find(path);
    if (found instanceof DirectoryNode) return;
    this.call("makeDirectory", path);
    if (found !== undefined) throw exists(path);
    const cut = path.lastIndexOf("/");
    if (cut > 0) this.makeDirectory(path.slice(0, cut));
    const { directory, name } = media.parent(path);
    media.change({ directory, name, node: new DirectoryNode() });
  }

  rename(source: string, target: string): void {
    this.call("rename", source);
    const { media } = this.options;
    const node = media.find(source);
    if (node === undefined) throw notFound("rename", source);
    const from = media.parent(source);
    const to = media.parent(target);
    const before = to.directory.cached.get(to.name);
    if (before instanceof DirectoryNode && before.cached.size > 0) throw exists(target);
    if (before instanceof FileNode && before !== node) media.usedBytes -= before.cached.length;
    media.change({ ...from, node: undefined }, { ...to, node });
  }

  remove(path: string): void {
    this.call("remove", path);
    const { media } = this.options;
    const node = media.find(path);
    if (node === undefined) return;
    this.#removeBelow(node);
    media.change({ ...media.parent(path), node: undefined });
  }

  removeFile(path: string): Promise<void> {
    const { faults } = this.options;
    return this.later("unlink", faults.readDelayUs(0), () => this.remove(path));
  }

  syncDirectory(path: string): Promise<void> {
    this.call("list", path);
    const { media, faults } = this.options;
    const node = media.find(path);
    if (!(node instanceof DirectoryNode)) {
      return Promise.reject(notFound("sync", path));
    }
    const covered = media.pendingOf(node);
    return this.later("sync-directory", faults.syncDelayUs(), () => {
      this.call("syncDirectory", path);
      if (faults.honesty.isDirectorySyncHonest) media.settle(covered);
    });
  }

  lock(path: string): DiskLock | undefined {
    this.call("lock", path);
    const { media } = this.options;
    if (media.find(path) === undefined) {
      media.change({ ...media.parent(path), node: new FileNode() });
    }
    if (media.locks.has(path)) return undefined;
    media.locks.add(path);
    this.#locks.push(path);
    return { release: () => void media.locks.delete(path) };
  }

  freeBytes(path: string): number {
    this.call("statfs", path);
    const { media } = this.options;
    if (media.find(path) === undefined) throw notFound("statfs", path);
    return Math.max(0, media.capacityBytes - media.usedBytes);
  }

  totalBytes(path: string): number {
    this.call("statfs", path);
    return this.options.media.capacityBytes;
  }

  call(kind: DiskCallKind, path: string): void {
    if (this.options.life.isAlive) this.options.faults.check(kind, path);
  }

  /** An end that comes later, or never where the life ends first. */
  later<Result>(label: string, delayUs: number, action: () => Result): Promise<Result> {
    const { scheduler, life } = this.options;
    if (!life.isAlive) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      scheduler.after(delayUs, { life, label }, () => {
        let result: Result;
        try {
          result = action();
        } catch (error) {
          if (life.isAlive) reject(error);
          return;
        }
        resolve(result);
      });
    });
  }

  #removeBelow(node: DirectoryNode | FileNode): void {
    const { media } = this.options;
    if (node instanceof FileNode) {
      media.usedBytes -= node.cached.length;
      return;
    }
    for (const [name, child] of [...node.cached]) {
      this.#removeBelow(child);
      media.change({ directory: node, name, node: undefined });
    }
  }
}

function notFound(call: string, path: string): DiskFault {
  return new DiskFault("not-found", path, `Cannot ${call} ${path}: not found`);
}

function exists(path: string): DiskFault {
  return new DiskFault("exists", path, `Cannot use ${path}: something else has the name already`);
}
