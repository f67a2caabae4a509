/**
 * `env.Disk` in memory, with a page cache that a crash empties.
 *
 * Content and directory entries exist twice: as the program sees them, and as they are on the medium.
 * `sync` carries a file's content over, `syncDirectory` the entries of a directory; `crash` gives a
 * disk that holds what had been carried. Faults are set by the test; a sync that fails drops what it was
 * to carry, as Linux does.
 * Longer than most: it is a disk with all its calls.
 */
import {
  type Disk,
  DiskFault,
  type DiskFaultKind,
  type DiskFile,
  type DiskLock,
  type FileInfo,
  type OpenMode,
} from "../../src/env/disk.ts";

class Node {
  content: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  durable: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  /** A 1 for each byte that a failed sync took for clean: no later sync carries it over. */
  dropped?: Uint8Array | undefined;
}

type Call =
  | "open"
  | "write"
  | "sync"
  | "syncDirectory"
  | "rename"
  | "remove"
  | "truncate"
  | "read"
  | "statfs"
  | "lock"
  | "makeDirectory";

export class MemoryDisk implements Disk {
  /** Path to file; directories are the paths in `directories`. */
  readonly files = new Map<string, Node>();
  readonly filesMax = Infinity;
  readonly durableFiles = new Map<string, Node>();
  readonly directories = new Set<string>(["/"]);
  readonly durableDirectories = new Set<string>(["/"]);
  readonly locks = new Set<string>();
  /** Bytes that files may still grow by. */
  roomBytes = Infinity;
  /** Bytes of the whole file system, as `totalBytes` tells. */
  sizeBytes = Infinity;
  /** Faults of whole trees, by the path of their root: every call below fails so. */
  readonly treeFaults = new Map<string, DiskFaultKind>();
  openCount = 0;
  readonly calls: Record<string, number> = {};
  #faults: { readonly call: Call; readonly kind: DiskFaultKind; isLasting: boolean }[] = [];

  /** The next call of this kind fails, or all from now on. */
  failNext(call: Call, kind: DiskFaultKind, isLasting = false): void {
    this.#faults.push({ call, kind, isLasting });
  }

  healFaults(): void {
    this.#faults = [];
  }

  /** What the medium holds; nothing of the page cache. */
  crash(): MemoryDisk {
    const disk = new MemoryDisk();
    for (const directory of this.durableDirectories) {
      disk.directories.add(directory);
      disk.durableDirectories.add(directory);
    }
    for (const [path, node] of this.durableFiles) {
      if (!this.durableDirectories.has(parentOf(path))) continue;
      const copy = new Node();
      copy.content = node.durable.slice();
      copy.durable = node.durable.slice();
      disk.files.set(path, copy);
      disk.durableFiles.set(path, copy);
    }
    return disk;
  }

  /** What another process sees after this one was killed: the page cache stays. */
  kill(): MemoryDisk {
    const disk = new MemoryDisk();
    const copies = new Map<Node, Node>();
    // A file that was renamed is one file still, by whichever of its names the medium knows it.
    const copyOf = (node: Node): Node => {
      const copy = copies.get(node) ?? new Node();
      copies.set(node, copy);
      copy.content = node.content.slice();
      copy.durable = node.durable.slice();
      copy.dropped = node.dropped?.slice();
      return copy;
    };
    for (const [path, node] of this.files) disk.files.set(path, copyOf(node));
    for (const [path, node] of this.durableFiles) disk.durableFiles.set(path, copyOf(node));
    for (const directory of this.directories) disk.directories.add(directory);
    for (const directory of this.durableDirectories) disk.durableDirectories.add(directory);
    return disk;
  }

  note(call: Call, path: string): void {
    this.calls[call] = (this.calls[call] ?? 0) + 1;
    this.#throwTreeFault(call, path);
    const index = this.#faults.findIndex((fault) => fault.call === call);
    const fault = this.#faults[index];
    if (fault === undefined) return;
    if (!fault.isLasting) this.#faults.splice(index, 1);
    throw new DiskFault(fault.kind, path, `Cannot ${call} ${path}: the test wants it so`);
  }

  #throwTreeFault(call: string, path: string): void {
    for (const [root, kind] of this.treeFaults) {
      if (path !== root && !isBelow(path, root)) continue;
      throw new DiskFault(kind, path, `Cannot ${call} ${path}: the test wants it so`);
    }
  }

  open(path: string, mode: OpenMode): DiskFile {
    this.note("open", path);
    let node = this.files.get(path);
    if (node === undefined) {
      if (mode === "read" || !this.directories.has(parentOf(path))) {
        throw new DiskFault("not-found", path, `Cannot open ${path}: not found`);
      }
      node = new Node();
      this.files.set(path, node);
    }
    this.openCount++;
    return new MemoryFile(this, path, node);
  }

  readWhole(path: string): Uint8Array | undefined {
    this.#throwTreeFault("read", path);
    return this.files.get(path)?.content.slice();
  }

  list(path: string): readonly FileInfo[] {
    this.#throwTreeFault("list", path);
    const found: FileInfo[] = [];
    for (const [file, node] of this.files) {
      if (parentOf(file) !== path) continue;
      found.push({ name: nameOf(file), isDirectory: false, bytes: node.content.length });
    }
    for (const directory of this.directories) {
      if (directory === "/" || parentOf(directory) !== path) continue;
      found.push({ name: nameOf(directory), isDirectory: true, bytes: 0 });
    }
    return found.sort((left, right) => left.name < right.name ? -1 : 1);
  }

  info(path: string): FileInfo | undefined {
    this.#throwTreeFault("info", path);
    const isDirectory = this.directories.has(path);
    const node = this.files.get(path);
    if (!isDirectory && node === undefined) return undefined;
    return { name: nameOf(path), isDirectory, bytes: node?.content.length ?? 0 };
  }

  makeDirectory(path: string): void {
    if (path === "/" || this.directories.has(path)) return;
    this.note("makeDirectory", path);
    this.makeDirectory(parentOf(path));
    this.directories.add(path);
  }

  rename(source: string, target: string): void {
    this.note("rename", source);
    const node = this.files.get(source);
    if (node !== undefined) {
      this.files.delete(source);
      this.files.set(target, node);
      return;
    }
    if (!this.directories.has(source)) {
      throw new DiskFault("not-found", source, `Cannot rename ${source}: not found`);
    }
    moveTree(this.files, this.directories, source, target);
  }

  // deno-lint-ignore require-await -- what it throws is a rejection
  async removeFile(path: string): Promise<void> {
    this.remove(path);
  }

  remove(path: string): void {
    this.note("remove", path);
    this.files.delete(path);
    this.directories.delete(path);
    for (const file of [...this.files.keys()]) if (isBelow(file, path)) this.files.delete(file);
    for (const directory of [...this.directories]) {
      if (isBelow(directory, path)) this.directories.delete(directory);
    }
  }

  syncDirectory(path: string): Promise<void> {
    return attempt(() => {
      this.note("syncDirectory", path);
      for (const file of [...this.durableFiles.keys()]) {
        if (parentOf(file) === path && !this.files.has(file)) this.durableFiles.delete(file);
      }
      for (const [file, node] of this.files) {
        if (parentOf(file) === path) this.durableFiles.set(file, node);
      }
      for (const directory of [...this.durableDirectories]) {
        if (parentOf(directory) !== path || this.directories.has(directory)) continue;
        this.durableDirectories.delete(directory);
        for (const file of [...this.durableFiles.keys()]) {
          if (isBelow(file, directory)) this.durableFiles.delete(file);
        }
      }
      for (const directory of this.directories) {
        if (parentOf(directory) === path) this.durableDirectories.add(directory);
      }
    });
  }

  lock(path: string): DiskLock | undefined {
    this.note("lock", path);
    if (this.locks.has(path)) return undefined;
    this.locks.add(path);
    return { release: () => void this.locks.delete(path) };
  }

  freeBytes(path = "/"): number {
    this.note("statfs", path);
    if (!this.directories.has(path)) {
      throw new DiskFault("not-found", path, `Cannot use ${path}: not found`);
    }
    return this.roomBytes;
  }

  totalBytes(): number {
    return this.sizeBytes;
  }
}

class MemoryFile implements DiskFile {
  readonly path: string;
  readonly #disk: MemoryDisk;
  readonly #node: Node;
  #isOpen = true;

  constructor(disk: MemoryDisk, path: string, node: Node) {
    this.#disk = disk;
    this.path = path;
    this.#node = node;
  }

  bytes(): number {
    return this.#node.content.length;
  }

  write(position: number, parts: readonly Uint8Array[]): void {
    this.#use("write");
    let at = position;
    for (const part of parts) {
      const grown = Math.max(0, at + part.length - this.bytes());
      const isFull = grown > this.#disk.roomBytes;
      const taken = isFull ? part.subarray(0, part.length - grown + this.#disk.roomBytes) : part;
      this.#disk.roomBytes -= isFull ? this.#disk.roomBytes : grown;
      this.#put(at, taken);
      if (isFull) throw new DiskFault("no-space", this.path, `Cannot write ${this.path}: full`);
      at += part.length;
    }
  }

  readNow(position: number, length: number): Uint8Array {
    this.#use("read");
    return this.#node.content.slice(position, position + length);
  }

  read(position: number, length: number): Promise<Uint8Array> {
    return attempt(() => this.readNow(position, length));
  }

  sync(): Promise<void> {
    return attempt(() => {
      try {
        this.#use("sync");
      } catch (fault) {
        if ((fault as DiskFault).kind === "io") drop(this.#node);
        throw fault;
      }
      this.#node.durable = reached(this.#node);
    });
  }

  truncate(bytes: number): void {
    this.#use("truncate");
    const content = new Uint8Array(bytes);
    content.set(this.#node.content.subarray(0, bytes));
    this.#disk.roomBytes += this.bytes() - bytes;
    this.#node.content = content;
  }

  close(): void {
    if (!this.#isOpen) throw new Error(`${this.path} was closed before`);
    this.#isOpen = false;
    this.#disk.openCount--;
  }

  #put(at: number, bytes: Uint8Array): void {
    const content = new Uint8Array(Math.max(this.bytes(), at + bytes.length));
    content.set(this.#node.content);
    content.set(bytes, at);
    this.#node.content = content;
    this.#node.dropped?.fill(0, at, at + bytes.length);
  }

  #use(call: Call): void {
    if (!this.#isOpen) throw new Error(`${this.path} was used after it was closed`);
    this.#disk.note(call, this.path);
  }
}

/** What Linux does where a sync fails: pages that were to be written are clean, and are not there. */
function drop(node: Node): void {
  node.dropped = Uint8Array.from(
    node.content,
    (byte, at) => at < node.durable.length && byte === node.durable[at] ? 0 : 1,
  );
}

function reached({ content, durable, dropped }: Node): Uint8Array {
  if (dropped === undefined) return content.slice();
  return content.map((byte, at) => dropped[at] === 1 ? durable[at] ?? 0 : byte);
}

/** Waits a turn, as a real disk does, so that what happens meanwhile is tested. */
async function attempt<Result>(action: () => Result): Promise<Result> {
  await Promise.resolve();
  return action();
}

function moveTree(
  files: Map<string, Node>,
  directories: Set<string>,
  source: string,
  target: string,
): void {
  for (const path of [...directories]) {
    if (path !== source && !isBelow(path, source)) continue;
    directories.delete(path);
    directories.add(target + path.slice(source.length));
  }
  for (const [path, node] of [...files]) {
    if (!isBelow(path, source)) continue;
    files.delete(path);
    files.set(target + path.slice(source.length), node);
  }
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
