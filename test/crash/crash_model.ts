/**
 * What a medium may hold when the power goes: page cache against platter, call by call.
 *
 * Of a file: the content as of its last sync, and the writes and cuts since, of which a crash keeps
 * none, any, or parts. Of a directory: the entries as of its last sync, and the changes since (create,
 * rename, remove), of which a crash keeps none or any. A rename carries its file: an entry that is kept
 * points to the file whether or not its creation was kept. A sync counts when it has ended, for what
 * was written before it began. Harder than ext4 or xfs on purpose: there, fsync of a new file makes its
 * entry durable and changes of directories keep their order.
 */
import type { Prng } from "../../src/ground/prng.ts";
import { Content, isBelow, parentOf, PlainDisk } from "./plain_disk.ts";
import type { DiskCall } from "./recording_disk.ts";

/** "kill": the process dies and the page cache stays. The others are losses of power. */
export type CrashMode = "kill" | "lost" | "subset" | "torn-512" | "torn-4096";
export const CRASH_MODES: readonly CrashMode[] = [
  "kill",
  "lost",
  "subset",
  "torn-512",
  "torn-4096",
];

type FileChange =
  | { readonly kind: "write"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "cut"; readonly length: number };

interface Inode {
  readonly cached: Content;
  durable: Content;
  /** Since the last sync, oldest first. */
  changes: FileChange[];
}

type EntryChange =
  | { readonly kind: "file"; readonly path: string; readonly inode: number }
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "gone"; readonly path: string }
  | {
    readonly kind: "moved";
    readonly source: string;
    readonly target: string;
    /** Undefined for a directory. */
    readonly inode: number | undefined;
  };

/** Paths to inodes, and directories. */
class Tree {
  readonly files = new Map<string, number>();
  readonly directories = new Set<string>(["/"]);

  copy(): Tree {
    const tree = new Tree();
    for (const [path, inode] of this.files) tree.files.set(path, inode);
    for (const path of this.directories) tree.directories.add(path);
    return tree;
  }

  apply(change: EntryChange): void {
    switch (change.kind) {
      case "file":
        this.files.set(change.path, change.inode);
        return;
      case "directory":
        this.directories.add(change.path);
        return;
      case "gone":
        this.files.delete(change.path);
        this.directories.delete(change.path);
        return;
      case "moved":
        this.#move(change);
    }
  }

  #move({ source, target, inode }: Extract<EntryChange, { readonly kind: "moved" }>): void {
    if (inode !== undefined) {
      this.files.delete(source);
      this.files.set(target, inode);
      return;
    }
    if (!this.directories.has(source)) return;
    const moved = (path: string): string => target + path.slice(source.length);
    for (const directory of [...this.directories]) {
      if (directory !== source && !isBelow(directory, source)) continue;
      this.directories.delete(directory);
      this.directories.add(moved(directory));
    }
    for (const [path, file] of [...this.files]) {
      if (!isBelow(path, source)) continue;
      this.files.delete(path);
      this.files.set(moved(path), file);
    }
  }
}

interface PendingEntry {
  readonly change: EntryChange;
  /** The directories whose sync makes it durable. */
  readonly parents: readonly string[];
}

export class CrashModel {
  readonly #inodes = new Map<number, Inode>();
  readonly #cached = new Tree();
  readonly #durable = new Tree();
  #pending: PendingEntry[] = [];
  /** Of syncs under way: how many changes of the file, or of the tree, they cover. */
  readonly #covered = new Map<number, readonly unknown[]>();

  /** `disk`: what was there, all of it durable, when the recording of it began. */
  constructor(disk: PlainDisk = new PlainDisk()) {
    for (const [number, [path, content]] of [...disk.files].entries()) {
      const inode = { cached: content.copy(), durable: content.copy(), changes: [] };
      this.#inodes.set(number, inode);
      for (const tree of [this.#cached, this.#durable]) tree.files.set(path, number);
    }
    for (const path of disk.directories) {
      for (const tree of [this.#cached, this.#durable]) tree.directories.add(path);
    }
  }

  apply(call: DiskCall): void {
    switch (call.kind) {
      case "create":
        this.#inodes.set(call.inode, {
          cached: new Content(),
          durable: new Content(),
          changes: [],
        });
        return this.#change({ kind: "file", path: call.path, inode: call.inode }, [call.path]);
      case "make-directory":
        return this.#change({ kind: "directory", path: call.path }, [call.path]);
      case "remove":
        return this.#change({ kind: "gone", path: call.path }, [call.path]);
      case "rename":
        return this.#change({
          kind: "moved",
          source: call.source,
          target: call.target,
          inode: this.#cached.files.get(call.source),
        }, [call.source, call.target]);
      case "write":
      case "truncate":
        return this.#changeFile(call);
      case "sync-begin":
        this.#covered.set(call.id, [...this.#inode(call.inode).changes]);
        return;
      case "sync-end":
        return this.#syncFile(call.inode, call.id);
      case "sync-directory-begin":
        this.#covered.set(call.id, this.#pending.filter((one) => one.parents.includes(call.path)));
        return;
      case "sync-directory-end":
        return this.#syncDirectory(call.id);
      case "mark":
        return;
    }
  }

  /** What a new process finds. */
  image(mode: CrashMode, chance: Prng): PlainDisk {
    if (mode === "kill") return this.#build(this.#cached, (inode) => inode.cached.copy());
    const tree = this.#durable.copy();
    if (mode !== "lost") {
      for (const { change } of this.#pending) {
        if (chance.below(2) === 0) tree.apply(change);
      }
    }
    const tornBytes = mode === "torn-512" ? 512 : mode === "torn-4096" ? 4096 : undefined;
    return this.#build(tree, (inode) => {
      const content = inode.durable.copy();
      if (mode === "lost") return content;
      for (const change of inode.changes) {
        if (chance.below(2) === 0) continue;
        if (change.kind === "cut") content.truncate(change.length);
        else if (tornBytes === undefined) content.write(change.at, change.bytes);
        else writeTorn(content, change, tornBytes, chance);
      }
      return content;
    });
  }

  #change(change: EntryChange, paths: readonly string[]): void {
    this.#cached.apply(change);
    this.#pending.push({ change, parents: paths.map(parentOf) });
  }

  #changeFile(call: Extract<DiskCall, { readonly kind: "write" | "truncate" }>): void {
    const inode = this.#inode(call.inode);
    if (call.kind === "write") {
      inode.cached.write(call.at, call.bytes);
      inode.changes.push({ kind: "write", at: call.at, bytes: call.bytes });
    } else {
      inode.cached.truncate(call.length);
      inode.changes.push({ kind: "cut", length: call.length });
    }
  }

  #syncFile(number: number, id: number): void {
    const inode = this.#inode(number);
    const covered = new Set(this.#covered.get(id));
    this.#covered.delete(id);
    const left: FileChange[] = [];
    for (const change of inode.changes) {
      if (!covered.has(change)) left.push(change);
      else if (change.kind === "write") inode.durable.write(change.at, change.bytes);
      else inode.durable.truncate(change.length);
    }
    inode.changes = left;
  }

  #syncDirectory(id: number): void {
    const covered = new Set(this.#covered.get(id));
    this.#covered.delete(id);
    this.#pending = this.#pending.filter((one) => {
      if (covered.has(one)) this.#durable.apply(one.change);
      return !covered.has(one);
    });
  }

  #build(tree: Tree, contentOf: (inode: Inode) => Content): PlainDisk {
    const disk = new PlainDisk();
    const reachable = (path: string): boolean =>
      path === "/" || tree.directories.has(path) && reachable(parentOf(path));
    for (const path of tree.directories) if (reachable(path)) disk.directories.add(path);
    for (const [path, inode] of tree.files) {
      if (reachable(parentOf(path))) disk.files.set(path, contentOf(this.#inode(inode)));
    }
    return disk;
  }

  #inode(number: number): Inode {
    return this.#inodes.get(number) as Inode;
  }
}

/** Of one write some sectors arrive and others do not; a hole inside a file reads as zeros. */
function writeTorn(
  content: Content,
  { at, bytes }: { readonly at: number; readonly bytes: Uint8Array },
  sectorBytes: number,
  chance: Prng,
): void {
  for (let from = 0; from < bytes.length;) {
    const end = Math.min(bytes.length, from + sectorBytes - (at + from) % sectorBytes);
    if (chance.below(4) !== 0) content.write(at + from, bytes.subarray(from, end));
    from = end;
  }
}
