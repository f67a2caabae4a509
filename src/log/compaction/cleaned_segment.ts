/**
 * The files of a segment being cleaned, beside the log: `<base>.{log,index,timeindex,txnindex}.cleaned`.
 *
 * The indexes get the entries that appending would have made. What is written is made durable piece by
 * piece on the way: a gigabyte left for one sync at the end would hold up every other sync of the disk.
 */
import type { Disk, DiskFile } from "../../env/disk.ts";
import type { Offset } from "../../ground/numbers.ts";
import { BatchView } from "../../record/batch_view.ts";
import { syncFile, writePlainly } from "../atomic_file.ts";
import type { SegmentFileKind } from "../format.ts";
import { LogFault } from "../log_fault.ts";
import { SegmentIndexes, segmentPath, writeEntries } from "../index/segment_indexes.ts";
import { type AbortedTransaction, TransactionIndex } from "../index/transaction_index.ts";
import { CleanedBytes } from "./cleaned_bytes.ts";
import type { CompactionWork } from "./compaction_work.ts";

/** Small pieces: while the system copies or syncs one, traffic waits behind it. */
const WRITE_BYTES = 64 * 1024;
const SYNC_BYTES = 1 << 20;
/** Positions in the index are int32. */
const SEGMENT_BYTES_MAX = 0x7fff_ffff;
const KINDS = ["log", "index", "timeindex", "txnindex"] as const;

export interface CleanedSegmentOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly baseOffset: Offset;
  readonly indexIntervalBytes: number;
  readonly work: CompactionWork;
}

export class CleanedSegment {
  /** Where the next batches are put; `onBatches` takes them over. */
  readonly out = new CleanedBytes();
  sizeInBytes = 0;
  /** Behind its last batch. */
  nextOffset: Offset;
  readonly baseOffset: Offset;
  readonly #options: CleanedSegmentOptions;
  readonly #indexes: SegmentIndexes;
  readonly #file: DiskFile;
  #writtenBytes = 0;
  #syncedBytes = 0;
  #isOpen = true;
  #isHandedOver = false;

  constructor(options: CleanedSegmentOptions) {
    this.#options = options;
    this.baseOffset = this.nextOffset = options.baseOffset;
    this.#indexes = new SegmentIndexes(options.baseOffset);
    for (const kind of KINDS) options.disk.remove(this.#path(kind)); // what a crash left
    this.#file = options.disk.open(this.#path("log"), "write");
  }

  /** Takes over what was put into `out` for one batch; a promise where it is time to wait. */
  onBatch(): Promise<void> | undefined {
    const start = this.sizeInBytes - this.#writtenBytes;
    if (this.out.length === start) return undefined; // it was dropped
    const batch = new BatchView(this.out.filled(), start);
    const sizeInBytes = batch.sizeInBytes();
    this.#indexes.onBatch({
      position: this.sizeInBytes,
      sizeInBytes,
      lastOffset: batch.lastOffset(),
      maxTimestamp: batch.maxTimestamp(),
    }, this.#options.indexIntervalBytes);
    this.sizeInBytes += sizeInBytes;
    this.nextOffset = batch.nextOffset() as Offset;
    if (this.sizeInBytes > SEGMENT_BYTES_MAX) {
      throw new LogFault(
        this.#file.path,
        `Cannot compact into ${this.#file.path}: it is too large`,
      );
    }
    return this.out.length >= WRITE_BYTES ? this.#write() : undefined;
  }

  /** Writes the rest and makes all of it durable. */
  async finish(aborted: readonly AbortedTransaction[]): Promise<void> {
    const { disk, baseOffset } = this.#options;
    await this.#write();
    await this.#file.sync();
    this.#close();
    this.#indexes.seal();
    writeEntries(disk, this.#path("index"), this.#indexes.offsets.entries, true);
    writeEntries(disk, this.#path("timeindex"), this.#indexes.times.entries, true);
    await syncFile(disk, this.#path("index"));
    await syncFile(disk, this.#path("timeindex"));
    if (aborted.length === 0) return;
    const transactions = new TransactionIndex(baseOffset);
    for (const entry of aborted) transactions.append(entry);
    writePlainly(disk, this.#path("txnindex"), transactions.bytes());
    await syncFile(disk, this.#path("txnindex"));
  }

  /** From here on the log sees to the files: half of them may have another name when it fails. */
  handOver(): void {
    this.#isHandedOver = true;
  }

  /** Removes what was written, unless it was handed over. */
  discard(): void {
    this.#close();
    if (this.#isHandedOver) return;
    for (const kind of KINDS) this.#options.disk.remove(this.#path(kind));
  }

  async #write(): Promise<void> {
    const { length } = this.out;
    if (length > 0) this.#file.write(this.#writtenBytes, [this.out.filled()]);
    this.#writtenBytes += length;
    this.out.clear();
    await this.#options.work.wrote(length);
    if (this.#writtenBytes - this.#syncedBytes < SYNC_BYTES) return;
    await this.#file.sync();
    this.#syncedBytes = this.#writtenBytes;
  }

  #close(): void {
    if (this.#isOpen) this.#file.close();
    this.#isOpen = false;
  }

  #path(kind: SegmentFileKind): string {
    const { directory, baseOffset } = this.#options;
    return `${segmentPath(directory, baseOffset, kind)}.cleaned`;
  }
}
