/**
 * `env.Disk` in memory, without faults and without a notion of what is durable: a directory tree.
 *
 * The recording disk writes to one, and what a crash leaves (`crash_model.ts`) is one. Not here: page
 * cache against medium, which is `crash_model.ts`, and faults, which are `test/log/memory_disk.ts`.
 */
import {
  type Disk,
  DiskFault,
  type DiskFile,
  type DiskLock,
  type FileInfo,
  type OpenMode,
} from "../../src/env/disk.ts";

/** Bytes of a file that grows without being copied at every write. */
export class Content {
  #bytes: Uint8Array = new Uint8Array(256);
  #length = 0;

  static of(bytes: Uint8Array): Content {
    const content = new Content();
    content.write(0, bytes);
    return content;
  }

  get length(): number {
    return this.#length;
  }

  view(from = 0, to: number = this.#length): Uint8Array {
    return this.#bytes.subarray(from, Math.min(to, this.#length));
  }

  write(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      grown.set(this.view());
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, at);
    this.#length = Math.max(this.#length, end);
  }

  truncate(length: number): void {
    if (length > this.#length) this.write(length - 1, new Uint8Array(1));
    else this.#bytes.fill(0, length, this.#length);
    this.#length = length;
  }

  copy(): Content {
    return Content.of(this.view());
  }
}

export class PlainDisk implements Disk {
  readonly filesMax = Infinity;
  readonly files = new Map<string, Content>();
  readonly directories = new Set<string>(["/"]);
  readonly #locks = new Set<string>();

  open(path: string, mode: OpenMode): DiskFile {
    let content = this.files.get(path);
    if (content === undefined) {
      if (mode === "read" || !this.directories.has(parentOf(path))) throw notFound("open", path);
      content = new Content();
      this.files.set(path, content);
    }
    return new PlainFile(path, content);
  }

  readWhole(path: string): Uint8Array | undefined {
    return this.files.get(path)?.view().slice();
  }

  list(path: string): readonly FileInfo[] {
    const found: FileInfo[] = [];
    for (const [file, content] of this.files) {
      if (parentOf(file) !== path) continue;
      found.push({ name: nameOf(file), isDirectory: false, bytes: content.length });
    }
    for (const directory of this.directories) {
      if (directory === "/" || parentOf(directory) !== path) continue;
      found.push({ name: nameOf(directory), isDirectory: true, bytes: 0 });
    }
    return found.sort((left, right) => left.name < right.name ? -1 : 1);
  }

  info(path: string): FileInfo | undefined {
    const isDirectory = this.directories.has(path);
    const content = this.files.get(path);
    if (!isDirectory && content === undefined) return undefined;
    return { name: nameOf(path), isDirectory, bytes: content?.length ?? 0 };
  }

  makeDirectory(path: string): void {
    if (this.directories.has(path)) return;
    this.makeDirectory(parentOf(path));
    this.directories.add(path);
  }

  rename(source: string, target: string): void {
    const content = this.files.get(source);
    if (content !== undefined) {
      this.files.delete(source);
      this.files.set(target, content);
      return;
    }
    if (!this.directories.has(source)) throw notFound("rename", source);
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

  // deno-lint-ignore require-await -- what it throws is a rejection
  async removeFile(path: string): Promise<void> {
    this.remove(path);
  }

  remove(path: string): void {
    this.files.delete(path);
    if (!this.directories.delete(path)) return;
    for (const file of [...this.files.keys()]) if (isBelow(file, path)) this.files.delete(file);
    for (const below of [...this.directories]) {
      if (isBelow(below, path)) this.directories.delete(below);
    }
  }

  async syncDirectory(_path: string): Promise<void> {
    await Promise.resolve();
  }

  lock(path: string): DiskLock | undefined {
    if (this.#locks.has(path)) return undefined;
    this.#locks.add(path);
    return { release: () => void this.#locks.delete(path) };
  }

  freeBytes(_path?: string): number {
    return 2 ** 40;
  }

  totalBytes(_path?: string): number {
    return 2 ** 41;
  }

  /** A disk of its own with the same tree. */
  copy(): PlainDisk {
    const disk = new PlainDisk();
    for (const directory of this.directories) disk.directories.add(directory);
    for (const [path, content] of this.files) disk.files.set(path, content.copy());
    return disk;
  }
}

class PlainFile implements DiskFile {
  readonly path: string;
  readonly #content: Content;

  constructor(path: string, content: Content) {
    this.path = path;
    this.#content = content;
  }

  bytes(): number {
    return this.#content.length;
  }

  write(position: number, parts: readonly Uint8Array[]): void {
    let at = position;
    for (const part of parts) {
      this.#content.write(at, part);
      at += part.length;
    }
  }

  readNow(position: number, length: number): Uint8Array {
    return this.#content.view(position, position + length).slice();
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    await Promise.resolve();
    return this.readNow(position, length);
  }

  async sync(): Promise<void> {
    await Promise.resolve();
  }

  truncate(bytes: number): void {
    this.#content.truncate(bytes);
  }

  close(): void {}
}

export function isBelow(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function notFound(call: string, path: string): DiskFault {
  return new DiskFault("not-found", path, `Cannot ${call} ${path}: not found`);
}
