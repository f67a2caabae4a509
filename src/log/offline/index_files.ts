/**
 * The entries of index files as they lie there, and whether they tell the truth of their segment.
 *
 * A check hears of every batch of the segment in order and compares the entries as it goes, so a whole
 * index is judged in the one walk that judges the batches. What it demands is what lookups rely on: an
 * entry of the offset index leads to the start of a batch, with no batch of that offset before it; an
 * entry of the time index is as late as everything before its offset. (A Kafka follower appends several
 * batches at once and notes the first one's position with the last one's offset: that is right, too.)
 * Kafka preallocates indexes: zeros at the end are no entries.
 * Source: kafka: OffsetIndex, TimeIndex, LogSegment.append.
 */
import { OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES } from "../format.ts";

export interface OffsetEntry {
  readonly byte: number;
  readonly offset: number;
  readonly position: number;
}

export interface TimeEntry {
  readonly byte: number;
  readonly timestamp: number;
  readonly offset: number;
}

export interface IndexFlaw {
  readonly byte: number;
  readonly reason: string;
}

/** Entries of `entryBytes` each; `zeroBytes` at the end are preallocated, `oddBytes` are no entry. */
export interface EntrySpan {
  readonly count: number;
  readonly zeroBytes: number;
  readonly oddBytes: number;
}

export function entrySpan(bytes: Uint8Array, entryBytes: number): EntrySpan {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const whole = Math.ceil(end / entryBytes);
  const isCut = whole * entryBytes > bytes.length;
  const count = isCut ? whole - 1 : whole;
  const zeros = bytes.length - count * entryBytes;
  return isCut
    ? { count, zeroBytes: 0, oddBytes: zeros }
    : { count, zeroBytes: zeros - zeros % entryBytes, oddBytes: zeros % entryBytes };
}

const TWO_TO_32 = 0x1_0000_0000;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function offsetEntryAt(bytes: Uint8Array, baseOffset: number, index: number): OffsetEntry {
  const byte = index * OFFSET_ENTRY_BYTES;
  const view = viewOf(bytes);
  return { byte, offset: baseOffset + view.getInt32(byte), position: view.getInt32(byte + 4) };
}

export function timeEntryAt(bytes: Uint8Array, baseOffset: number, index: number): TimeEntry {
  const byte = index * TIME_ENTRY_BYTES;
  const view = viewOf(bytes);
  const timestamp = view.getInt32(byte) * TWO_TO_32 + view.getUint32(byte + 4);
  return { byte, timestamp, offset: baseOffset + view.getInt32(byte + 8) };
}

/** A batch as an index sees it. */
export interface IndexedPlace {
  readonly position: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

export class OffsetIndexCheck {
  readonly #bytes: Uint8Array;
  readonly #baseOffset: number;
  readonly #span: EntrySpan;
  #next = 0;
  #previousLast: number;
  #lastPosition = -1;
  #flaw: IndexFlaw | undefined;

  constructor(bytes: Uint8Array, baseOffset: number) {
    this.#bytes = bytes;
    this.#baseOffset = baseOffset;
    this.#previousLast = baseOffset - 1;
    this.#span = entrySpan(bytes, OFFSET_ENTRY_BYTES);
    if (this.#span.oddBytes > 0) {
      const byte = this.#span.count * OFFSET_ENTRY_BYTES;
      this.#flaw = { byte, reason: `${this.#span.oddBytes} bytes at its end are no entry` };
    }
  }

  onBatch({ position, lastOffset }: IndexedPlace): void {
    while (this.#flaw === undefined && this.#next < this.#span.count) {
      const entry = offsetEntryAt(this.#bytes, this.#baseOffset, this.#next);
      if (entry.position > position) break;
      if (entry.position < position) this.#refuse(entry, "which is inside a batch");
      else if (entry.offset <= this.#previousLast) {
        this.#refuse(entry, `where offsets from ${this.#previousLast + 1} on lie`);
      } else this.#next++;
    }
    this.#previousLast = lastOffset;
    this.#lastPosition = position;
  }

  /**
   * An offset that the index says lies behind the last batch that was seen: the file was longer once.
   * Undefined where it says no such thing.
   */
  offsetBehind(): number | undefined {
    if (this.#span.count === 0) return undefined;
    const last = offsetEntryAt(this.#bytes, this.#baseOffset, this.#span.count - 1);
    const isBehind = last.position > this.#lastPosition && last.offset > this.#previousLast;
    return isBehind ? last.offset : undefined;
  }

  /** The first flaw. `isGrowing`: entries for batches behind those seen are no flaw. */
  finish(isGrowing: boolean): IndexFlaw | undefined {
    if (this.#flaw === undefined && !isGrowing && this.#next < this.#span.count) {
      const entry = offsetEntryAt(this.#bytes, this.#baseOffset, this.#next);
      this.#refuse(entry, "where no batch begins");
    }
    const last = this.#span.count - 1;
    if (this.#flaw === undefined && !isGrowing && last >= 0) {
      const entry = offsetEntryAt(this.#bytes, this.#baseOffset, last);
      if (entry.offset > this.#previousLast) {
        this.#refuse(entry, `and the segment ends with offset ${this.#previousLast}`);
      }
    }
    return this.#flaw;
  }

  #refuse(entry: OffsetEntry, why: string): void {
    const reason =
      `entry ${entry.byte / OFFSET_ENTRY_BYTES} says offset ${entry.offset} is at byte ` +
      `${entry.position}, ${why}`;
    this.#flaw = { byte: entry.byte, reason };
  }
}

export class TimeIndexCheck {
  readonly #bytes: Uint8Array;
  readonly #baseOffset: number;
  readonly #span: EntrySpan;
  #next = 0;
  #latest = -1;
  #previous: TimeEntry | undefined;
  #flaw: IndexFlaw | undefined;

  constructor(bytes: Uint8Array, baseOffset: number) {
    this.#bytes = bytes;
    this.#baseOffset = baseOffset;
    this.#span = entrySpan(bytes, TIME_ENTRY_BYTES);
    if (this.#span.oddBytes > 0) {
      const byte = this.#span.count * TIME_ENTRY_BYTES;
      this.#flaw = { byte, reason: `${this.#span.oddBytes} bytes at its end are no entry` };
    }
  }

  onBatch({ lastOffset, maxTimestamp }: IndexedPlace): void {
    const latest = Math.max(this.#latest, maxTimestamp);
    while (this.#flaw === undefined && this.#next < this.#span.count) {
      const entry = timeEntryAt(this.#bytes, this.#baseOffset, this.#next);
      if (entry.offset > lastOffset) break;
      this.#judge(entry, latest);
      this.#previous = entry;
      this.#next++;
    }
    this.#latest = latest;
  }

  /** `isSealed`: nothing will be added, so the last entry has the latest time of the segment. */
  finish(isSealed: boolean, isGrowing: boolean): IndexFlaw | undefined {
    if (this.#flaw !== undefined) return this.#flaw;
    if (this.#next < this.#span.count && !isGrowing) {
      const entry = timeEntryAt(this.#bytes, this.#baseOffset, this.#next);
      this.#refuse(entry, "which is behind the segment's last offset");
    } else if (isSealed && (this.#previous?.timestamp ?? -1) !== this.#latest) {
      this.#flaw = {
        byte: this.#previous?.byte ?? 0,
        reason: `its latest time is ${this.#previous?.timestamp ?? "none"}, and the segment's ` +
          `${this.#latest}`,
      };
    }
    return this.#flaw;
  }

  #judge(entry: TimeEntry, latest: number): void {
    const before = this.#previous;
    if (before !== undefined && entry.timestamp <= before.timestamp) {
      this.#refuse(entry, `and the entry before has time ${before.timestamp}`);
    } else if (before !== undefined && entry.offset < before.offset) {
      this.#refuse(entry, `and the entry before has offset ${before.offset}`);
    } else if (entry.timestamp < this.#latest) {
      this.#refuse(entry, `and there is time ${this.#latest} before that offset`);
    } else if (entry.timestamp > latest) {
      this.#refuse(entry, `and nothing up to there is later than ${latest}`);
    }
  }

  #refuse(entry: TimeEntry, why: string): void {
    const reason =
      `entry ${entry.byte / TIME_ENTRY_BYTES} says time ${entry.timestamp} at offset ` +
      `${entry.offset}, ${why}`;
    this.#flaw = { byte: entry.byte, reason };
  }
}
