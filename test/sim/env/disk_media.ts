/**
 * What a machine's disk holds: page cache against medium, change by change.
 *
 * Of a file: the content as of its last sync, and the writes and cuts since, of which a loss of power
 * keeps none, any, or parts. Of a directory: the entries as of its last sync, and the changes since, of
 * which it keeps none or any. A sync counts when it has ended, for what was written before it began. One
 * that fails drops what it covered: the pages are clean now, and the medium does not have them (as Linux
 * does it). Harder than ext4 or xfs on purpose, as `test/crash/crash_model.ts` is.
 */
import { DiskFault } from "../../../src/env/disk.ts";
import type { Prng } from "../../../src/ground/prng.ts";
import { Content } from "../../crash/plain_disk.ts";
import {
  DirectoryNode,
  type DiskNode,
  type EntryChange,
  FileNode,
  setEntry,
} from "./disk_nodes.ts";

/** Losses of power: nothing that was not synced is there; any of it; parts of writes as well. */
export type PowerLoss = "lost" | "subset" | "torn-512" | "torn-4096";

const CAPACITY_BYTES = 64 * 1024 * 1024 * 1024;
const PATHS_MAX = 1000;

export class DiskMedia {
  root = new DirectoryNode();
  /** Changes of entries that are not on the medium, oldest first. */
  pending: EntryChange[] = [];
  capacityBytes = CAPACITY_BYTES;
  usedBytes = 0;
  readonly locks = new Set<string>();
  /** Paths that were looked for, in their parts. */
  readonly #parts = new Map<string, readonly string[]>();

  find(path: string): DiskNode | undefined {
    return findFrom(this.root, this.#partsOf(path), false);
  }

  /** What would be there after a loss of power that keeps nothing unsynced. */
  findDurable(path: string): DiskNode | undefined {
    return findFrom(this.root, this.#partsOf(path), true);
  }

  #partsOf(path: string): readonly string[] {
    let parts = this.#parts.get(path);
    if (parts !== undefined) return parts;
    parts = path.split("/").filter((part) => part !== "");
    if (this.#parts.size < PATHS_MAX) this.#parts.set(path, parts);
    return parts;
  }

  /** The directory that holds the entry. Throws "not-found". */
  parent(path: string): { readonly directory: DirectoryNode; readonly name: string } {
    const cut = path.lastIndexOf("/");
    const directory = this.find(path.slice(0, cut));
    if (!(directory instanceof DirectoryNode)) {
      throw new DiskFault("not-found", path, `Cannot use ${path}: no such directory`);
    }
    return { directory, name: path.slice(cut + 1) };
  }

  change(...entries: EntryChange["entries"]): void {
    for (const { directory, name, node } of entries) setEntry(directory.cached, name, node);
    this.pending.push({ entries });
  }

  /** Makes durable what `covered` holds of changes that concern the directory. */
  settle(covered: ReadonlySet<EntryChange>): void {
    this.pending = this.pending.filter((change) => {
      if (!covered.has(change)) return true;
      for (const { directory, name, node } of change.entries) {
        setEntry(directory.durable, name, node);
      }
      return false;
    });
  }

  pendingOf(directory: DirectoryNode): ReadonlySet<EntryChange> {
    return new Set(
      this.pending.filter(({ entries }) => entries.some((entry) => entry.directory === directory)),
    );
  }

  /** The disk as it is when the machine comes up again. */
  afterPowerLoss(loss: PowerLoss, chance: Prng): DiskMedia {
    if (loss !== "lost") {
      const kept = this.pending.filter(() => chance.below(2) === 0);
      this.settle(new Set(kept));
    }
    const media = new DiskMedia();
    media.capacityBytes = this.capacityBytes;
    const copies = new Map<DiskNode, DiskNode>();
    media.root = copyDirectory(this.root, copies, (file) => {
      const content = file.durable.copy();
      if (loss !== "lost") keepSome(file, content, loss, chance);
      media.usedBytes += content.length;
      return new FileNode(content, content.copy());
    });
    return media;
  }

  /** Another disk in the same state, page cache and all. */
  copy(): DiskMedia {
    const media = new DiskMedia();
    const copies = new Map<DiskNode, DiskNode>();
    media.capacityBytes = this.capacityBytes;
    media.usedBytes = this.usedBytes;
    media.root = copyNode(this.root, copies);
    media.pending = this.pending.map(({ entries }) => ({
      entries: entries.map(({ directory, name, node }) => ({
        directory: copyNode(directory, copies),
        name,
        node: node === undefined ? undefined : copyNode(node, copies),
      })),
    }));
    return media;
  }

  /** Every file that is there, in the order in which the directories have them. */
  *files(): Iterable<{ readonly path: string; readonly file: FileNode }> {
    yield* filesBelow(this.root, "");
  }
}

function findFrom(
  root: DirectoryNode,
  parts: readonly string[],
  isDurable: boolean,
): DiskNode | undefined {
  let node: DiskNode | undefined = root;
  for (const part of parts) {
    if (!(node instanceof DirectoryNode)) return undefined;
    node = (isDurable ? node.durable : node.cached).get(part);
  }
  return node;
}

function* filesBelow(
  directory: DirectoryNode,
  path: string,
): Iterable<{ readonly path: string; readonly file: FileNode }> {
  for (const [name, node] of directory.cached) {
    if (node instanceof FileNode) yield { path: `${path}/${name}`, file: node };
    else yield* filesBelow(node, `${path}/${name}`);
  }
}

function copyDirectory(
  directory: DirectoryNode,
  copies: Map<DiskNode, DiskNode>,
  copyFile: (file: FileNode) => FileNode,
): DirectoryNode {
  const copy = new DirectoryNode();
  copies.set(directory, copy);
  for (const [name, node] of directory.durable) {
    // A rename of which only a part is known cannot be: entries change together.
    const copied: DiskNode = copies.get(node) ??
      (node instanceof FileNode ? copyFile(node) : copyDirectory(node, copies, copyFile));
    copies.set(node, copied);
    copy.cached.set(name, copied);
    copy.durable.set(name, copied);
  }
  return copy;
}

function copyNode<Node extends DiskNode>(node: Node, copies: Map<DiskNode, DiskNode>): Node {
  const known = copies.get(node);
  if (known !== undefined) return known as Node;
  if (node instanceof FileNode) {
    const file = new FileNode(node.cached.copy(), node.durable.copy());
    file.changes = [...node.changes];
    file.settledCount = node.settledCount;
    copies.set(node, file);
    return file as DiskNode as Node;
  }
  const directory = new DirectoryNode();
  copies.set(node, directory);
  for (const [name, child] of node.cached) directory.cached.set(name, copyNode(child, copies));
  for (const [name, child] of node.durable) directory.durable.set(name, copyNode(child, copies));
  return directory as DiskNode as Node;
}

function keepSome(file: FileNode, content: Content, loss: PowerLoss, chance: Prng): void {
  const sectorBytes = loss === "torn-512" ? 512 : loss === "torn-4096" ? 4096 : undefined;
  for (const change of file.changes) {
    if (chance.below(2) === 0) continue;
    if (change.kind === "cut") content.truncate(change.length);
    else if (sectorBytes === undefined) content.write(change.at, change.bytes);
    else writeTorn(content, change, { sectorBytes, chance });
  }
}

/** Of one write some sectors arrive and others do not; a hole inside a file reads as zeros. */
function writeTorn(
  content: Content,
  { at, bytes }: { readonly at: number; readonly bytes: Uint8Array },
  { sectorBytes, chance }: { readonly sectorBytes: number; readonly chance: Prng },
): void {
  for (let from = 0; from < bytes.length;) {
    const end = Math.min(bytes.length, from + sectorBytes - (at + from) % sectorBytes);
    if (chance.below(4) !== 0) content.write(at + from, bytes.subarray(from, end));
    from = end;
  }
}
