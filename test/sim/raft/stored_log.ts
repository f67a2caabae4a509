/**
 * A log as a node of the simulation keeps it: descriptors with the identity of their payload.
 *
 * The same class serves as what the node believes it has written and as what really is on its disk.
 * A payload is a number that no other batch of the run has, so that two batches with the same offset
 * and term are still told apart.
 */
import type { Configuration } from "../../../src/raft/configuration.ts";
import type { Entry, SnapshotId } from "../../../src/raft/entry.ts";

export interface Stored {
  readonly entry: Entry;
  readonly payload: number;
}

/** A snapshot file: the state it stands for is the hash of everything applied up to there. */
export interface StoredSnapshot {
  readonly id: SnapshotId;
  readonly configuration: Configuration;
  readonly stateHash: number;
}

export class StoredLog {
  #entries: Stored[] = [];
  #startOffset = 0;
  /** The term of the batch that ended at the start. */
  #startTerm = 0;

  get entries(): readonly Stored[] {
    return this.#entries;
  }

  get startOffset(): number {
    return this.#startOffset;
  }

  get endOffset(): number {
    const last = this.#entries.at(-1);
    return last === undefined ? this.#startOffset : last.entry.nextOffset;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.entry.term ?? this.#startTerm;
  }

  /** Becomes a copy of another. */
  takeFrom(other: StoredLog): void {
    this.#entries = [...other.#entries];
    this.#startOffset = other.#startOffset;
    this.#startTerm = other.#startTerm;
  }

  push(stored: Stored): void {
    this.#entries.push(stored);
  }

  /** Everything goes; the log begins anew behind a snapshot. */
  resetTo(snapshot: SnapshotId): void {
    this.#entries = [];
    this.#startOffset = snapshot.offset;
    this.#startTerm = snapshot.term;
  }

  truncateTo(endOffset: number): void {
    let count = this.#entries.length;
    while (count > 0 && (this.#entries[count - 1] as Stored).entry.nextOffset > endOffset) count--;
    this.#entries.length = count;
  }

  /** The log start moves up to the end of a batch at or below `offset`. */
  dropBelow(offset: number): void {
    let count = 0;
    while (
      count < this.#entries.length && (this.#entries[count] as Stored).entry.nextOffset <= offset
    ) count++;
    if (count === 0) return;
    const last = (this.#entries[count - 1] as Stored).entry;
    this.#startOffset = last.nextOffset;
    this.#startTerm = last.term;
    this.#entries.splice(0, count);
  }

  /** The index of the first batch with a base offset at or above `offset`. */
  indexFrom(offset: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as Stored).entry.baseOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The batch that begins at `offset`. */
  at(offset: number): Stored | undefined {
    const stored = this.#entries[this.indexFrom(offset)];
    return stored?.entry.baseOffset === offset ? stored : undefined;
  }

  /** The term of the batch that ends at `offset`; undefined where none does. */
  termAtEnd(offset: number): number | undefined {
    if (offset === this.#startOffset) return this.#startTerm;
    const index = this.indexFrom(offset) - 1;
    const stored = index < 0 ? undefined : this.#entries[index];
    return stored?.entry.nextOffset === offset ? stored.entry.term : undefined;
  }
}
