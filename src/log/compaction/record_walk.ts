/**
 * The records of a batch as compaction looks at them: where each lies, its key, whether it has a value.
 *
 * A flyweight like `RecordCursor`, which is for readers of content; this one knows where a record
 * begins and ends, so that it can be copied as it is. Structure is checked: who compacts drops what it
 * does not copy. Not here: the CRC, which was checked before.
 */
import type { BatchView } from "../../record/batch_view.ts";
import { type Decompress, inflate } from "../../record/compression.ts";
import { RECORDS_AT } from "../../record/format.ts";
import { RecordScan } from "../../record/record_scan.ts";

const EMPTY = new Uint8Array(0);
/** `RecordScan.varlong` saturates: a time this far away cannot be told exactly. */
const TIME_LIMIT = Number.MAX_SAFE_INTEGER;

export interface RecordWalkOptions {
  readonly decompress: Decompress;
  /** A batch that inflates beyond this is not compacted. */
  readonly inflatedBytesMax: number;
}

export class RecordWalk {
  /** What the positions point into: the batch itself, or what its records inflated to. */
  bytes: Uint8Array = EMPTY;
  /** Where this record begins, its length included, and where it ends. */
  start = 0;
  end = 0;
  /** Of the key; both -1 where there is none. */
  keyStart = -1;
  keyEnd = -1;
  isTombstone = false;
  timestampDelta = 0;
  offsetDelta = 0;
  /** What is wrong with the batch, or undefined while all is well. */
  failure: string | undefined;
  readonly #options: RecordWalkOptions;
  readonly #scan = new RecordScan(EMPTY, 0, 0);
  #left = 0;
  #lastOffsetDelta = 0;

  constructor(options: RecordWalkOptions) {
    this.#options = options;
  }

  /** Stands before the first record of `batch`. */
  open(batch: BatchView): void {
    this.failure = undefined;
    this.bytes = batch.bytes;
    this.end = batch.position() + RECORDS_AT;
    let sectionEnd = batch.position() + batch.sizeInBytes();
    const compressionType = batch.compressionType();
    if (compressionType === undefined) return this.#fail("its codec is unknown");
    if (compressionType !== "none" && sectionEnd > this.end) {
      const { decompress, inflatedBytesMax } = this.#options;
      const section = batch.recordsBytes();
      const inflated = inflate(decompress, compressionType, section, inflatedBytesMax);
      if (!(inflated instanceof Uint8Array)) return this.#fail(inflated.message);
      this.bytes = inflated;
      this.end = 0;
      sectionEnd = inflated.length;
    }
    this.#left = batch.recordCount();
    this.#lastOffsetDelta = batch.lastOffsetDelta();
    this.offsetDelta = -1;
    this.#scan.bytes = this.bytes;
    this.#scan.position = this.end;
    this.#scan.end = sectionEnd;
    this.#scan.isBroken = false;
  }

  /** Goes to the next record; false behind the last one and where something is wrong. */
  next(): boolean {
    const scan = this.#scan;
    if (this.#left <= 0) {
      if (scan.position !== scan.end) this.#fail("bytes follow its last record");
      return false;
    }
    this.#left--;
    const offsetDeltaBefore = this.offsetDelta;
    this.start = scan.position;
    const length = scan.varint();
    this.end = scan.position + length;
    scan.skip(1); // attributes
    this.timestampDelta = scan.varlong();
    this.offsetDelta = scan.varint();
    const keyLength = scan.varint();
    this.keyStart = keyLength < 0 ? -1 : scan.position;
    this.keyEnd = keyLength < 0 ? -1 : scan.position + keyLength;
    scan.skip(keyLength);
    this.isTombstone = scan.varint() < 0;
    const isSound = !scan.isBroken && length >= 0 && scan.position <= this.end &&
      this.end <= scan.end && this.offsetDelta > offsetDeltaBefore &&
      this.offsetDelta <= this.#lastOffsetDelta &&
      Math.abs(this.timestampDelta) < TIME_LIMIT;
    if (!isSound) {
      this.#fail("a record in it is not sound");
      return false;
    }
    scan.position = this.end;
    return true;
  }

  #fail(reason: string): void {
    this.failure = reason;
    this.#left = 0;
    this.#scan.position = this.#scan.end;
  }
}
