/**
 * How far a partition's log reaches on the medium of a machine: what a loss of power in this very moment
 * would keep. The medium itself is read, not what production code believes of it.
 */
import type { DiskMedia } from "./env/disk_media.ts";
import { DirectoryNode, FileNode } from "./env/disk_nodes.ts";

interface Walked {
  position: number;
  nextOffset: number;
  readonly cutCount: number;
}

/** Of a batch's header: up to its last offset delta. */
const HEADER_BYTES = 27;

export class DurableEnds {
  readonly #walked = new WeakMap<FileNode, Walked>();

  /** The offset behind the last one; undefined where there is no such directory: made or removed now. */
  of(media: DiskMedia, path: string): number | undefined {
    if (media.find(path) === undefined) return undefined;
    const directory = media.findDurable(path);
    if (!(directory instanceof DirectoryNode)) return 0;
    let end = 0;
    for (const [name, file] of directory.durable) {
      if (!(file instanceof FileNode) || !name.endsWith(".log")) continue;
      end = Math.max(end, this.#endOf(file, Number(name.slice(0, -4))));
    }
    return end;
  }

  #endOf(file: FileNode, baseOffset: number): number {
    const { durable } = file;
    let state = this.#walked.get(file);
    if (state === undefined || state.cutCount !== file.cutCount) {
      state = { position: 0, nextOffset: baseOffset, cutCount: file.cutCount };
      this.#walked.set(file, state);
    }
    while (state.position + HEADER_BYTES <= durable.length) {
      const header = durable.view(state.position, state.position + HEADER_BYTES);
      const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
      const bytes = 12 + view.getInt32(8);
      if (bytes < HEADER_BYTES || state.position + bytes > durable.length) break;
      state.nextOffset = Number(view.getBigInt64(0)) + view.getInt32(23) + 1;
      state.position += bytes;
    }
    return state.nextOffset;
  }
}
