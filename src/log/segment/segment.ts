/**
 * One segment of a log: its file and its indexes.
 *
 * Files are opened and indexes loaded when they are used, and given up again when others need the
 * room (`OpenSegments`); only sizes stay. Not here: when to roll (`segment_policy.ts`), what to trust
 * after a crash (`recovery.ts`), and reading by offset (`log_reader.ts`). Longer than most, because
 * everything here shares the one handle and the one pair of indexes.
 */
import { type Disk, DiskFault, type DiskFile } from "../../env/disk.ts";
import type { Trace } from "../../env/trace.ts";
import { assert } from "../../ground/assert.ts";
import type { Offset } from "../../ground/numbers.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { syncFile } from "../atomic_file.ts";
import { type BatchVisitor, scan, scanNow, type ScanResult } from "../batch_scanner.ts";
import {
  RELATIVE_OFFSET_MAX,
  SEGMENT_FILE_KINDS,
  type SegmentFileKind,
  TIME_ENTRY_BYTES,
} from "../format.ts";
import { LogFault } from "../log_fault.ts";
import type { OpenSegments } from "./open_segments.ts";
import { damageFault } from "../loading/damage_fault.ts";
import { TailCheck } from "../index/index_check.ts";
import {
  lastNamedOffset,
  parseIndexes,
  SegmentIndexes,
  segmentPath,
  writeEntries,
} from "../index/segment_indexes.ts";
import {
  openTransactions,
  replaceTransactions,
  type SegmentTransactions,
} from "./segment_transactions.ts";
import { SharedFile } from "./shared_file.ts";
import { TimeIndex } from "../index/time_index.ts";
import { type AbortedTransaction, TransactionIndex } from "../index/transaction_index.ts";
import { VerifiedRanges } from "../reading/verified_ranges.ts";

/** Index entries that may wait in memory before they are written. */
const UNWRITTEN_ENTRIES_MAX = 256;

/** What all segments of a log have in common. */
export interface SegmentContext {
  readonly directory: string;
  readonly disk: Disk;
  readonly openSegments: OpenSegments;
  readonly trace: Trace;
  indexIntervalBytes: number;
  /** There while the log's folder is not: makes it. */
  makeFolder?: (() => void) | undefined;
  /** Finds the aborted transactions of a segment anew in its batches; the loader sets it. */
  restoreTransactions?: (segment: Segment) => TransactionIndex;
  /** The base offset of the segment behind; the loader sets it. */
  nextBaseOffset?: (segment: Segment) => Offset | undefined;
}

/** A batch in its segment. */
export interface FoundBatch {
  readonly position: number;
  readonly sizeInBytes: number;
  readonly baseOffset: number;
  readonly nextOffset: number;
}

/** Where a batch begins; where it ends too, if that was read from a batch known to be sound. */
export interface NextRead {
  readonly position: number;
  readonly baseOffset: number;
  readonly sound: FoundBatch | undefined;
}

/** Indexes that a walk from the base is making anew. */
interface Rebuilding {
  readonly indexes: SegmentIndexes;
  readonly visit: BatchVisitor;
  /** Behind the last batch that was visited. */
  readonly nextOffset: () => number;
}

export class Segment {
  readonly baseOffset: Offset;
  sizeInBytes: number;
  /** When this process first wrote to it, for segments whose batches have no time. */
  createdMs: number | undefined;
  /** Bytes known to be durable. */
  syncedBytes = 0;
  readonly #context: SegmentContext;
  #shared: SharedFile | undefined;
  #indexes: SegmentIndexes | undefined;
  #firstTimestamp: number | undefined;
  #areIndexesSynced = false;
  /** Undefined until somebody asks: most segments have none. */
  #transactions: SegmentTransactions | undefined;
  #nextReads: NextRead[] | undefined;
  #verified: VerifiedRanges | undefined;
  /** Of a segment whose indexes are not in memory, once it was asked for. */
  #maxTimestamp: number | undefined;
  /** Its last batches are lost: a reader must not go on behind them as if there were none. */
  #shortness: LogFault | undefined;
  /** Removed or abandoned: the file is not opened again. */
  #isGone = false;
  /** Grows whenever the index files are written: what was read before is not what they hold. */
  #indexGeneration = 0;
  /** For `file.write`, made once. */
  #parts: Uint8Array[] | undefined;

  constructor(
    context: SegmentContext,
    found: { readonly baseOffset: Offset; readonly sizeInBytes: number },
  ) {
    this.#context = context;
    this.baseOffset = found.baseOffset;
    this.sizeInBytes = found.sizeInBytes;
  }

  /** What its files' names end in while it takes the place of others (`segment_swap.ts`). */
  suffix = "";

  /** What this process has checked of it; nothing for segments that nobody reads. */
  get verified(): VerifiedRanges {
    return this.#verified ??= new VerifiedRanges();
  }

  /** Where readers are likely to go on: batches that reads ended before, the newest last. */
  get nextReads(): NextRead[] {
    return this.#nextReads ??= [];
  }

  path(kind: SegmentFileKind): string {
    return segmentPath(this.#context.directory, this.baseOffset, kind) + this.suffix;
  }

  /** The file, opened where it was not; who keeps it over an await holds it. */
  shared(): SharedFile {
    if (this.#shortness !== undefined) throw this.#shortness;
    if (this.#shared === undefined) {
      const path = this.path("log");
      if (this.#isGone) throw new DiskFault("not-found", path, `Cannot open ${path}: it is gone`);
      this.#context.makeFolder?.();
      this.#shared = new SharedFile(this.#context.disk.open(path, "write"));
    }
    this.#context.openSegments.touch(this);
    return this.#shared;
  }

  /** Runs `action` with the file held open. */
  async withFile<Result>(action: (file: DiskFile) => Promise<Result>): Promise<Result> {
    const shared = this.shared();
    shared.hold();
    try {
      return await action(shared.file);
    } finally {
      shared.release();
    }
  }

  /** Writes a batch at the end and notes it; returns where it lies. */
  append(bytes: Uint8Array, lastOffset: number, maxTimestamp: number): number {
    const indexes = this.indexesNow();
    // First what may fail and is no batch: what fails behind a written batch would leave one that
    // nobody counts, and the next batch would stand behind it with the same offset.
    if (indexes.unwrittenCount() > UNWRITTEN_ENTRIES_MAX) this.writeIndexes();
    const position = this.sizeInBytes;
    this.#write(position, bytes);
    const sizeInBytes = bytes.length;
    this.sizeInBytes = position + sizeInBytes;
    this.#maxTimestamp = undefined;
    if (position === 0) this.#firstTimestamp = maxTimestamp;
    const batch = { position, sizeInBytes, lastOffset, maxTimestamp };
    indexes.onBatch(batch, this.#context.indexIntervalBytes);
    return position;
  }

  /** Whether an offset fits into the indexes of this segment. */
  fits(lastOffset: number): boolean {
    return lastOffset - this.baseOffset <= RELATIVE_OFFSET_MAX;
  }

  /** The time of the first batch, from which `segment.ms` counts; undefined where it has none. */
  firstTimestampNow(): number | undefined {
    if (this.#firstTimestamp === undefined && this.sizeInBytes > 0) {
      const visit = (batch: BatchView): boolean => {
        this.#firstTimestamp = batch.maxTimestamp();
        return false;
      };
      this.#scanNow(visit, { position: 0, firstBytes: 64 });
    }
    const timestamp = this.#firstTimestamp;
    return timestamp === undefined || timestamp < 0 ? undefined : timestamp;
  }

  /** The offset behind the last batch; looks at the last index entry, and makes the index anew if it lies. */
  nextOffsetNow(): number {
    const entry = this.indexesNow().offsets.lookup(Infinity);
    let isLie = false;
    let nextOffset: number = this.baseOffset;
    const { ending } = this.#scanNow((batch, position) => {
      const isEntry = position === entry.position && entry.lastOffset !== undefined;
      isLie ||= isEntry && batch.lastOffset() !== entry.lastOffset;
      nextOffset = batch.nextOffset();
      return true;
    }, { position: entry.position });
    if (ending === "clean" && !isLie) return nextOffset;
    this.#rebuildNow("its last entry does not point to its batch");
    return this.#scanNow((batch) => {
        nextOffset = batch.nextOffset();
        return true;
      }, { position: 0 }).ending === "clean"
      ? nextOffset
      : -1;
  }

  /** The indexes, read at once where they are not in memory. */
  indexesNow(): SegmentIndexes {
    if (this.#indexes !== undefined) return this.#indexes;
    if (this.sizeInBytes === 0) return this.startIndexes();
    const { disk } = this.#context;
    const offsets = disk.readWhole(this.path("index"));
    const times = disk.readWhole(this.path("timeindex"));
    const named = lastNamedOffset(this.baseOffset, offsets, times);
    const parsed = parseIndexes(this, offsets, times);
    if (typeof parsed === "string") return this.#rebuildNow(parsed, named);
    const check = new TailCheck(parsed, this.#context.indexIntervalBytes);
    const flaw = check.flaw(this.#scanNow(check.visit, { position: check.position }));
    if (flaw === undefined) return this.#indexes = parsed;
    try {
      return this.#rebuildNow(flaw, named);
    } catch (fault) {
      if (!(fault instanceof LogFault) || this.#shortness !== undefined) throw fault;
      return this.#indexes = parsed; // the log is what is damaged: reads will come to it
    }
  }

  /** The indexes, read off the event loop where they are not in memory. */
  async indexes(): Promise<SegmentIndexes> {
    if (this.#indexes !== undefined) return this.#indexes;
    if (this.sizeInBytes === 0) return this.startIndexes();
    const generation = this.#indexGeneration;
    const offsets = await this.#readWhole("index");
    const times = await this.#readWhole("timeindex");
    const parsed = parseIndexes(this, offsets, times);
    const named = lastNamedOffset(this.baseOffset, offsets, times);
    const flaw = typeof parsed === "string" ? parsed : await this.#flawAtEnd(parsed);
    if (this.#indexes !== undefined) return this.#indexes; // an append was faster
    if (this.#indexGeneration !== generation) return await this.indexes(); // and put away again
    if (typeof parsed === "string") return await this.rebuildIndexes(parsed, named);
    if (flaw === undefined) return this.#indexes = parsed;
    try {
      return await this.rebuildIndexes(flaw, named);
    } catch (fault) {
      if (!(fault instanceof LogFault) || this.#shortness !== undefined) throw fault;
      return this.#indexes ??= parsed; // the log is what is damaged: reads will come to it
    }
  }

  async #flawAtEnd(indexes: SegmentIndexes): Promise<string | undefined> {
    const check = new TailCheck(indexes, this.#context.indexIntervalBytes);
    const { position } = check;
    const range = { position, end: this.sizeInBytes, firstBytes: 4096, mode: "header" as const };
    return check.flaw(await this.withFile((file) => scan(file, range, check.visit)));
  }

  /** Makes the indexes anew from the log. `named`: the greatest offset that the old ones knew. */
  async rebuildIndexes(reason: string, named = -1): Promise<SegmentIndexes> {
    this.#traceRebuild(reason);
    const rebuilding = this.#rebuilding();
    const { visit } = rebuilding;
    const end = this.sizeInBytes;
    let result = await this.withFile((file) =>
      scan(file, { position: 0, end, mode: "header" }, visit)
    );
    // What was appended while the scan ran is in the page cache.
    if (result.ending === "clean") result = this.#scanNow(visit, { position: end });
    return this.#adopt(rebuilding, result, named);
  }

  /** Takes over indexes that are to be extended by a walk. */
  resumeIndexes(indexes: SegmentIndexes): void {
    this.#indexes = indexes;
    this.#firstTimestamp = undefined;
    this.#areIndexesSynced = false;
  }

  /** Empty indexes, for a segment whose batches are all going to be noted. */
  startIndexes(): SegmentIndexes {
    const indexes = new SegmentIndexes(this.baseOffset);
    this.resumeIndexes(indexes);
    return indexes;
  }

  /** Notes a transaction that a marker in this segment aborts, in memory and in its file. */
  addAborted(entry: AbortedTransaction): void {
    this.#areIndexesSynced = false;
    this.#ownTransactions().add(entry);
  }

  /** The transactions that markers in this segment aborted. */
  transactions(): Promise<TransactionIndex> {
    return Promise.resolve(this.transactionsNow());
  }

  /** The file is small, and most segments have none. */
  transactionsNow(): TransactionIndex {
    return this.#ownTransactions().index;
  }

  /** Why the file of aborted transactions cannot be one; undefined where it can, or is not there. */
  transactionsFlaw(): string | undefined {
    if (this.#transactions !== undefined) return undefined;
    const bytes = this.#context.disk.readWhole(this.path("txnindex"));
    return bytes === undefined ? undefined : new TransactionIndex(this.baseOffset, bytes).flaw();
  }

  /** Forgets the transactions whose markers lie at or behind `offset`. */
  truncateTransactions(offset: number): void {
    if (this.#transactions !== undefined) {
      this.#transactions.truncateTo(offset);
      return;
    }
    const { disk } = this.#context;
    const bytes = disk.readWhole(this.path("txnindex"));
    if (bytes === undefined) return;
    const index = new TransactionIndex(this.baseOffset, bytes);
    if (offset <= this.baseOffset) this.#replaceTransactions(new TransactionIndex(this.baseOffset));
    else if (index.flaw() === undefined && index.truncateTo(offset)) {
      this.#replaceTransactions(index);
    }
  }

  /** Writes index entries that wait in memory. */
  writeIndexes(): void {
    this.#writeIndexes(false);
  }

  /**
   * Writes the entries that wait and one for the latest time, so that the files say all there is to
   * know: at a roll, at a close, and when all batches were noted anew (kafka: LogSegment.recover).
   */
  seal(): void {
    this.#indexes?.seal();
    this.#writeIndexes(true);
  }

  /** Makes what was appended so far durable, its indexes left out. */
  async sync(): Promise<void> {
    const bytes = this.sizeInBytes;
    if (bytes === this.syncedBytes) return;
    await this.withFile((file) => file.sync());
    this.syncedBytes = bytes;
  }

  /** Makes the indexes of a sealed segment durable. */
  async syncIndexes(): Promise<void> {
    if (this.#areIndexesSynced) return;
    await syncFile(this.#context.disk, this.path("index"));
    await syncFile(this.#context.disk, this.path("timeindex"));
    await this.syncTransactions();
    this.#areIndexesSynced = true;
  }

  /** Whether the entries of aborted transactions are durable. */
  areTransactionsSynced(): boolean {
    return this.#transactions?.isSynced() ?? true;
  }

  /** Makes the entries of aborted transactions durable. */
  async syncTransactions(): Promise<void> {
    await this.#transactions?.sync();
  }

  /** Cuts the file only: the caller sees to it that the indexes hold what is left. */
  cut(bytes: number): void {
    assert(bytes <= this.sizeInBytes, "a segment is cut, not grown");
    if (bytes === 0) this.#removeIndexes(); // entries without a log would say that it is lost
    this.shared().file.truncate(bytes);
    this.sizeInBytes = bytes;
    this.#nextReads = undefined;
    this.syncedBytes = -1; // the cut itself is to be made durable
    this.#maxTimestamp = undefined;
    this.#firstTimestamp = undefined;
  }

  /** All of it is known to be durable: it was before a clean stop, or below the recovery point. */
  markDurable(): void {
    this.syncedBytes = this.sizeInBytes;
    this.#areIndexesSynced = true;
  }

  /** The latest time of the segment; -1 where no batch has one. */
  async maxTimestamp(): Promise<number> {
    if (this.#indexes !== undefined) return this.#indexes.maxTimestamp;
    if (this.#maxTimestamp !== undefined) return this.#maxTimestamp;
    const generation = this.#indexGeneration;
    const read = await this.#readMaxTimestamp();
    if (this.#indexGeneration !== generation) return await this.maxTimestamp();
    this.#maxTimestamp = read;
    return read;
  }

  closeFiles(): void {
    this.#verified?.clear();
    // The latest time may stand in memory only: an entry for it keeps it.
    this.#indexes?.seal();
    try {
      // Both files, also where one has no entries yet: one that is missing would be made anew.
      this.#writeIndexes((this.#indexes?.unwrittenCount() ?? 0) > 0);
      if (this.sizeInBytes > 0) this.#indexes = undefined;
      const transactions = this.#transactions;
      // One without entries stays: it saves asking the disk for a file that is not there. One that is
      // not synced stays, too: its file alone would not tell that.
      if (transactions?.isSynced() && transactions.index.entries.length > 0) {
        this.#transactions = undefined;
      }
    } catch (fault) {
      // Somebody else's call closes this file; entries that cannot be written now stay in memory.
      if (!(fault instanceof DiskFault)) throw fault;
    } finally {
      this.#forgetFile();
    }
  }

  /** Lets go of files and memory without writing anything more. */
  abandon(): void {
    this.#isGone = true;
    this.#indexes = undefined;
    this.#transactions = undefined;
    this.#forgetFile();
  }

  /**
   * Removes the files; who holds the log's handle may go on reading. The log goes last: an index
   * without its log is then a sign that a log was lost (recovery.ts).
   */
  remove(): void {
    this.abandon();
    for (const kind of SEGMENT_FILE_KINDS) this.#context.disk.remove(this.path(kind));
  }

  #ownTransactions(): SegmentTransactions {
    return this.#transactions ??= openTransactions(this.#context, this);
  }

  #replaceTransactions(index: TransactionIndex): void {
    this.#transactions = replaceTransactions(this.#context, this, index);
    this.#areIndexesSynced = false;
  }

  #removeIndexes(): void {
    for (const kind of SEGMENT_FILE_KINDS) {
      if (kind !== "log") this.#context.disk.remove(this.path(kind));
    }
  }

  #forgetFile(): void {
    this.#context.openSegments.forget(this);
    this.#shared?.release();
    this.#shared = undefined;
  }

  #write(position: number, bytes: Uint8Array): void {
    const { file } = this.shared();
    const parts = this.#parts ??= [];
    parts[0] = bytes;
    try {
      file.write(position, parts);
    } catch (fault) {
      // Half a batch may lie there now. The next append writes over it and recovery cuts it off;
      // cutting it here is only tidy, and may fail for the same reason as the write.
      try {
        file.truncate(position);
      } catch { /* the first fault is the one to tell */ }
      throw fault;
    }
    parts.length = 0;
  }

  #writeIndexes(isFinal: boolean): void {
    const indexes = this.#indexes;
    if (indexes === undefined) return; // they are as their files
    if (indexes.unwrittenCount() > 0) this.#areIndexesSynced = false;
    this.#indexGeneration++;
    const { disk } = this.#context;
    writeEntries(disk, this.path("index"), indexes.offsets.entries, isFinal);
    writeEntries(disk, this.path("timeindex"), indexes.times.entries, isFinal);
    this.#transactions?.write();
  }

  async #readWhole(kind: SegmentFileKind): Promise<Uint8Array | undefined> {
    const { disk } = this.#context;
    const info = disk.info(this.path(kind));
    if (info === undefined) return undefined;
    const file = disk.open(this.path(kind), "read");
    try {
      return await file.read(0, info.bytes);
    } finally {
      file.close();
    }
  }

  /** The last entry of the time index is enough, and saves reading the rest of thousands of segments. */
  async #readMaxTimestamp(): Promise<number> {
    const bytes = this.#context.disk.info(this.path("timeindex"))?.bytes;
    if (bytes === undefined || bytes === 0 || bytes % TIME_ENTRY_BYTES !== 0) {
      return (await this.indexes()).maxTimestamp;
    }
    const file = this.#context.disk.open(this.path("timeindex"), "read");
    try {
      const last = await file.read(bytes - TIME_ENTRY_BYTES, TIME_ENTRY_BYTES);
      return new TimeIndex(this.baseOffset, last).last()?.timestamp ?? -1;
    } finally {
      file.close();
    }
  }

  #rebuildNow(reason: string, named = -1): SegmentIndexes {
    this.#traceRebuild(reason);
    const rebuilding = this.#rebuilding();
    return this.#adopt(rebuilding, this.#scanNow(rebuilding.visit, { position: 0 }), named);
  }

  /**
   * A closed segment that ends before the next one begins, and whose indexes knew of more: its end is
   * lost. Either alone is none: cleaning leaves gaps, and an index may lie.
   */
  #refuseShort(nextOffset: number, named: number): void {
    const nextBase = this.#context.nextBaseOffset?.(this) ?? nextOffset;
    if (named < nextOffset || nextBase <= nextOffset) return;
    const what = `it ends at offset ${nextOffset}, and its indexes know of ${named}`;
    this.#shortness = damageFault(this.path("log"), what);
    throw this.#shortness;
  }

  #rebuilding(): Rebuilding {
    const indexes = new SegmentIndexes(this.baseOffset);
    let nextOffset: number = this.baseOffset;
    const visit = (batch: BatchView, position: number): boolean => {
      const isInOrder = batch.baseOffset() >= nextOffset && batch.lastOffsetDelta() >= 0;
      if (!isInOrder || !this.fits(batch.lastOffset())) return false; // damage
      nextOffset = batch.nextOffset();
      indexes.note(batch, position, this.#context.indexIntervalBytes);
      return true;
    };
    return { indexes, visit, nextOffset: () => nextOffset };
  }

  #adopt(
    { indexes, nextOffset }: Rebuilding,
    result: ScanResult,
    named: number,
  ): SegmentIndexes {
    if (result.ending !== "clean") {
      const [at, size] = [result.position, this.sizeInBytes];
      throw new LogFault(
        this.path("log"),
        `Cannot read ${this.path("log")}: no whole batch at byte ${at} of ${size}`,
      );
    }
    this.#refuseShort(nextOffset(), named);
    this.#indexes = indexes;
    this.truncateTransactions(nextOffset());
    this.seal();
    return indexes;
  }

  #scanNow(
    visit: (batch: BatchView, position: number) => boolean,
    from: { readonly position: number; readonly firstBytes?: number },
  ): ScanResult {
    return scanNow(this.shared().file, { ...from, end: this.sizeInBytes, mode: "header" }, visit);
  }

  #traceRebuild(reason: string): void {
    this.#context.trace.event("warn", "index rebuilt", { segment: this.path("log"), reason });
  }
}
