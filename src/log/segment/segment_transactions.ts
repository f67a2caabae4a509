/**
 * The aborted transactions of one segment in memory, and their file (transaction_index.ts).
 *
 * An entry goes to the file when it is added, behind those that are there. One that found no room
 * waits for the next write: a walk from the last producer snapshot finds it again if it is lost.
 */
import { type Disk, DiskFault, isPassing } from "../../env/disk.ts";
import { syncFile } from "../atomic_file.ts";
import { scanNow } from "../batch_scanner.ts";
import { LogFault } from "../log_fault.ts";
import type { Segment, SegmentContext } from "./segment.ts";
import {
  type AbortedTransaction,
  encodeAborted,
  TRANSACTION_ENTRY_BYTES,
  TransactionIndex,
} from "../index/transaction_index.ts";

/** Entries whose markers are looked at before a file is believed. */
const MARKERS_CHECKED = 32;

/** The entries of a segment's file, if it can be believed; found anew in the batches otherwise. */
export function openTransactions(context: SegmentContext, segment: Segment): SegmentTransactions {
  const { disk, trace } = context;
  const path = segment.path("txnindex");
  const index = new TransactionIndex(segment.baseOffset, disk.readWhole(path));
  const flaw = index.flaw() ?? flawOfMarkers(segment, index);
  if (flaw === undefined) return new SegmentTransactions(disk, path, { index, isAsFile: true });
  trace.event("warn", "transaction index rebuilt", { path, reason: flaw });
  const restored = context.restoreTransactions?.(segment);
  if (restored === undefined) throw new LogFault(path, `Cannot read ${path}: ${flaw}`);
  return replaceTransactions(context, segment, restored);
}

/** Gives the segment's file these entries. */
export function replaceTransactions(
  { disk }: SegmentContext,
  segment: Segment,
  index: TransactionIndex,
): SegmentTransactions {
  const path = segment.path("txnindex");
  const transactions = new SegmentTransactions(disk, path, { index, isAsFile: false });
  transactions.replaceFile();
  return transactions;
}

/** Whether the last entries point to markers of their producers. */
function flawOfMarkers(segment: Segment, index: TransactionIndex): string | undefined {
  for (const { lastOffset, producerId } of index.entries.slice(-MARKERS_CHECKED)) {
    const { position } = segment.indexesNow().offsets.lookup(lastOffset);
    let isMarker = false;
    scanNow(
      segment.shared().file,
      { position, end: segment.sizeInBytes, mode: "header" },
      (batch) => {
        if (batch.lastOffset() < lastOffset) return true;
        isMarker = batch.lastOffset() === lastOffset && batch.isControl() &&
          batch.producerId() === producerId;
        return false;
      },
    );
    if (!isMarker) return `there is no marker of producer ${producerId} at ${lastOffset}`;
  }
  return undefined;
}

export class SegmentTransactions {
  readonly index: TransactionIndex;
  readonly #disk: Disk;
  readonly #path: string;
  #writtenCount: number;
  #isSynced: boolean;

  /** `isAsFile`: the file holds these entries, durably. */
  constructor(disk: Disk, path: string, found: { index: TransactionIndex; isAsFile: boolean }) {
    this.#disk = disk;
    this.#path = path;
    this.index = found.index;
    this.#writtenCount = found.isAsFile ? found.index.entries.length : 0;
    this.#isSynced = found.isAsFile;
  }

  /** Whether the file holds all there is. */
  isWritten(): boolean {
    return this.#writtenCount === this.index.entries.length;
  }

  add(entry: AbortedTransaction): void {
    this.index.append(entry);
    try {
      this.write();
    } catch (fault) {
      if (!(fault instanceof DiskFault && isPassing(fault))) throw fault;
    }
  }

  /** Adds the entries to the file that it lacks. */
  write(): void {
    const { entries } = this.index;
    if (this.isWritten()) return;
    this.#isSynced = false;
    const file = this.#disk.open(this.#path, "write");
    try {
      const position = this.#writtenCount * TRANSACTION_ENTRY_BYTES;
      file.write(position, [encodeAborted(entries.slice(this.#writtenCount))]);
    } finally {
      file.close();
    }
    this.#writtenCount = entries.length;
  }

  /** Gives the file these entries and no byte more; one without entries is not there. */
  replaceFile(): void {
    this.#isSynced = false;
    this.#writtenCount = 0;
    const { entries } = this.index;
    if (entries.length === 0) {
      if (this.#disk.info(this.#path) !== undefined) this.#disk.remove(this.#path);
      return;
    }
    this.write();
    const file = this.#disk.open(this.#path, "write");
    try {
      file.truncate(entries.length * TRANSACTION_ENTRY_BYTES);
    } finally {
      file.close();
    }
  }

  /** Forgets those whose markers lie at or behind `offset`. */
  truncateTo(offset: number): void {
    if (this.index.truncateTo(offset)) this.replaceFile();
  }

  isSynced(): boolean {
    return this.#isSynced && this.isWritten();
  }

  async sync(): Promise<void> {
    this.write();
    if (this.#isSynced) return;
    this.#isSynced = true; // an entry that comes meanwhile sets it back
    try {
      if (this.index.entries.length > 0) await syncFile(this.#disk, this.#path);
    } catch (fault) {
      this.#isSynced = false;
      throw fault;
    }
  }
}
