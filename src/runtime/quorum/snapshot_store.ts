/**
 * The snapshots of a metadata log on its disk.
 *
 *     NAME.checkpoint.tmp   being written or fetched; what a crash leaves of it is written over
 *     NAME.checkpoint       whole: written aside, synced, renamed, and the directory synced
 *
 * The two newest are kept: where the newest is damaged, the one before and the log from there on tell the
 * same. A damaged one is never removed and never passed over in silence.
 */
import { type Disk, DiskFault } from "../../env/disk.ts";
import type { Trace } from "../../env/trace.ts";
import { assert } from "../../ground/assert.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { MetadataRecord } from "../../metadata/record.ts";
import type { Configuration } from "../../raft/configuration.ts";
import type { SnapshotId } from "../../raft/entry.ts";
import { syncFile } from "../../log/atomic_file.ts";
import { MetadataCorrupt } from "./not_controller.ts";
import type { SnapshotChunk } from "./raft_transport.ts";
import {
  decodeSnapshot,
  parseSnapshotFileName,
  type SnapshotBytes,
  SnapshotEncoder,
  snapshotFileName,
} from "./snapshot_file.ts";

export interface SnapshotStoreOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly crc32c: Crc32c;
  readonly trace: Trace;
}

export interface LoadedSnapshot {
  readonly id: SnapshotId;
  readonly records: readonly MetadataRecord[];
  readonly configuration: Configuration;
}

/** What a snapshot is made of. */
export interface SnapshotContent {
  readonly id: SnapshotId;
  readonly configuration: Configuration;
  /** Of the last batch in it. */
  readonly timestamp: number;
  readonly records: Iterable<MetadataRecord>;
}

const ASIDE = ".tmp";
const KEPT_COUNT = 2;
/** Records that are encoded before somebody else has a turn. */
const SLICE_COUNT = 500;

export class SnapshotStore {
  readonly #options: SnapshotStoreOptions;
  /** Whole ones, the oldest first. */
  #ids: readonly SnapshotId[];

  /** Looks what is there; throws a `DiskFault`. */
  constructor(options: SnapshotStoreOptions) {
    this.#options = options;
    this.#ids = options.disk.list(options.directory)
      .flatMap(({ name }) => parseSnapshotFileName(name) ?? [])
      .sort((one, other) => one.offset - other.offset || one.term - other.term);
  }

  ids(): readonly SnapshotId[] {
    return this.#ids;
  }

  newest(): SnapshotId | undefined {
    return this.#ids.at(-1);
  }

  pathOf(id: SnapshotId): string {
    return `${this.#options.directory}/${snapshotFileName(id)}`;
  }

  /** All of a snapshot, checked. Throws `MetadataCorrupt` or a `DiskFault`. */
  load(id: SnapshotId): Promise<LoadedSnapshot> {
    return this.#loadFrom(this.pathOf(id), id);
  }

  /** Of one that was received and has not got its name yet. */
  loadReceived(id: SnapshotId): Promise<LoadedSnapshot> {
    return this.#loadFrom(this.pathOf(id) + ASIDE, id);
  }

  /**
   * Encodes a state into a file aside. `pause` lets others have a turn; the state must not change
   * meanwhile. It gets its name by `finish`, which may wait for the disk.
   */
  async write(content: SnapshotContent, pause: () => Promise<void>): Promise<void> {
    const { disk, crc32c } = this.#options;
    const { id, configuration, timestamp, records } = content;
    const encoder = new SnapshotEncoder(id, timestamp, crc32c);
    const file = disk.open(this.pathOf(id) + ASIDE, "write");
    try {
      file.truncate(0); // what a crash may have left
      let position = 0;
      const put = (bytes: Uint8Array): void => {
        file.write(position, [bytes]);
        position += bytes.length;
      };
      put(encoder.begin(configuration));
      let slice: MetadataRecord[] = [];
      for (const record of records) {
        slice.push(record);
        if (slice.length < SLICE_COUNT) continue;
        put(encoder.records(slice));
        slice = [];
        // deno-lint-ignore no-await-in-loop -- that is what a pause is
        await pause();
      }
      if (slice.length > 0) put(encoder.records(slice));
      put(encoder.end());
    } finally {
      file.close();
    }
  }

  /** Puts a piece of a snapshot that comes from another node to its place. */
  receive(id: SnapshotId, position: number, bytes: Uint8Array): void {
    const file = this.#options.disk.open(this.pathOf(id) + ASIDE, "write");
    try {
      if (position === 0) file.truncate(0);
      assert(file.bytes() === position, "pieces of a snapshot come one behind the other");
      file.write(position, [bytes]);
    } finally {
      file.close();
    }
  }

  /** Gives what was written or received its name, durably. */
  async finish(id: SnapshotId): Promise<void> {
    const { disk, directory } = this.#options;
    const path = this.pathOf(id);
    await syncFile(disk, path + ASIDE);
    disk.rename(path + ASIDE, path);
    await disk.syncDirectory(directory);
    const others = this.#ids.filter(({ offset, term }) => offset !== id.offset || term !== id.term);
    this.#ids = [...others, id].sort((one, other) =>
      one.offset - other.offset || one.term - other.term
    );
  }

  /** Takes away what was not finished; an error of the disk changes nothing. */
  discard(id: SnapshotId): void {
    try {
      this.#options.disk.remove(this.pathOf(id) + ASIDE);
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
    }
  }

  /** Removes all but the newest two; nothing waits for it and nothing rests on it. */
  async dropOld(): Promise<void> {
    const old = this.#ids.slice(0, -KEPT_COUNT);
    this.#ids = this.#ids.slice(-KEPT_COUNT);
    for (const id of old) {
      try {
        // deno-lint-ignore no-await-in-loop -- one after the other: nobody waits for it
        await this.#options.disk.removeFile(this.pathOf(id));
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        const { path, message } = error;
        this.#options.trace.event("warn", "an old snapshot is left", { path, error: message });
      }
    }
  }

  /** Undefined where there is no such snapshot (any more), or the position is behind its end. */
  async readChunk(
    id: SnapshotId,
    position: number,
    bytesMax: number,
  ): Promise<SnapshotChunk | undefined> {
    const { disk, crc32c } = this.#options;
    if (!this.#ids.some(({ offset, term }) => offset === id.offset && term === id.term)) {
      return undefined;
    }
    const file = disk.open(this.pathOf(id), "read");
    try {
      const totalBytes = file.bytes();
      if (position > totalBytes) return undefined;
      const bytes = await file.read(position, Math.min(bytesMax, totalBytes - position));
      return { bytes, totalBytes, crc32c: crc32c(bytes) };
    } finally {
      file.close();
    }
  }

  async #loadFrom(path: string, id: SnapshotId): Promise<LoadedSnapshot> {
    const file = this.#options.disk.open(path, "read");
    try {
      const bytes = file.bytes();
      return await loadSnapshotBytes(
        { bytes, read: (position, length) => file.read(position, length) },
        id,
        this.#options.crc32c,
      );
    } catch (error) {
      if (!(error instanceof MetadataCorrupt)) throw error;
      throw new MetadataCorrupt(`${error.message} (${path})`);
    } finally {
      file.close();
    }
  }
}

/** All that a snapshot holds. Throws `MetadataCorrupt`. */
export async function loadSnapshotBytes(
  source: SnapshotBytes,
  id: SnapshotId,
  crc32c: Crc32c,
): Promise<LoadedSnapshot> {
  const records: MetadataRecord[] = [];
  const onRecord = (record: MetadataRecord): void => void records.push(record);
  const configuration = await decodeSnapshot(source, { id, crc32c, onRecord });
  return { id, records, configuration };
}
