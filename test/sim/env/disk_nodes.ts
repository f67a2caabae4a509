/**
 * Files and directories of a simulated disk, each as the programs see it (page cache) and as it is on
 * the medium.
 */
import { Content } from "../../crash/plain_disk.ts";

export type FileChange =
  | { readonly kind: "write"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "cut"; readonly length: number };

export class FileNode {
  readonly cached: Content;
  readonly durable: Content;
  /** Not on the medium yet, oldest first. */
  changes: FileChange[] = [];
  /** How often the medium was made shorter. */
  cutCount = 0;
  /** How many changes have left `changes` at its front. */
  settledCount = 0;

  constructor(cached: Content = new Content(), durable: Content = new Content()) {
    this.cached = cached;
    this.durable = durable;
  }

  write(at: number, bytes: Uint8Array): void {
    this.cached.write(at, bytes);
    this.changes.push({ kind: "write", at, bytes: bytes.slice() });
  }

  truncate(length: number): void {
    this.cached.truncate(length);
    this.changes.push({ kind: "cut", length });
  }

  /** The number of changes so far: what a sync that begins now covers. */
  get changeCount(): number {
    return this.settledCount + this.changes.length;
  }

  /** Takes what a sync covers off the list. */
  takeUpTo(changeCount: number): readonly FileChange[] {
    const taken = this.changes.splice(0, Math.max(0, changeCount - this.settledCount));
    this.settledCount += taken.length;
    return taken;
  }

  apply(change: FileChange): void {
    if (change.kind === "write") this.durable.write(change.at, change.bytes);
    else {
      this.durable.truncate(change.length);
      this.cutCount++;
    }
  }
}

export class DirectoryNode {
  readonly cached = new Map<string, DiskNode>();
  readonly durable = new Map<string, DiskNode>();
}

export type DiskNode = FileNode | DirectoryNode;

/** One change of directory entries, which is on the medium whole or not at all. */
export interface EntryChange {
  readonly entries: readonly {
    readonly directory: DirectoryNode;
    readonly name: string;
    /** Undefined: the entry goes. */
    readonly node: DiskNode | undefined;
  }[];
}

export function setEntry(
  entries: Map<string, DiskNode>,
  name: string,
  node: DiskNode | undefined,
): void {
  if (node === undefined) entries.delete(name);
  else entries.set(name, node);
}
