/**
 * What a node keeps over a crash: vote file, log and snapshots, and what is only on its way there.
 *
 * The model is that of the production driver: persists are written in order; within one the vote file
 * is replaced before the log is touched. A crash leaves of those that were not synced any prefix: the
 * vote files of the first `h`, the log changes of the first `l` ≤ `h`, and of the next one perhaps its
 * truncation and the first few batches (a torn batch fails its checksum and is cut off when the log is
 * opened, so it is gone as if it had never been written).
 */
import type { Prng } from "../../../src/ground/prng.ts";
import type { SnapshotId } from "../../../src/raft/entry.ts";
import type { HardState } from "../../../src/raft/ready.ts";
import { type Stored, StoredLog, type StoredSnapshot } from "./stored_log.ts";

/** A persist on its way to the disk. */
export interface Write {
  readonly number: number;
  readonly hardState: HardState | undefined;
  readonly truncateTo: number | undefined;
  readonly resetTo: SnapshotId | undefined;
  readonly batches: readonly Stored[];
}

export class SimDisk {
  hardState: HardState = { term: 0 };
  /** The vote file as it stands if its directory was never synced since. */
  hardStateBefore: HardState = { term: 0 };
  readonly log = new StoredLog();
  /** The mark of a clean stop: everything that was ever handed to it is there. */
  isWhole = false;
  /** The life in which its node began to lead, where it only went on after clean stops. */
  leadingLife = 0;
  /** Oldest first. */
  snapshots: StoredSnapshot[] = [];
  readonly #pending: Write[] = [];

  get pendingCount(): number {
    return this.#pending.length;
  }

  write(write: Write): void {
    this.#pending.push(write);
  }

  /** All writes up to this number are durable now. */
  sync(number: number): void {
    let count = 0;
    for (const write of this.#pending) {
      if (write.number > number) break;
      this.#replaceVote(write);
      this.#changeLog(write, write.batches.length);
      count++;
    }
    this.#pending.splice(0, count);
  }

  crash(random: Prng, mayKeepUnsynced: boolean): void {
    const voteCount = mayKeepUnsynced ? random.between(0, this.#pending.length) : 0;
    const logCount = random.between(0, voteCount);
    this.#pending.forEach((write, index) => {
      if (index < voteCount) this.#replaceVote(write);
      if (index < logCount) this.#changeLog(write, write.batches.length);
      // The log is touched only behind the vote file of the same write.
      if (index === logCount && index < voteCount && random.oneIn(2)) {
        this.#changeLog(write, random.between(0, write.batches.length));
      }
    });
    this.#pending.length = 0;
  }

  /** Takes a snapshot in under its name; older than the last two go. */
  keepSnapshot(snapshot: StoredSnapshot): void {
    const others = this.snapshots.filter(({ id }) => id.offset !== snapshot.id.offset);
    this.snapshots = [...others, snapshot].sort((a, b) => a.id.offset - b.id.offset).slice(-2);
  }

  /** Durably, in the log or in a snapshot. */
  holds({ entry, payload }: Stored): boolean {
    if ((this.newestSnapshot()?.id.offset ?? 0) >= entry.nextOffset) return true;
    const own = this.log.at(entry.baseOffset);
    return own !== undefined && own.entry.term === entry.term && own.payload === payload;
  }

  /** As it stands, without what is on its way. */
  copy(): SimDisk {
    const copy = new SimDisk();
    copy.hardState = this.hardState;
    copy.hardStateBefore = this.hardStateBefore;
    copy.snapshots = [...this.snapshots];
    copy.log.takeFrom(this.log);
    return copy;
  }

  newestSnapshot(): StoredSnapshot | undefined {
    return this.snapshots.at(-1);
  }

  /**
   * Opening the log after a crash: a snapshot that the log does not contain replaces it. Returns the
   * batches behind the snapshot, or undefined where something in between is missing.
   */
  open(): readonly Stored[] | undefined {
    const snapshot = this.newestSnapshot()?.id;
    const offset = snapshot?.offset ?? 0;
    if (this.log.startOffset > offset) return undefined;
    if (snapshot !== undefined && this.log.termAtEnd(offset) !== snapshot.term) {
      this.log.resetTo(snapshot);
    }
    return this.log.entries.slice(this.log.indexFrom(offset));
  }

  #replaceVote(write: Write): void {
    if (write.hardState === undefined) return;
    this.hardStateBefore = this.hardState;
    this.hardState = write.hardState;
  }

  #changeLog(write: Write, batchCount: number): void {
    if (write.resetTo !== undefined) this.log.resetTo(write.resetTo);
    if (write.truncateTo !== undefined) this.log.truncateTo(write.truncateTo);
    for (let index = 0; index < batchCount; index++) this.log.push(write.batches[index] as Stored);
  }
}
