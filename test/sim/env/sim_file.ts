/** An open file of a simulated disk. */
import { DiskFault, type DiskFile } from "../../../src/env/disk.ts";
import { assert } from "../../../src/ground/assert.ts";
import type { DiskMedia } from "./disk_media.ts";
import type { FileNode } from "./disk_nodes.ts";
import type { SimDisk } from "./sim_disk.ts";

export class SimFile implements DiskFile {
  readonly path: string;
  readonly #disk: SimDisk;
  readonly #media: DiskMedia;
  readonly #node: FileNode;
  #isOpen = true;

  constructor(disk: SimDisk, path: string, node: FileNode) {
    this.#disk = disk;
    this.#media = disk.options.media;
    this.path = path;
    this.#node = node;
    disk.openCount++;
    assert(disk.openCount <= disk.filesMax + 64, "no more files are open than the disk allows");
  }

  bytes(): number {
    return this.#node.cached.length;
  }

  write(position: number, parts: readonly Uint8Array[]): void {
    this.#use("written");
    this.#disk.call("write", this.path);
    let at = position;
    for (const part of parts) {
      this.#put(at, part);
      at += part.length;
    }
  }

  readNow(position: number, length: number): Uint8Array {
    this.#use("read");
    this.#disk.call("read", this.path);
    return this.#node.cached.view(position, position + length).slice();
  }

  read(position: number, length: number): Promise<Uint8Array> {
    this.#use("read");
    const delayUs = this.#disk.options.faults.readDelayUs(length);
    return this.#disk.later("read", delayUs, () => {
      this.#disk.call("read", this.path);
      return this.#node.cached.view(position, position + length).slice();
    });
  }

  sync(): Promise<void> {
    this.#use("synced");
    const { faults } = this.#disk.options;
    const node = this.#node;
    const { changeCount } = node;
    return this.#disk.later("sync", faults.syncDelayUs(), () => {
      try {
        this.#disk.call("sync", this.path);
      } catch (error) {
        // The pages are clean from now on, and not on the medium.
        const isDropped = faults.nature.isDroppedByFailedSync && this.#disk.options.life.isAlive;
        if (isDropped) node.takeUpTo(changeCount);
        throw error;
      }
      if (!faults.honesty.isSyncHonest) return;
      for (const change of node.takeUpTo(changeCount)) node.apply(change);
    });
  }

  truncate(bytes: number): void {
    this.#use("cut");
    this.#disk.call("truncate", this.path);
    this.#media.usedBytes += bytes - this.#node.cached.length;
    this.#node.truncate(bytes);
  }

  close(): void {
    assert(this.#isOpen, "a file is closed once");
    this.#isOpen = false;
    this.#disk.openCount--;
  }

  #put(at: number, bytes: Uint8Array): void {
    const media = this.#media;
    const grown = Math.max(0, at + bytes.length - this.#node.cached.length);
    const roomBytes = Math.max(0, media.capacityBytes - media.usedBytes);
    if (grown <= roomBytes) {
      media.usedBytes += grown;
      this.#keep(at, bytes);
      return;
    }
    const taken = bytes.subarray(0, bytes.length - grown + roomBytes);
    media.usedBytes += roomBytes;
    if (taken.length > 0) this.#keep(at, taken);
    throw new DiskFault("no-space", this.path, `Cannot write ${this.path}: no space left`);
  }

  #keep(at: number, bytes: Uint8Array): void {
    const { faults } = this.#disk.options;
    const lie = faults.nextWrite;
    const isLied = lie !== undefined && bytes.length > 0 && this.path.endsWith(".log") &&
      !this.path.includes("/__");
    if (!isLied) {
      this.#node.write(at, bytes);
      return;
    }
    faults.nextWrite = undefined;
    this.#node.cached.write(at, bytes);
    const elsewhere = Math.max(0, at - 4096);
    if (lie === "misdirected") {
      this.#node.changes.push({ kind: "write", at: elsewhere, bytes: bytes.slice() });
    }
  }

  #use(verb: string): void {
    assert(this.#isOpen, `a closed file is not ${verb}`);
  }
}
