/**
 * The walk of `validateBatch` over a batch's records: structure, keys and times of each.
 *
 * The hottest loop of an append, so no object is made per record, and the first thing wrong is kept in
 * numbers that are turned into words at the end. A record whose structure is broken ends the walk;
 * missing keys and far times do not, since Kafka answers INVALID_TIMESTAMP where any record's time is
 * at fault (LogValidator.processRecordErrors).
 */
import { NO_TIMESTAMP, type TimestampType } from "./format.ts";
import { RecordScan } from "./record_scan.ts";

export interface TimeLimits {
  readonly timestampType: TimestampType;
  readonly now: number;
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
}

export interface RecordProblem {
  readonly kind: "invalid-record" | "invalid-timestamp";
  readonly message: string;
  readonly recordIndex: number;
}

const NONE = -1;
const EARLIEST = -Number.MAX_SAFE_INTEGER + 1;
/** Behind any batch, and small enough that adding lengths to it stays an int32. */
const FAR_OUTSIDE = 0x3fff_ffff;
const LATEST = Number.MAX_SAFE_INTEGER - 1;

export class RecordCheck {
  maxTimestamp: number = NO_TIMESTAMP;
  readonly #scan: RecordScan;
  #isKeyRequired = false;
  #baseTimestamp = 0;
  #earliest = 0;
  #latest = 0;
  #brokenIndex = NONE;
  #brokenReason = "";
  #keylessIndex = NONE;
  #untimelyIndex = NONE;
  #untimely = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#scan = new RecordScan(bytes, start, end);
  }

  /** Where times are not checked they still are safe integers (the readers saturate). */
  setTimes(baseTimestamp: number, limits: TimeLimits): void {
    const { timestampType, now, timestampBeforeMaxMs, timestampAfterMaxMs } = limits;
    const isChecked = timestampType === "create";
    this.#baseTimestamp = baseTimestamp;
    this.#earliest = Math.max(isChecked ? now - timestampBeforeMaxMs : -Infinity, EARLIEST);
    this.#latest = Math.min(isChecked ? now + timestampAfterMaxMs : Infinity, LATEST);
  }

  /** A record without a time (-1) is timely. */
  isTimely(timestamp: number): boolean {
    return (timestamp >= this.#earliest && timestamp <= this.#latest) || timestamp === NO_TIMESTAMP;
  }

  timeComplaint(timestamp: number): string {
    return `timestamp ${timestamp} is outside [${this.#earliest}, ${this.#latest}]`;
  }

  /** Walks `recordCount` records, which must be all there is. */
  run(recordCount: number, isKeyRequired: boolean): void {
    this.#isKeyRequired = isKeyRequired;
    const scan = this.#scan;
    for (let index = 0; index < recordCount; index++) {
      if (!this.#plainRecord(index) && !this.#anyRecord(index)) return;
    }
    if (scan.position !== scan.end) {
      this.#break(recordCount - 1, `${scan.end - scan.position} bytes follow the last record`);
    }
  }

  /**
   * The record that nearly all are: no headers, and no varint longer than 3 bytes. False, and nothing
   * done, where it is not such a one; so it needs no reasons.
   *
   * Places only grow, as a varint takes a byte at least and a null no bytes; so where the last of them
   * is inside the section, every byte that was read is.
   */
  #plainRecord(index: number): boolean {
    const scan = this.#scan;
    const { bytes, position } = scan;
    const attributesAt = shortVarintEnd(bytes, position);
    const recordEnd = attributesAt + shortVarint(bytes, position);
    const timeAt = attributesAt + 1;
    const deltaAt = shortVarintEnd(bytes, timeAt);
    const keyAt = shortVarintEnd(bytes, deltaAt);
    const keyLength = shortVarint(bytes, keyAt);
    const valueAt = shortVarintEnd(bytes, keyAt) + Math.max(keyLength, 0);
    const valueLength = shortVarint(bytes, valueAt);
    const headersAt = shortVarintEnd(bytes, valueAt) + Math.max(valueLength, 0);
    if (headersAt + 1 !== recordEnd || recordEnd > scan.end || bytes[headersAt] !== 0) return false;
    if (keyLength < -1 || valueLength < -1 || shortVarint(bytes, deltaAt) !== index) return false;
    scan.position = recordEnd;
    this.#look(index, keyLength, this.#baseTimestamp + shortVarint(bytes, timeAt));
    return true;
  }

  /** Any record; false, and the reason is kept, where it is broken. */
  #anyRecord(index: number): boolean {
    const scan = this.#scan;
    const sectionEnd = scan.end;
    const length = scan.varint();
    const recordEnd = scan.position + length;
    if (length < 0 || recordEnd > sectionEnd || scan.isBroken) {
      return this.#break(index, `length ${length} does not fit the batch`);
    }
    scan.end = recordEnd;
    scan.position++; // attributes: no bit of them has a meaning yet
    const timestampDelta = scan.varlong();
    const offsetDelta = scan.varint();
    const keyLength = scan.varint();
    scan.skip(keyLength);
    const valueLength = scan.varint();
    scan.skip(valueLength);
    scan.skipHeaders(scan.varint());
    if (scan.position !== recordEnd || scan.isBroken || keyLength < -1 || valueLength < -1) {
      return this.#break(index, `content does not fit its length ${length}`);
    }
    if (offsetDelta !== index) {
      return this.#break(index, `offset delta ${offsetDelta} does not count up from 0`);
    }
    scan.end = sectionEnd;
    this.#look(index, keyLength, this.#baseTimestamp + timestampDelta);
    return true;
  }

  /** What is asked of a record beside its structure. */
  #look(index: number, keyLength: number, timestamp: number): void {
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    if (!this.isTimely(timestamp) && this.#untimelyIndex === NONE) {
      this.#untimelyIndex = index;
      this.#untimely = timestamp;
    }
    if (keyLength < 0 && this.#isKeyRequired && this.#keylessIndex === NONE) {
      this.#keylessIndex = index;
    }
  }

  /** What was wrong, by the weight that Kafka gives it. */
  problem(): RecordProblem | undefined {
    if (this.#brokenIndex !== NONE) {
      return {
        kind: "invalid-record",
        message: this.#brokenReason,
        recordIndex: this.#brokenIndex,
      };
    }
    if (this.#untimelyIndex !== NONE) {
      const message = this.timeComplaint(this.#untimely);
      return { kind: "invalid-timestamp", message, recordIndex: this.#untimelyIndex };
    }
    if (this.#keylessIndex === NONE) return undefined;
    const message = "a compacted topic takes no record without a key";
    return { kind: "invalid-record", message, recordIndex: this.#keylessIndex };
  }

  #break(index: number, reason: string): false {
    this.#brokenIndex = index;
    this.#brokenReason = reason;
    return false;
  }
}

/** A zigzag int of at most 3 bytes at `at`; of a longer one, anything. */
function shortVarint(bytes: Uint8Array, at: number): number {
  let raw = bytes[at] as number;
  if (raw >= 0x80) {
    const second = bytes[at + 1] as number;
    raw = (raw & 0x7f) | ((second & 0x7f) << 7);
    if (second >= 0x80) raw |= ((bytes[at + 2] as number) & 0x7f) << 14;
  }
  return (raw >>> 1) ^ -(raw & 1);
}

/** Behind the varint at `at`; far outside where it is longer than 3 bytes. */
function shortVarintEnd(bytes: Uint8Array, at: number): number {
  if ((bytes[at] as number) < 0x80) return at + 1;
  if ((bytes[at + 1] as number) < 0x80) return at + 2;
  return (bytes[at + 2] as number) < 0x80 ? at + 3 : FAR_OUTSIDE;
}
