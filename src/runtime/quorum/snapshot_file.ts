/**
 * A snapshot of the metadata: `<20-digit end offset>-<10-digit term>.checkpoint`.
 *
 *     control batch   snapshot-header (type 3): time of the last batch; tagged: which snapshot this is
 *                     configuration (0x6d71): who votes at its end
 *     batches         metadata records, which replayed into an empty image give the state
 *     control batch   snapshot-footer (type 4); tagged: count of records, CRC-32C of all bytes before
 *
 * Offsets count up from 0 within the file, and every batch has the snapshot's term, as in Kafka
 * (KIP-630), whose tools skip tags that they do not know. A batch's CRC leaves out its offset and its
 * term, so both are compared; the footer's CRC covers all.
 * Not here: files and their names on the disk (`snapshot_store.ts`).
 */
import type { Crc32c } from "../../ground/crc32c.ts";
import { toOffset } from "../../ground/numbers.ts";
import { Reader } from "../../ground/reader.ts";
import { Writer } from "../../ground/writer.ts";
import { asMetadataRecord, type MetadataRecord } from "../../metadata/record.ts";
import type { Configuration } from "../../raft/configuration.ts";
import type { SnapshotId } from "../../raft/entry.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import { BATCH_HEADER_BYTES, MAGIC } from "../../record/format.ts";
import { decodeMessagePack } from "../../wire/msgpack.ts";
import { MetadataCorrupt } from "./not_controller.ts";
import {
  CONFIGURATION_TYPE,
  configurationIn,
  controlsOf,
  encodeControl,
  encodeRecords,
  newCursor,
  packConfiguration,
} from "./quorum_batches.ts";

const HEADER_TYPE = 3;
const FOOTER_TYPE = 4;
const VERSION = 0;
/** Of the tagged fields that are ours. */
const TAG = 0x6d71;
const HEADER_TAG_BYTES = 16;
const FOOTER_TAG_BYTES = 12;
const READ_BYTES = 1024 * 1024;
const OFFSET_DIGITS = 20;
const TERM_DIGITS = 10;
const NAME = /^(\d{20})-(\d{10})\.checkpoint$/;
const NO_BYTES = new Uint8Array(0);

/** "00000000000000000042-0000000003.checkpoint" */
export function snapshotFileName({ offset, term }: SnapshotId): string {
  const digits = String(offset).padStart(OFFSET_DIGITS, "0");
  return `${digits}-${String(term).padStart(TERM_DIGITS, "0")}.checkpoint`;
}

export function parseSnapshotFileName(name: string): SnapshotId | undefined {
  const [, offset, term] = NAME.exec(name) ?? [];
  if (offset === undefined || !Number.isSafeInteger(Number(offset))) return undefined;
  return { offset: toOffset(Number(offset)), term: Number(term) };
}

/** Makes the bytes of a snapshot, piece by piece, in the order of its calls. */
export class SnapshotEncoder {
  readonly #id: SnapshotId;
  readonly #crc32c: Crc32c;
  readonly #timestamp: number;
  #nextOffset = 0;
  #recordCount = 0;
  #crc = 0;

  /** `timestamp`: of the last batch in it; so that two nodes make the same file of the same state. */
  constructor(id: SnapshotId, timestamp: number, crc32c: Crc32c) {
    this.#id = id;
    this.#timestamp = timestamp;
    this.#crc32c = crc32c;
  }

  begin(configuration: Configuration): Uint8Array {
    const header = new Writer(64);
    header.int16(VERSION);
    header.int64(this.#timestamp);
    header.unsignedVarint(1);
    header.unsignedVarint(TAG);
    header.unsignedVarint(HEADER_TAG_BYTES);
    header.int64(this.#id.offset);
    header.int64(this.#id.term);
    const controls = [
      [HEADER_TYPE, header.finish()],
      [CONFIGURATION_TYPE, packConfiguration(configuration)],
    ] as const;
    return this.#note(encodeControl(controls, this.#place(), this.#crc32c), controls.length);
  }

  /** At least one. */
  records(records: readonly MetadataRecord[]): Uint8Array {
    this.#recordCount += records.length;
    return this.#note(encodeRecords(records, this.#place(), this.#crc32c), records.length);
  }

  end(): Uint8Array {
    const footer = new Writer(64);
    footer.int16(VERSION);
    footer.unsignedVarint(1);
    footer.unsignedVarint(TAG);
    footer.unsignedVarint(FOOTER_TAG_BYTES);
    footer.int64(this.#recordCount);
    footer.uint32(this.#crc);
    return encodeControl([[FOOTER_TYPE, footer.finish()]], this.#place(), this.#crc32c);
  }

  #place(): { baseOffset: number; term: number; timestamp: number } {
    return { baseOffset: this.#nextOffset, term: this.#id.term, timestamp: this.#timestamp };
  }

  #note(batch: Uint8Array, count: number): Uint8Array {
    this.#crc = this.#crc32c(batch, this.#crc);
    this.#nextOffset += count;
    return batch;
  }
}

/** Bytes that can be read at any place. */
export interface SnapshotBytes {
  readonly bytes: number;
  read(position: number, length: number): Promise<Uint8Array>;
}

export interface SnapshotReader {
  readonly id: SnapshotId;
  readonly crc32c: Crc32c;
  onRecord(record: MetadataRecord): void;
}

/**
 * Reads a snapshot from its first to its last byte and checks all of it. What `onRecord` was told is to
 * be thrown away where this throws a `MetadataCorrupt`.
 */
export async function decodeSnapshot(
  source: SnapshotBytes,
  reader: SnapshotReader,
): Promise<Configuration> {
  const decoder = new SnapshotDecoder(reader);
  let position = 0;
  while (position < source.bytes) {
    // deno-lint-ignore no-await-in-loop -- each read starts where the last whole batch ended
    position = await readBatches(source, position, decoder);
  }
  return decoder.finish();
}

/** The position behind the last whole batch. */
async function readBatches(
  source: SnapshotBytes,
  position: number,
  decoder: SnapshotDecoder,
): Promise<number> {
  const left = source.bytes - position;
  let bytes = await source.read(position, Math.min(READ_BYTES, left));
  const wanted = new BatchWalk(bytes).batch;
  const isLonger = bytes.length >= BATCH_HEADER_BYTES && wanted.sizeInBytes() > bytes.length;
  if (isLonger && wanted.sizeInBytes() <= left) {
    bytes = await source.read(position, wanted.sizeInBytes());
  }
  const walk = new BatchWalk(bytes);
  while (walk.next()) decoder.push(walk.batch);
  if (walk.wholeEnd() === 0) decoder.fail(`it is torn at byte ${position} of ${source.bytes}`);
  return position + walk.wholeEnd();
}

class SnapshotDecoder {
  readonly #reader: SnapshotReader;
  readonly #cursor = newCursor();
  #configuration: Configuration | undefined;
  #nextOffset = 0;
  #recordCount = 0;
  #crc = 0;
  #isEnded = false;

  constructor(reader: SnapshotReader) {
    this.#reader = reader;
  }

  fail(reason: string): never {
    throw new MetadataCorrupt(
      `Cannot use snapshot ${snapshotFileName(this.#reader.id)}: ${reason}`,
    );
  }

  push(batch: BatchView): void {
    const { id, crc32c } = this.#reader;
    if (this.#isEnded) this.fail("something follows its end");
    const isSound = batch.magic() === MAGIC && batch.crc() === batch.computedCrc(crc32c) &&
      batch.baseOffset() === this.#nextOffset && batch.partitionLeaderEpoch() === id.term &&
      batch.lastOffsetDelta() + 1 === batch.recordCount();
    if (!isSound) this.fail(`the batch at its offset ${this.#nextOffset} is damaged`);
    if (!batch.isControl()) this.#onRecords(batch);
    else if (this.#configuration === undefined) this.#onHeader(batch);
    else this.#onFooter(batch);
    const at = batch.position();
    this.#crc = crc32c(batch.bytes.subarray(at, at + batch.sizeInBytes()), this.#crc);
    this.#nextOffset = batch.nextOffset();
  }

  finish(): Configuration {
    if (this.#configuration === undefined || !this.#isEnded) this.fail("it has no end");
    return this.#configuration;
  }

  #onHeader(batch: BatchView): void {
    const { id } = this.#reader;
    const [header, voters] = controlsOf(batch, this.#cursor);
    if (header?.controlType !== HEADER_TYPE || voters?.controlType !== CONFIGURATION_TYPE) {
      this.fail("it does not begin as a snapshot does");
    }
    const reader = new Reader(header.value);
    const version = reader.int16();
    reader.int64();
    const tag = taggedField(reader);
    const offset = tag.int64();
    const term = tag.int64();
    const isSound = reader.failure === undefined && tag.failure === undefined &&
      version === VERSION;
    if (!isSound || offset !== id.offset || term !== id.term) {
      this.fail(`it says that it is the snapshot of offset ${offset} and term ${term}`);
    }
    this.#configuration = configurationIn(batch, voters.value);
  }

  #onRecords(batch: BatchView): void {
    if (this.#configuration === undefined) this.fail("it does not begin as a snapshot does");
    const cursor = this.#cursor;
    cursor.open(batch);
    while (cursor.next()) {
      const record = asMetadataRecord(decodeMessagePack(cursor.value() ?? NO_BYTES));
      if (typeof record === "string") this.fail(`record ${cursor.offset()}: ${record}`);
      this.#recordCount++;
      this.#reader.onRecord(record);
    }
    if (cursor.failure !== undefined) this.fail(cursor.failure);
  }

  #onFooter(batch: BatchView): void {
    const [footer] = controlsOf(batch, this.#cursor);
    if (footer?.controlType !== FOOTER_TYPE) this.fail("it does not end as a snapshot does");
    const reader = new Reader(footer.value);
    const version = reader.int16();
    const tag = taggedField(reader);
    const recordCount = tag.int64();
    const crc = tag.uint32();
    if (reader.failure !== undefined || tag.failure !== undefined || version !== VERSION) {
      this.fail("its end does not say what it holds");
    }
    if (recordCount !== this.#recordCount || crc !== this.#crc) {
      this.fail(`its content is not what its end says (CRC or ${recordCount} records)`);
    }
    this.#isEnded = true;
  }
}

/** The content of our tagged field; of none that is there, a reader that fails. */
function taggedField(reader: Reader): Reader {
  const count = reader.elements(reader.unsignedVarint(), 2);
  for (let index = 0; index < count; index++) {
    const tag = reader.unsignedVarint();
    const content = reader.take(reader.unsignedVarint());
    if (tag === TAG) return new Reader(content);
  }
  return new Reader(NO_BYTES);
}
