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
const LATEST = Number.MAX_SAFE_INTEGER - 1;

export class RecordCheck {
  maxTimestamp: number = NO_TIMESTAMP;
  readonly #scan: RecordScan;
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
    const scan = this.#scan;
    const sectionEnd = scan.end;
    for (let index = 0; index < recordCount; index++) {
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
      const headerCount = scan.varint();
      if (headerCount !== 0) scan.skipHeaders(headerCount);
      if (scan.position !== recordEnd || scan.isBroken || keyLength < -1 || valueLength < -1) {
        return this.#break(index, `content does not fit its length ${length}`);
      }
      if (offsetDelta !== index) {
        return this.#break(index, `offset delta ${offsetDelta} does not count up from 0`);
      }
      scan.end = sectionEnd;
      if (keyLength < 0 && isKeyRequired) this.#onKeyless(index);
      const timestamp = this.#baseTimestamp + timestampDelta;
      if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
      if (!this.isTimely(timestamp)) this.#onUntimely(index, timestamp);
    }
    if (scan.position !== sectionEnd) {
      this.#break(recordCount - 1, `${sectionEnd - scan.position} bytes follow the last record`);
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

  #break(index: number, reason: string): void {
    this.#brokenIndex = index;
    this.#brokenReason = reason;
  }

  #onKeyless(index: number): void {
    if (this.#keylessIndex === NONE) this.#keylessIndex = index;
  }

  #onUntimely(index: number, timestamp: number): void {
    if (this.#untimelyIndex !== NONE) return;
    this.#untimelyIndex = index;
    this.#untimely = timestamp;
  }
}
