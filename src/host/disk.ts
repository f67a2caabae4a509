/**
 * `env/disk.ts` over `node:fs`, for Bun and Deno.
 *
 * What is short and goes to the page cache is a system call made at once; fdatasync, fsync of a
 * directory and reads that may wait for the device run on the runtime's thread pool.
 *
 * Not here: the advisory lock (`disk_lock.ts`), what the system's errors mean (`disk_errors.ts`), and
 * what to do about a fault (the log directory).
 */
import fs from "node:fs";
import {
  type Disk,
  DiskFault,
  type DiskFile,
  type DiskLock,
  type FileInfo,
  type OpenMode,
} from "../env/disk.ts";
import { assert } from "../ground/assert.ts";
import { descriptorsMax } from "./descriptors.ts";
import {
  attempt,
  attemptUnlessMissing,
  faultOf,
  readFault,
  reading,
  syncFault,
} from "./disk_errors.ts";
import { lockFile } from "./disk_lock.ts";

/** Linux refuses more parts in one writev (IOV_MAX). */
const PARTS_MAX = 1024;
/** Of the descriptors that a process may have; connections have the larger part (`network.ts`). */
const FILES_SHARE = 0.3;
const FILES_MIN = 16;
const { O_CREAT, O_RDONLY, O_RDWR } = fs.constants;

export function createHostDisk(): Disk {
  return new HostDisk();
}

class HostDisk implements Disk {
  readonly filesMax = Math.max(Math.floor(descriptorsMax() * FILES_SHARE), FILES_MIN);

  open(path: string, mode: OpenMode): DiskFile {
    return attempt(path, () => {
      return new HostFile(path, fs.openSync(path, mode === "read" ? O_RDONLY : O_RDWR | O_CREAT));
    });
  }

  readWhole(path: string): Uint8Array | undefined {
    return attemptUnlessMissing(path, () => {
      const bytes = reading(path, () => fs.readFileSync(path));
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    });
  }

  list(path: string): readonly FileInfo[] {
    const entries = attemptUnlessMissing(path, () => {
      return reading(path, () => fs.readdirSync(path, { withFileTypes: true }));
    });
    const files: FileInfo[] = [];
    for (const entry of entries ?? []) {
      const isDirectory = entry.isDirectory();
      const bytes = isDirectory ? 0 : this.info(`${path}/${entry.name}`)?.bytes;
      // What went away between the two calls was not there.
      if (bytes !== undefined) files.push({ name: entry.name, isDirectory, bytes });
    }
    return files.sort((left, right) => left.name < right.name ? -1 : 1);
  }

  info(path: string): FileInfo | undefined {
    const found = attemptUnlessMissing(path, () => reading(path, () => fs.statSync(path)));
    if (found === undefined) return undefined;
    const isDirectory = found.isDirectory();
    const name = path.slice(path.lastIndexOf("/") + 1);
    return { name, isDirectory, bytes: isDirectory ? 0 : found.size };
  }

  makeDirectory(path: string): void {
    attempt(path, () => fs.mkdirSync(path, { recursive: true }));
  }

  rename(source: string, target: string): void {
    attempt(source, () => fs.renameSync(source, target));
  }

  remove(path: string): void {
    attempt(path, () => fs.rmSync(path, { recursive: true, force: true }));
  }

  removeFile(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.unlink(path, (error) => {
        if (!error || error.code === "ENOENT") resolve();
        else reject(faultOf(error, path));
      });
    });
  }

  async syncDirectory(path: string): Promise<void> {
    const descriptor = attempt(path, () => fs.openSync(path, O_RDONLY));
    await new Promise<void>((resolve, reject) => {
      fs.fsync(descriptor, (error) => {
        fs.closeSync(descriptor);
        if (error) reject(syncFault(error, path));
        else resolve();
      });
    });
  }

  lock(path: string): DiskLock | undefined {
    return attempt(path, () => lockFile(path));
  }

  freeBytes(path: string): number {
    return attempt(path, () => {
      const { bavail, bsize } = fs.statfsSync(path);
      return bavail * bsize;
    });
  }

  totalBytes(path: string): number {
    return attempt(path, () => {
      const { blocks, bsize } = fs.statfsSync(path);
      return blocks === 0 ? Infinity : blocks * bsize; // 0: a file system that does not count
    });
  }
}

/** A file with its descriptor, which `sendFile` of the host's network hands to the system. */
export class HostFile implements DiskFile {
  readonly path: string;
  readonly descriptor: number;
  #isOpen = true;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.descriptor = descriptor;
  }

  bytes(): number {
    return attempt(this.path, () => fs.fstatSync(this.descriptor).size);
  }

  write(position: number, parts: readonly Uint8Array[]): void {
    assert(this.#isOpen, "a closed file is not written");
    let length = 0;
    for (const part of parts) length += part.length;
    let written = 0;
    if (parts.length <= PARTS_MAX) {
      written = attempt(this.path, () => fs.writevSync(this.descriptor, parts, position));
      if (written === length) return; // nearly always
    }
    this.#writeRest(position, parts, written);
  }

  /** What one call did not take: the file system may write less than asked, or refuse more parts. */
  #writeRest(position: number, parts: readonly Uint8Array[], done: number): void {
    let at = position;
    let skip = done;
    for (const part of parts) {
      let from = Math.min(skip, part.length);
      skip -= from;
      at += from;
      while (from < part.length) {
        const [start, place] = [from, at];
        const written = attempt(this.path, () => {
          return fs.writeSync(this.descriptor, part, start, part.length - start, place);
        });
        if (written === 0) {
          throw new DiskFault(
            "io",
            this.path,
            `Cannot write ${this.path}: the system took 0 bytes`,
          );
        }
        from += written;
        at += written;
      }
    }
  }

  readNow(position: number, length: number): Uint8Array {
    assert(this.#isOpen, "a closed file is not read");
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const from = filled;
      const count = attempt(this.path, () => {
        return reading(this.path, () => {
          return fs.readSync(this.descriptor, bytes, from, length - from, position + from);
        });
      });
      if (count === 0) return bytes.subarray(0, filled);
      filled += count;
    }
    return bytes;
  }

  read(position: number, length: number): Promise<Uint8Array> {
    assert(this.#isOpen, "a closed file is not read");
    const bytes = new Uint8Array(length);
    return new Promise((resolve, reject) => {
      const readOn = (filled: number): void => {
        fs.read(
          this.descriptor,
          bytes,
          filled,
          length - filled,
          position + filled,
          (error, count) => {
            if (error) reject(readFault(error, this.path));
            else if (filled + count === length) resolve(bytes);
            else if (count === 0) resolve(bytes.subarray(0, filled));
            else readOn(filled + count);
          },
        );
      };
      if (length === 0) resolve(bytes);
      else readOn(0);
    });
  }

  sync(): Promise<void> {
    assert(this.#isOpen, "a closed file is not synced");
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.descriptor, (error) => {
        if (error) reject(syncFault(error, this.path));
        else resolve();
      });
    });
  }

  truncate(bytes: number): void {
    attempt(this.path, () => fs.ftruncateSync(this.descriptor, bytes));
  }

  close(): void {
    assert(this.#isOpen, "a file is closed once");
    this.#isOpen = false;
    attempt(this.path, () => fs.closeSync(this.descriptor));
  }
}
