/**
 * The records of a batch, one after the other, without an object per record.
 *
 *     const cursor = new RecordCursor({ decompress, inflatedBytesMax });
 *     cursor.open(batch);
 *     while (cursor.next()) use(cursor.offset(), cursor.bytes, cursor.valueStart, cursor.valueEnd);
 *     if (cursor.failure !== undefined) …
 *
 * A flyweight: `next()` moves it, and what it told before is gone; `key()` and `value()` are views of
 * `bytes`. Sticky: a batch that cannot be read ends the walk and leaves `failure`. Lengths are checked
 * here again, since what comes from a peer or a disk may not have been validated; CRC, counts and
 * offsets are `validateBatch`'s.
 */
import { textOf } from "../ground/text.ts";
import type { BatchView } from "./batch_view.ts";
import { type Decompress, inflate } from "./compression.ts";
import { MAGIC, RECORDS_AT } from "./format.ts";
import { RecordScan } from "./record_scan.ts";

export type RecordHeader = readonly [key: string, value: Uint8Array | null];

export interface RecordCursorOptions {
  readonly decompress: Decompress;
  /** A batch that inflates beyond this is not read. */
  readonly inflatedBytesMax: number;
}

const EMPTY = new Uint8Array(0);
const NO_HEADERS: readonly RecordHeader[] = [];

export class RecordCursor {
  /** Where the positions below point into: the batch itself, or what its records inflated to. */
  bytes: Uint8Array = EMPTY;
  /** Key and value of this record in `bytes`; both -1 where it is null. */
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  /** Where this record's headers begin in `bytes`, and how many there are. */
  headersStart = 0;
  headerCount = 0;
  /** What could not be read, or undefined while all is well. */
  failure: string | undefined;

  readonly #options: RecordCursorOptions;
  readonly #scan = new RecordScan(EMPTY, 0, 0);
  #recordsLeft = 0;
  #baseOffset = 0;
  #baseTimestamp = 0;
  #logAppendTime: number | undefined;
  #offsetDelta = 0;
  #timestampDelta = 0;

  constructor(options: RecordCursorOptions) {
    this.#options = options;
  }

  /** Stands before the first record of `batch`; the view may move on, its bytes must stay. */
  open(batch: BatchView): void {
    this.failure = undefined;
    this.#recordsLeft = 0;
    if (batch.magic() !== MAGIC) return this.#fail(`magic ${batch.magic()} is not ${MAGIC}`);
    const compressionType = batch.compressionType();
    if (compressionType === undefined) return this.#fail("the compression codec is unknown");
    let start = batch.position() + RECORDS_AT;
    let end = batch.position() + batch.sizeInBytes();
    if (end > batch.bytes.length) return this.#fail("the batch is cut short");
    this.bytes = batch.bytes;
    if (compressionType !== "none" && end > start) {
      const section = batch.recordsBytes();
      const { decompress, inflatedBytesMax } = this.#options;
      const inflated = inflate(decompress, compressionType, section, inflatedBytesMax);
      if (!(inflated instanceof Uint8Array)) return this.#fail(inflated.message);
      this.bytes = inflated;
      start = 0;
      end = inflated.length;
    }
    this.#baseOffset = batch.baseOffset();
    this.#baseTimestamp = batch.baseTimestamp();
    this.#logAppendTime = batch.timestampType() === "append" ? batch.maxTimestamp() : undefined;
    this.#recordsLeft = batch.recordCount();
    const scan = this.#scan;
    scan.bytes = this.bytes;
    scan.position = start;
    scan.end = end;
    scan.isBroken = false;
  }

  /** Goes to the next record; false behind the last, and for good once something is wrong. */
  next(): boolean {
    if (this.#recordsLeft <= 0) return false;
    this.#recordsLeft--;
    const scan = this.#scan;
    const sectionEnd = scan.end;
    const length = scan.varint();
    const recordEnd = scan.position + length;
    if (scan.isBroken || length < 0 || recordEnd > sectionEnd) return this.#refuse();
    scan.end = recordEnd;
    scan.skip(1); // attributes: no bit of them has a meaning yet
    this.#timestampDelta = scan.varlong();
    this.#offsetDelta = scan.varint();

    const keyLength = scan.varint();
    this.keyStart = keyLength < 0 ? -1 : scan.position;
    this.keyEnd = keyLength < 0 ? -1 : scan.position + keyLength;
    scan.skip(keyLength);
    const valueLength = scan.varint();
    this.valueStart = valueLength < 0 ? -1 : scan.position;
    this.valueEnd = valueLength < 0 ? -1 : scan.position + valueLength;
    scan.skip(valueLength);

    this.headerCount = scan.varint();
    this.headersStart = scan.position;
    if (this.headerCount !== 0) scan.skipHeaders(this.headerCount);
    if (scan.isBroken || scan.position !== recordEnd) return this.#refuse();
    scan.end = sectionEnd;
    return true;
  }

  offset(): number {
    return this.#baseOffset + this.#offsetDelta;
  }

  timestamp(): number {
    return this.#logAppendTime ?? this.#baseTimestamp + this.#timestampDelta;
  }

  key(): Uint8Array | null {
    return this.keyStart < 0 ? null : this.bytes.subarray(this.keyStart, this.keyEnd);
  }

  value(): Uint8Array | null {
    return this.valueStart < 0 ? null : this.bytes.subarray(this.valueStart, this.valueEnd);
  }

  /** In the order they were written; a key may be there more than once. */
  headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return NO_HEADERS;
    const headers: RecordHeader[] = [];
    const scan = new RecordScan(this.bytes, this.headersStart, this.bytes.length);
    for (let index = 0; index < this.headerCount; index++) {
      const keyLength = scan.varint();
      const key = textOf(this.bytes, scan.position, scan.position + keyLength);
      scan.skip(keyLength);
      const valueLength = scan.varint();
      const valueStart = scan.position;
      scan.skip(valueLength);
      headers.push([key, valueLength < 0 ? null : this.bytes.subarray(valueStart, scan.position)]);
    }
    return headers;
  }

  #refuse(): false {
    this.#fail("a record's length does not fit its content");
    return false;
  }

  #fail(reason: string): void {
    this.failure = `Cannot read records: ${reason}`;
    this.#recordsLeft = 0;
  }
}
