/**
 * From time to offset: a sparse, sorted table.
 *
 * An entry says that no record of the segment up to this offset has a later time than this. Its last
 * entry, added when the segment is sealed, is the latest time of the segment.
 * Source: kafka: TimeIndex, LogSegment.append, LogSegment.onBecomeInactiveSegment.
 */
import type { Offset } from "../../ground/numbers.ts";
import { TIME_ENTRY_BYTES } from "../format.ts";
import { IndexEntries } from "./index_entries.ts";

const TWO_TO_32 = 0x1_0000_0000;

export interface TimestampOffset {
  readonly timestamp: number;
  readonly offset: number;
}

export class TimeIndex {
  readonly entries: IndexEntries;
  readonly #baseOffset: number;

  constructor(baseOffset: Offset, bytes: Uint8Array) {
    this.#baseOffset = baseOffset;
    this.entries = new IndexEntries(TIME_ENTRY_BYTES, bytes);
  }

  /** Adds an entry unless the last one is as late. */
  maybeAppend(timestamp: number, offset: number): void {
    const last = this.last();
    if (last === undefined ? timestamp < 0 : timestamp <= last.timestamp) return;
    const at = this.entries.add();
    const { view } = this.entries;
    view.setInt32(at, Math.floor(timestamp / TWO_TO_32));
    view.setUint32(at + 4, timestamp >>> 0);
    view.setInt32(at + 8, offset - this.#baseOffset);
  }

  /** The latest time and its offset; undefined where there is no entry. */
  last(): TimestampOffset | undefined {
    return this.entries.count === 0 ? undefined : this.entryAt(this.entries.count - 1);
  }

  /** The last entry earlier than `timestamp`; undefined where the search begins at the start. */
  lookup(timestamp: number): TimestampOffset | undefined {
    const index = this.entries.countWhere((at) => this.#timestampAt(at) < timestamp) - 1;
    return index < 0 ? undefined : this.entryAt(index);
  }

  /** How many entries from the first on go up and are of batches below `offset`. */
  soundCount(offset: number): number {
    let timestamp = -1;
    let before: number = this.#baseOffset;
    for (let index = 0; index < this.entries.count; index++) {
      const entry = this.entryAt(index);
      const isSound = entry.timestamp > timestamp && entry.offset >= before;
      if (!isSound || entry.offset >= offset) return index;
      timestamp = entry.timestamp;
      before = entry.offset;
    }
    return this.entries.count;
  }

  /** Why these entries cannot be a time index; undefined where they can. */
  flaw(): string | undefined {
    let timestamp = -1;
    let offset = 0;
    for (let index = 0; index < this.entries.count; index++) {
      const entry = this.entryAt(index);
      const relative = entry.offset - this.#baseOffset;
      if (entry.timestamp <= timestamp) return `entry ${index} has time ${entry.timestamp}`;
      if (relative < offset) return `entry ${index} has offset ${relative} behind ${offset}`;
      timestamp = entry.timestamp;
      offset = relative;
    }
    return undefined;
  }

  #timestampAt(index: number): number {
    const { view } = this.entries;
    const at = index * TIME_ENTRY_BYTES;
    return view.getInt32(at) * TWO_TO_32 + view.getUint32(at + 4);
  }

  entryAt(index: number): TimestampOffset {
    const relative = this.entries.view.getInt32(index * TIME_ENTRY_BYTES + 8);
    return { timestamp: this.#timestampAt(index), offset: this.#baseOffset + relative };
  }
}
