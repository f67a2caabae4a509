/**
 * Fetches a snapshot from another voter, piece by piece, to a file aside; checks all of it and gives it
 * its name.
 *
 * A piece that does not come is asked for again where it began. When that was in vain too often, the
 * fetch has failed, and the leader's next offer of the same snapshot goes on at the same place. Another
 * offer ends the one under way. What is not a sound snapshot never gets a name.
 */
import type { Clock } from "../../env/clock.ts";
import { DiskFault, isPassing } from "../../env/disk.ts";
import type { Trace } from "../../env/trace.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import { isSameReplica, type Voter } from "../../raft/configuration.ts";
import type { SnapshotId } from "../../raft/entry.ts";
import { MetadataCorrupt } from "./not_controller.ts";
import type { RaftTransport, SnapshotChunk } from "./raft_transport.ts";
import { snapshotFileName } from "./snapshot_file.ts";
import type { LoadedSnapshot, SnapshotStore } from "./snapshot_store.ts";

export interface SnapshotDownloadOptions {
  readonly store: SnapshotStore;
  readonly transport: RaftTransport;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly crc32c: Crc32c;
  /** It stands under its name, durably. */
  onInstalled(snapshot: LoadedSnapshot): void;
  onFailed(id: SnapshotId): void;
  /** A disk that is not merely full, or what nobody expected. */
  onFault(fault: unknown): void;
}

/** A snapshot of which pieces are here. */
interface Partial {
  readonly id: SnapshotId;
  readonly from: Voter;
  position: number;
  totalBytes: number | undefined;
}

const TRIES_MAX = 5;
const AGAIN_MS = 100;
const TOTAL_BYTES_MAX = 4 * 1024 ** 3;

export class SnapshotDownload {
  readonly #options: SnapshotDownloadOptions;
  #partial: Partial | undefined;
  #running: Partial | undefined;
  #isStopped = false;

  constructor(options: SnapshotDownloadOptions) {
    this.#options = options;
  }

  start(from: Voter, id: SnapshotId): void {
    const before = this.#partial;
    const isSame = before !== undefined && before.id.offset === id.offset &&
      before.id.term === id.term && isSameReplica(before.from, from);
    if (isSame && this.#running === before) return;
    if (before !== undefined && !isSame) this.#options.store.discard(before.id);
    const partial = isSame ? before : { id, from, position: 0, totalBytes: undefined };
    this.#partial = partial;
    this.#running = partial;
    this.#run(partial).catch((fault: unknown) => this.#options.onFault(fault));
  }

  stop(): void {
    this.#isStopped = true;
    this.#running = undefined;
  }

  async #run(partial: Partial): Promise<void> {
    const { store } = this.#options;
    const { id } = partial;
    try {
      if (!await this.#fetchAll(partial)) return this.#fail(partial, "no answer");
      const snapshot = await store.loadReceived(id);
      if (!this.#isCurrent(partial)) return;
      await store.finish(id);
      this.#partial = undefined;
      if (!this.#isCurrent(partial)) return;
      this.#running = undefined;
      this.#options.onInstalled(snapshot);
    } catch (fault) {
      if (fault instanceof MetadataCorrupt) {
        this.#forget(partial);
        this.#fail(partial, fault.message);
      } else if (fault instanceof DiskFault && isPassing(fault)) {
        this.#forget(partial); // it may be the room that is wanted
        this.#fail(partial, fault.message);
      } else throw fault;
    }
  }

  /** False where a piece did not come however often it was asked for, or another offer has come. */
  async #fetchAll(partial: Partial): Promise<boolean> {
    const { transport, store } = this.#options;
    for (let tries = 0; this.#isCurrent(partial);) {
      if (partial.position === partial.totalBytes) return true;
      let chunk: SnapshotChunk;
      try {
        // deno-lint-ignore no-await-in-loop -- one piece behind the other
        chunk = await transport.fetchSnapshot(partial.from, partial.id, partial.position);
      } catch {
        if (++tries === TRIES_MAX) return false;
        // deno-lint-ignore no-await-in-loop
        await this.#pause();
        continue;
      }
      if (!this.#isCurrent(partial)) return false;
      const reason = this.#flawOf(chunk, partial);
      if (reason !== undefined) throw new MetadataCorrupt(reason);
      tries = 0;
      store.receive(partial.id, partial.position, chunk.bytes);
      partial.position += chunk.bytes.length;
      partial.totalBytes = chunk.totalBytes;
    }
    return false;
  }

  #flawOf({ bytes, totalBytes, crc32c }: SnapshotChunk, partial: Partial): string | undefined {
    const name = snapshotFileName(partial.id);
    if (crc32c !== this.#options.crc32c(bytes)) return `a piece of ${name} has a wrong CRC`;
    const isOther = partial.totalBytes !== undefined && partial.totalBytes !== totalBytes;
    if (isOther || totalBytes > TOTAL_BYTES_MAX || totalBytes === 0) {
      return `${name} is said to have ${totalBytes} bytes`;
    }
    const isIn = bytes.length > 0 && partial.position + bytes.length <= totalBytes;
    return isIn ? undefined : `a piece of ${name} does not fit into it`;
  }

  #isCurrent(partial: Partial): boolean {
    return !this.#isStopped && this.#running === partial;
  }

  #forget(partial: Partial): void {
    if (this.#partial !== partial) return;
    this.#partial = undefined;
    this.#options.store.discard(partial.id);
  }

  #fail(partial: Partial, reason: string): void {
    if (!this.#isCurrent(partial)) return;
    this.#running = undefined;
    const fields = { snapshot: snapshotFileName(partial.id), from: partial.from.id, reason };
    this.#options.trace.event("warn", "a metadata snapshot could not be fetched", fields);
    this.#options.onFailed(partial.id);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(AGAIN_MS, resolve));
  }
}
