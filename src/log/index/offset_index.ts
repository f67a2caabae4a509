/**
 * From offset to position in the segment: a sparse, sorted table.
 *
 * An entry says that the batch with this last offset begins at this position. Not every batch has
 * one (`index.interval.bytes`), so a lookup gives a place from which to walk.
 * Source: kafka: OffsetIndex, LogSegment.append.
 */
import { assert } from "../../ground/assert.ts";
import type { Offset } from "../../ground/numbers.ts";
import { OFFSET_ENTRY_BYTES } from "../format.ts";
import { IndexEntries } from "./index_entries.ts";

/** A batch that the index knows. `lastOffset` is undefined for the start of the segment. */
export interface OffsetPosition {
  readonly lastOffset: number | undefined;
  readonly position: number;
}

export class OffsetIndex {
  readonly entries: IndexEntries;
  readonly #baseOffset: number;

  constructor(baseOffset: Offset, bytes: Uint8Array) {
    this.#baseOffset = baseOffset;
    this.entries = new IndexEntries(OFFSET_ENTRY_BYTES, bytes);
  }

  append(lastOffset: number, position: number): void {
    const { count } = this.entries;
    assert(count === 0 || lastOffset > this.#offsetAt(count - 1), "offset index entries go up");
    const at = this.entries.add();
    this.entries.view.setInt32(at, lastOffset - this.#baseOffset);
    this.entries.view.setInt32(at + 4, position);
  }

  /** The last entry at or below `offset`; the start of the segment where there is none. */
  lookup(offset: number): OffsetPosition {
    return this.lookupBack(offset, 0);
  }

  /** The last entry whose position is at most `limit`; the start of the segment where there is none. */
  lastUpTo(limit: number): OffsetPosition {
    return this.entryAt(this.entries.countWhere((at) => this.#positionAt(at) <= limit) - 1);
  }

  /** The entry `count` places before the one that a lookup gives. */
  lookupBack(offset: number, count: number): OffsetPosition {
    return this.entryAt(this.entries.countWhere((at) => this.#offsetAt(at) <= offset) - 1 - count);
  }

  /** How many entries from the first on go up, lie within `logBytes` and are below `offset`. */
  soundCount(logBytes: number, offset: number): number {
    let lastOffset = this.#baseOffset - 1;
    let position = 0; // the first batch gets no entry, so that zeros are none
    for (let index = 0; index < this.entries.count; index++) {
      const [itsOffset, place] = [this.#offsetAt(index), this.#positionAt(index)];
      const isSound = itsOffset > lastOffset && place > position;
      if (!isSound || itsOffset >= offset || place >= logBytes) return index;
      lastOffset = itsOffset;
      position = place;
    }
    return this.entries.count;
  }

  /** Which of the first `count` entries has this last offset; -1 where none has. */
  indexOf(lastOffset: number, count: number): number {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsetAt(middle) < lastOffset) low = middle + 1;
      else high = middle;
    }
    return low < count && this.#offsetAt(low) === lastOffset ? low : -1;
  }

  /** Why these entries cannot belong to a segment of `logBytes` bytes; undefined where they can. */
  flaw(logBytes: number): string | undefined {
    let offset = -1;
    let position = -1;
    for (let index = 0; index < this.entries.count; index++) {
      const relative = this.#offsetAt(index) - this.#baseOffset;
      if (relative <= offset) return `entry ${index} has offset ${relative} behind ${offset}`;
      const place = this.#positionAt(index);
      if (place <= position) return `entry ${index} has position ${place} behind ${position}`;
      if (place >= logBytes) return `entry ${index} has position ${place} of ${logBytes}`;
      offset = relative;
      position = place;
    }
    return undefined;
  }

  entryAt(index: number): OffsetPosition {
    if (index < 0) return { lastOffset: undefined, position: 0 };
    return { lastOffset: this.#offsetAt(index), position: this.#positionAt(index) };
  }

  #offsetAt(index: number): number {
    return this.#baseOffset + this.entries.view.getInt32(index * OFFSET_ENTRY_BYTES);
  }

  #positionAt(index: number): number {
    return this.entries.view.getInt32(index * OFFSET_ENTRY_BYTES + 4);
  }
}
