/**
 * The aborted transactions of a segment: what a consumer that reads only committed records leaves out.
 *
 *     <20-digit base offset>.txnindex = { version int16 = 0, producerId int64, firstOffset int64,
 *                                         lastOffset int64, lastStableOffset int64 }*
 *
 * An entry lies with the segment that holds its marker; the transaction may have begun in an earlier
 * one. Most segments have none, and then there is no file either.
 * Source: kafka: AbortedTxn, TransactionIndex.
 */
import { assert } from "../../ground/assert.ts";
import type { Offset } from "../../ground/numbers.ts";
import { Reader } from "../../ground/reader.ts";
import { Writer } from "../../ground/writer.ts";
import { RELATIVE_OFFSET_MAX } from "../format.ts";

export const TRANSACTION_ENTRY_BYTES = 34;
const VERSION = 0;

/** Kafka: AbortedTxn. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Of the marker. */
  readonly lastOffset: number;
  /** Where the last stable offset lay when the marker was written. */
  readonly lastStableOffset: number;
}

export class TransactionIndex {
  readonly #baseOffset: Offset;
  readonly #entries: AbortedTransaction[] = [];
  #flaw: string | undefined;

  /** `bytes` are the file's; what is no entry is a flaw. */
  constructor(baseOffset: Offset, bytes?: Uint8Array) {
    this.#baseOffset = baseOffset;
    if (bytes !== undefined) this.#read(bytes);
  }

  /** In the order of their markers. */
  get entries(): readonly AbortedTransaction[] {
    return this.#entries;
  }

  append(entry: AbortedTransaction): void {
    const last = this.#entries.at(-1)?.lastOffset ?? -1;
    assert(entry.lastOffset > last, "the markers of a segment go up");
    this.#entries.push(entry);
  }

  /** Forgets the transactions whose markers lie at or behind `offset`; says whether there were any. */
  truncateTo(offset: number): boolean {
    const kept = this.#entries.findIndex((entry) => entry.lastOffset >= offset);
    if (kept < 0) return false;
    this.#entries.length = kept;
    return true;
  }

  /** Why these entries cannot be the index of this segment; undefined where they can. */
  flaw(): string | undefined {
    if (this.#flaw !== undefined) return this.#flaw;
    let before = -1;
    for (const [index, entry] of this.#entries.entries()) {
      const { producerId, firstOffset, lastOffset, lastStableOffset } = entry;
      const relative = lastOffset - this.#baseOffset;
      if (relative < 0 || relative > RELATIVE_OFFSET_MAX) {
        return `entry ${index} ends at ${lastOffset}`;
      }
      if (firstOffset < 0 || firstOffset > lastOffset) return `entry ${index} is upside down`;
      if (producerId < 0) return `entry ${index} is of producer ${producerId}`;
      if (lastStableOffset < 0 || lastStableOffset > lastOffset + 1) {
        return `entry ${index} is stable up to ${lastStableOffset}, ends at ${lastOffset}`;
      }
      if (lastOffset <= before) return `entry ${index} ends at ${lastOffset}, behind ${before}`;
      before = lastOffset;
    }
    return undefined;
  }

  /** What the file holds. */
  bytes(): Uint8Array {
    return encodeAborted(this.#entries);
  }

  #read(bytes: Uint8Array): void {
    const reader = new Reader(bytes);
    const count = Math.floor(bytes.length / TRANSACTION_ENTRY_BYTES);
    for (let index = 0; index < count; index++) {
      const version = reader.int16();
      if (version !== VERSION) this.#flaw ??= `entry ${index} has version ${version}`;
      this.#entries.push({
        producerId: reader.int64(),
        firstOffset: reader.int64(),
        lastOffset: reader.int64(),
        lastStableOffset: reader.int64(),
      });
    }
    this.#flaw ??= reader.failure;
    if (bytes.length % TRANSACTION_ENTRY_BYTES !== 0) this.#flaw ??= "its end is half an entry";
  }
}

/** The bytes of entries, for the end of the file. */
export function encodeAborted(entries: readonly AbortedTransaction[]): Uint8Array {
  const writer = new Writer();
  for (const entry of entries) {
    writer.int16(VERSION);
    writer.int64(entry.producerId);
    writer.int64(entry.firstOffset);
    writer.int64(entry.lastOffset);
    writer.int64(entry.lastStableOffset);
  }
  return writer.finish();
}
