/**
 * A walk over a log file of which nothing is trusted: every batch is checked against its CRC, and
 * behind a damaged place the walk goes on with the next batch that is sound.
 *
 *     batch batch ######## batch batch ##      # = a damaged place: position, length, reason
 *
 * Where a damaged batch's length still fits (a sound batch, or the end, lies behind it), exactly that
 * batch is the damaged place. Otherwise every byte is tried, and what passes for a batch has a header
 * that can be and a CRC that fits: chance does that once in 2^32 tries. Bytes that a client stored as
 * a value could pass as well, but only inside a batch that is itself damaged in its length.
 * Memory is bounded: one chunk, or one sound batch where that is larger.
 * Not here: the order of offsets (`offset_judge.ts`), for the CRC does not cover a batch's offset.
 */
import type { DiskFile } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import { BatchView } from "../../record/batch_view.ts";
import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_MIN,
  LOG_OVERHEAD_BYTES,
  MAGIC,
  MAGIC_AT,
} from "../../record/format.ts";

export interface DamagedPlace {
  readonly position: number;
  readonly sizeInBytes: number;
  readonly reason: string;
  /** Too few bytes for what is there, and nothing sound behind: what a crash while writing leaves. */
  readonly isTorn: boolean;
  /** Offsets of the damaged batch where its header can still be believed; else undefined. */
  readonly claims?: { readonly baseOffset: number; readonly lastOffset: number };
}

export interface WalkVisitor {
  /** The view is of use during the call only; false ends the walk. */
  onBatch(batch: BatchView, position: number): boolean;
  onDamage(place: DamagedPlace): void;
  /** Between two reads: the place to wait for a reader of the output, and to tell progress. */
  onPause?(position: number): Promise<void> | void;
}

export interface WalkOptions {
  readonly crc32c: Crc32c;
  /** Where to begin: 0, or the start of a batch. */
  readonly position?: number;
  /** The file's size as it was found: a file may grow meanwhile. */
  readonly end: number;
  /** No batch behind a damaged place is believed whose offsets lie outside. */
  readonly offsetMin?: number;
  readonly offsetMax?: number;
  /** For tests: a small one puts every batch across its border. */
  readonly chunkBytes?: number;
}

const CHUNK_BYTES = 4 * 1024 * 1024;
/** Bits of the attributes that no version has given a meaning. */
const ATTRIBUTES_UNKNOWN = 0xff80;

/** Walks until the end, or until the visitor says so. Throws a `DiskFault`. */
export async function walkLog(
  file: DiskFile,
  options: WalkOptions,
  visitor: WalkVisitor,
): Promise<void> {
  await new LogWalk(file, options, visitor).run();
}

/** What lies at a place: a sound batch of this size, why it is none, or more bytes are needed. */
type Verdict = { readonly sizeInBytes: number } | Flaw | "more";

interface Flaw {
  readonly reason: string;
  readonly isShort: boolean;
}

class LogWalk {
  readonly #file: DiskFile;
  readonly #options: WalkOptions;
  readonly #visitor: WalkVisitor;
  readonly #chunkBytes: number;
  #position: number;

  constructor(file: DiskFile, options: WalkOptions, visitor: WalkVisitor) {
    this.#file = file;
    this.#options = options;
    this.#visitor = visitor;
    this.#chunkBytes = Math.max(options.chunkBytes ?? CHUNK_BYTES, BATCH_HEADER_BYTES);
    this.#position = options.position ?? 0;
  }

  async run(): Promise<void> {
    const { end } = this.#options;
    while (this.#position < end) {
      const start = this.#position;
      const wanted = Math.min(this.#chunkBytes, end - start);
      const bytes = await this.#file.read(start, wanted);
      if (bytes.length < wanted) return this.#tellShort(bytes.length); // cut while we read
      const flaw = this.#walkChunk(bytes);
      if (flaw === "stopped") return;
      if (flaw !== undefined) await this.#passDamage(flaw);
      else if (this.#position === start && !(await this.#passLarge())) return;
      await this.#visitor.onPause?.(this.#position);
    }
  }

  /** Visits the whole batches; the flaw that it came to, or undefined where more bytes are needed. */
  #walkChunk(bytes: Uint8Array): Flaw | "stopped" | undefined {
    const start = this.#position;
    const view = bytes.length < BATCH_HEADER_BYTES ? undefined : new BatchView(bytes);
    for (;;) {
      const at = this.#position - start;
      if (this.#position === this.#options.end) return undefined;
      const verdict = this.#judge(bytes, at, view);
      if (verdict === "more") return undefined;
      if ("reason" in verdict) return verdict;
      if (!this.#visitor.onBatch(view as BatchView, this.#position)) return "stopped";
      this.#position += verdict.sizeInBytes;
    }
  }

  #judge(bytes: Uint8Array, at: number, view: BatchView | undefined): Verdict {
    const left = this.#options.end - this.#position;
    if (left < BATCH_HEADER_BYTES) {
      return { reason: `${left} bytes are left, too few for a batch`, isShort: true };
    }
    if (view === undefined || at + BATCH_HEADER_BYTES > bytes.length) return "more";
    view.moveTo(at);
    const flaw = headerFlaw(view, left);
    if (flaw !== undefined) return flaw;
    const sizeInBytes = view.sizeInBytes();
    if (at + sizeInBytes > bytes.length) return "more";
    const computed = view.computedCrc(this.#options.crc32c);
    return computed === view.crc() ? { sizeInBytes } : crcFlaw(view.crc(), computed);
  }

  /** A batch that is larger than a chunk: its CRC first, in pieces, so that a lie costs no memory. */
  async #passLarge(): Promise<boolean> {
    const header = new BatchView(await this.#file.read(this.#position, BATCH_HEADER_BYTES));
    const sizeInBytes = header.sizeInBytes();
    const computed = await this.#crcInPieces(this.#position, sizeInBytes);
    if (computed !== header.crc()) {
      await this.#passDamage(crcFlaw(header.crc(), computed));
      return true;
    }
    const whole = new BatchView(await this.#file.read(this.#position, sizeInBytes));
    if (!this.#visitor.onBatch(whole, this.#position)) return false;
    this.#position += sizeInBytes;
    return true;
  }

  async #crcInPieces(position: number, sizeInBytes: number): Promise<number> {
    let crc = 0;
    const end = position + sizeInBytes;
    for (let at = position + ATTRIBUTES_AT; at < end; at += this.#chunkBytes) {
      // deno-lint-ignore no-await-in-loop -- each piece goes on from the one before
      const piece = await this.#file.read(at, Math.min(this.#chunkBytes, end - at));
      crc = this.#options.crc32c(piece, crc);
    }
    return crc;
  }

  #tellShort(bytes: number): void {
    this.#visitor.onDamage({
      position: this.#position,
      sizeInBytes: bytes,
      reason: "the file became shorter while it was read",
      isTorn: true,
    });
    this.#position = this.#options.end;
  }

  async #passDamage({ reason, isShort }: Flaw): Promise<void> {
    const { end } = this.#options;
    const position = this.#position;
    const behind = await this.#behindDamaged(position);
    const next = behind ?? await this.#findBatch(position + 1);
    const place = { position, sizeInBytes: (next ?? end) - position, reason };
    const claims = behind === undefined ? undefined : await this.#claimsAt(position);
    this.#visitor.onDamage({
      ...place,
      isTorn: isShort && next === undefined,
      ...(claims === undefined ? {} : { claims }),
    });
    this.#position = next ?? end;
  }

  /** The end of a damaged batch whose length still leads to a sound batch, or to the end of the file. */
  async #behindDamaged(position: number): Promise<number | undefined> {
    const { end } = this.#options;
    if (end - position < BATCH_HEADER_BYTES) return undefined;
    const header = new BatchView(await this.#file.read(position, BATCH_HEADER_BYTES));
    const behind = position + header.sizeInBytes();
    if (header.batchLength() < BATCH_LENGTH_MIN || behind > end) return undefined;
    return behind === end || await this.#isSoundAt(behind) ? behind : undefined;
  }

  async #claimsAt(position: number): Promise<DamagedPlace["claims"]> {
    const header = new BatchView(await this.#file.read(position, BATCH_HEADER_BYTES));
    const [baseOffset, lastOffset] = [header.baseOffset(), header.lastOffset()];
    const { offsetMin = 0, offsetMax = Infinity } = this.#options;
    const isPlausible = baseOffset >= offsetMin && lastOffset <= offsetMax &&
      header.lastOffsetDelta() >= 0 && header.lastOffsetDelta() <= header.sizeInBytes();
    return isPlausible ? { baseOffset, lastOffset } : undefined;
  }

  /** The first place from `from` on where a sound batch lies. */
  async #findBatch(from: number): Promise<number | undefined> {
    const { end } = this.#options;
    for (let start = from; start + BATCH_HEADER_BYTES <= end;) {
      // deno-lint-ignore no-await-in-loop -- each chunk follows the one before
      const bytes = await this.#file.read(start, Math.min(this.#chunkBytes, end - start));
      if (bytes.length < BATCH_HEADER_BYTES) return undefined;
      // deno-lint-ignore no-await-in-loop -- as above
      const found = await this.#findInChunk(bytes, start);
      if (found !== undefined) return found;
      // deno-lint-ignore no-await-in-loop -- as above
      await this.#visitor.onPause?.(start);
      start += bytes.length - BATCH_HEADER_BYTES + 1;
    }
    return undefined;
  }

  async #findInChunk(bytes: Uint8Array, start: number): Promise<number | undefined> {
    const view = new BatchView(bytes);
    const last = bytes.length - BATCH_HEADER_BYTES + MAGIC_AT;
    for (let at = bytes.indexOf(MAGIC, MAGIC_AT); at >= 0 && at <= last;) {
      view.moveTo(at - MAGIC_AT);
      const position = start + at - MAGIC_AT;
      // deno-lint-ignore no-await-in-loop -- rare: only where a header can be one
      if (this.#mayBeHeader(view, position) && await this.#isSoundAt(position)) return position;
      at = bytes.indexOf(MAGIC, at + 1);
    }
    return undefined;
  }

  #mayBeHeader(view: BatchView, position: number): boolean {
    const { end, offsetMin = 0, offsetMax = Infinity } = this.#options;
    return headerFlaw(view, end - position) === undefined &&
      (view.attributes() & ATTRIBUTES_UNKNOWN) === 0 &&
      view.baseOffset() >= offsetMin && view.lastOffset() <= offsetMax;
  }

  async #isSoundAt(position: number): Promise<boolean> {
    const left = this.#options.end - position;
    if (left < BATCH_HEADER_BYTES) return false;
    const header = new BatchView(await this.#file.read(position, BATCH_HEADER_BYTES));
    if (!this.#mayBeHeader(header, position)) return false;
    return await this.#crcInPieces(position, header.sizeInBytes()) === header.crc();
  }
}

/** What makes a header none of a batch that could be here. */
function headerFlaw(view: BatchView, left: number): Flaw | undefined {
  const length = view.batchLength();
  const magic = view.magic();
  if (magic !== MAGIC) return { reason: magicReason(view, magic), isShort: false };
  if (length < BATCH_LENGTH_MIN) {
    return { reason: `a batch of length ${length} cannot be`, isShort: false };
  }
  if (view.sizeInBytes() > left) {
    const size = length + LOG_OVERHEAD_BYTES;
    return { reason: `a batch of ${size} bytes, and ${left} bytes are left`, isShort: true };
  }
  const [delta, count] = [view.lastOffsetDelta(), view.recordCount()];
  if (delta < 0 || count < 0 || count > delta + 1) {
    return { reason: `a batch with ${count} records and offset delta ${delta}`, isShort: false };
  }
  return undefined;
}

function magicReason(view: BatchView, magic: number): string {
  const isZero = magic === 0 && view.batchLength() === 0 && view.crc() === 0;
  if (isZero) return "zeros, and no batch";
  const isOld = magic === 0 || magic === 1;
  return isOld
    ? `magic ${magic}: no batch, or one of a Kafka before 0.11, which is not read`
    : `magic ${magic}, so this is no batch`;
}

function crcFlaw(stored: number, computed: number): Flaw {
  return { reason: `CRC is ${hex(stored)} and its bytes give ${hex(computed)}`, isShort: false };
}

function hex(crc: number): string {
  return `0x${crc.toString(16).padStart(8, "0")}`;
}
