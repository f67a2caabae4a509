/**
 * The log of one partition: append, read, make durable.
 *
 * Appends are synchronous and go to the page cache; `sync` makes them durable and is asked for by
 * whoever needs that (group commit). Everything else a log knows (indexes, leader epochs, producers)
 * follows from its batches, and after a crash is found anew in them.
 *
 *     logStartOffset      recoveryPoint        logEndOffset
 *          │ durable           │ in the page cache  │
 *          ▼                   ▼                    ▼
 *     ─────█████████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
 *
 * A `DiskFault` of any call is for the log directory, which owns the disk. After a failed sync the
 * log takes neither appends nor syncs: what the kernel dropped cannot be known (fsyncgate).
 * Not here: validation of batches, the high watermark, retention and compaction. Longer than most:
 * the public face of the folder, whose parts are elsewhere.
 */
import { type Disk, DiskFault, isPassing } from "../env/disk.ts";
import type { Random } from "../env/random.ts";
import type { Trace } from "../env/trace.ts";
import { assert } from "../ground/assert.ts";
import type { Crc32c } from "../ground/crc32c.ts";
import { type Ms, type Offset, toOffset } from "../ground/numbers.ts";
import { BatchView } from "../record/batch_view.ts";
import type { Decompress } from "../record/compression.ts";
import { syncFile, writeAtomically } from "./atomic_file.ts";
import { LEADER_EPOCH_FILE } from "./format.ts";
import type { LeaderEpochs } from "./leader_epochs.ts";
import { LogFault } from "./log_fault.ts";
import { type LoadedLog, loadLog } from "./log_loader.ts";
import { readFiles, type ReadLimits, readTail } from "./log_reader.ts";
import { EMPTY_SLICE, type LogSlice } from "./log_slice.ts";
import { cutLog } from "./log_truncation.ts";
import type { OpenSegments } from "./open_segments.ts";
import { recallProducers } from "./producer_recall.ts";
import type { ProducerStates } from "./producer_state.ts";
import { Segment, type SegmentContext } from "./segment.ts";
import { type LogSettings, rollReason, waitedMs } from "./segment_policy.ts";
import type { Segments } from "./segments.ts";
import { writeSnapshot } from "./snapshot_files.ts";
import type { Tail, TailCache } from "./tail_cache.ts";
import { findLatestTime, findTime, type TimedOffset } from "./time_search.ts";

export interface LogTools {
  readonly disk: Disk;
  readonly crc32c: Crc32c;
  readonly decompress: Decompress;
  readonly trace: Trace;
  readonly tail: TailCache;
  readonly openSegments: OpenSegments;
  /** For `segment.jitter.ms`. */
  readonly random: Random;
}

export interface LogOptions {
  readonly directory: string;
  readonly settings: LogSettings;
  readonly tools: LogTools;
  /** Whether the log directory was closed cleanly. */
  readonly isClean: boolean;
  /** As the checkpoint says; a hint. */
  readonly recoveryPoint: Offset;
  /** As the checkpoint says; a hint. */
  readonly logStartOffset?: Offset;
}

/** What the validation of a batch found. */
export interface AppendFacts {
  readonly lastOffset: Offset;
  readonly maxTimestamp: number;
  readonly leaderEpoch: number;
}

export class Log {
  readonly directory: string;
  readonly producers: ProducerStates;
  readonly epochs: LeaderEpochs;
  logStartOffset: Offset;
  logEndOffset: Offset;
  /** Everything below is durable. */
  recoveryPoint: Offset;
  readonly #tools: LogTools;
  readonly #context: SegmentContext;
  readonly #segments: Segments;
  readonly #tail: Tail;
  #settings: LogSettings;
  /** Entries of the directory that may not be durable: files made or removed. */
  #hasNewEntries: boolean;
  #hasNewDirectory: boolean;
  /** Paths of snapshots whose content may not be durable. */
  #newSnapshots: string[] = [];
  #syncing: Promise<Offset> | undefined;
  #nextSync: Promise<Offset> | undefined;
  #fault: unknown;
  #isClosed = false;
  /** Closed cleanly before, and nothing was written since. */
  #isUntouched: boolean;
  /** Whether the log's end is where its name says; a clean start does not look. */
  #isEndChecked: boolean;

  /** Opens a log, or makes it; recovers it where it was not closed cleanly. */
  static async open(options: LogOptions): Promise<Log> {
    const { directory, settings, tools } = options;
    const { disk, openSegments, trace } = tools;
    const isNew = disk.info(directory) === undefined;
    if (isNew) disk.makeDirectory(directory);
    const { indexIntervalBytes } = settings;
    const context = { directory, disk, openSegments, trace, indexIntervalBytes };
    const loaded = await loadLog(context, tools.crc32c, {
      isClean: options.isClean,
      recoveryPoint: options.recoveryPoint,
      logStartOffset: options.logStartOffset ?? toOffset(0),
    });
    return new Log(options, context, { ...loaded, isNew });
  }

  private constructor(
    options: LogOptions,
    context: SegmentContext,
    loaded: LoadedLog & { readonly isNew: boolean },
  ) {
    this.directory = options.directory;
    this.#settings = options.settings;
    this.#tools = options.tools;
    this.#context = context;
    this.#tail = options.tools.tail.open();
    this.#segments = loaded.segments;
    this.producers = loaded.producers;
    const { segments, snapshotOffset } = loaded;
    if (snapshotOffset !== undefined) {
      this.producers.onRefusal(() => recallProducers(segments, snapshotOffset));
    }
    this.epochs = loaded.epochs;
    this.logEndOffset = loaded.logEndOffset;
    this.recoveryPoint = loaded.recoveryPoint;
    this.#hasNewDirectory = loaded.isNew;
    this.#hasNewEntries = !options.isClean;
    this.#isUntouched = options.isClean && !loaded.isNew &&
      loaded.recoveryPoint === loaded.logEndOffset;
    this.#isEndChecked = loaded.isEndRead;
    const first = this.#segments.at(0).baseOffset;
    const start = Math.max(first, options.logStartOffset ?? 0);
    this.logStartOffset = toOffset(Math.min(start, loaded.logEndOffset));
  }

  configure(settings: LogSettings): void {
    this.#settings = settings;
    this.#context.indexIntervalBytes = settings.indexIntervalBytes;
  }

  sizeInBytes(): number {
    return this.#segments.all().reduce((sum, segment) => sum + segment.sizeInBytes, 0);
  }

  segmentCount(): number {
    return this.#segments.count;
  }

  /**
   * Appends one batch that was validated and has its base offset and leader epoch.
   *
   * Shape: `batch` stays the caller's: nothing of it is referred to when the call returns.
   * Keeps: a batch that could not be written whole is not there; the next one takes its place.
   */
  append(batch: Uint8Array, facts: AppendFacts, now: Ms): void {
    this.#assertUsable();
    this.#isUntouched = false;
    if (!this.#isEndChecked) this.#checkEnd();
    const view = new BatchView(batch);
    const baseOffset = view.baseOffset();
    const { lastOffset, maxTimestamp, leaderEpoch } = facts;
    assert(baseOffset >= this.logEndOffset, "a batch goes behind the log's end");
    assert(lastOffset >= baseOffset, "a batch holds at least one offset");
    const segment = this.#segmentFor(batch.length, facts, { baseOffset, now });
    if (segment.sizeInBytes === 0) this.#hasNewEntries = true;
    const position = segment.append(batch, lastOffset, maxTimestamp);
    this.logEndOffset = (lastOffset + 1) as Offset;
    this.epochs.assign(leaderEpoch, baseOffset);
    this.producers.update(view);
    this.#tail.add(baseOffset, lastOffset, position, batch);
  }

  /**
   * Whole batches from the one that holds `offset` on: at most `bytesMax`, but always the first one.
   * At once from memory; by a promise where the disk must be asked; undefined where `offset` is not
   * in [logStartOffset, logEndOffset]. The promise is refused with a `LogFault` where the file is not
   * what it was; CRCs are not checked on the way.
   */
  read(
    offset: Offset,
    wanted: Omit<ReadLimits, "logEndOffset">,
  ): LogSlice | Promise<LogSlice> | undefined {
    if (offset < this.logStartOffset || offset > this.logEndOffset) return undefined;
    if (offset >= wanted.upTo) return EMPTY_SLICE;
    const limits = { ...wanted, logEndOffset: this.logEndOffset };
    const tail = { tail: this.#tail, segments: this.#segments };
    return readTail(tail, offset, limits) ?? readFiles(this.#segments, offset, limits);
  }

  /** The first record at or behind `logStartOffset` and below `upTo` that is not earlier. */
  offsetForTimestamp(timestamp: number, upTo: Offset): Promise<TimedOffset | undefined> {
    const range = { from: this.logStartOffset, upTo };
    return findTime(this.#segments, this.#tools.decompress, { ...range, timestamp });
  }

  /** The first record with the latest time of all (ListOffsets -3). */
  maxTimestampOffset(upTo: Offset): Promise<TimedOffset | undefined> {
    const range = { from: this.logStartOffset, upTo };
    return findLatestTime(this.#segments, this.#tools.decompress, range);
  }

  /** Makes all that was appended before this call durable; returns the new recovery point. */
  sync(): Promise<Offset> {
    if (this.#syncing === undefined) return this.#startSync();
    // One in flight; all who come meanwhile share the next one.
    const next = (): Promise<Offset> => {
      this.#nextSync = undefined;
      return this.#startSync();
    };
    this.#nextSync ??= this.#syncing.then(next, next);
    return this.#nextSync;
  }

  /** Begins a new segment at the log's end, if the present one holds anything. */
  roll(): void {
    this.#assertUsable();
    this.#isUntouched = false;
    this.#roll(this.logEndOffset);
  }

  /** Drops all batches that hold `offset` or come behind it; the log ends there or before. */
  async truncateTo(offset: Offset): Promise<void> {
    this.#assertUsable();
    if (offset >= this.logEndOffset) return;
    this.#isUntouched = false;
    await this.#syncing?.catch(() => {}); // who asked for it hears of it
    this.#assertUsable();
    this.#tail.clear();
    const { crc32c } = this.#tools;
    const { segments, context } = { segments: this.#segments, context: this.#context };
    const end = await cutLog({ segments, context, crc32c, producers: this.producers }, offset);
    this.logEndOffset = end;
    this.logStartOffset = Math.min(this.logStartOffset, end) as Offset;
    this.recoveryPoint = Math.min(this.recoveryPoint, end) as Offset;
    this.epochs.truncateFromEnd(end);
    this.#hasNewEntries = true;
    this.#isEndChecked = true;
  }

  /**
   * Makes everything durable and leaves the files as a clean stop should. Throws the `DiskFault` of a
   * log whose disk has failed.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    if (this.#fault !== undefined) {
      this.closeNow();
      throw this.#fault; // nobody may take this log for one that was closed cleanly
    }
    if (this.#isUntouched) {
      this.closeNow(); // its files are as the last clean stop left them
      return;
    }
    this.#segments.active().seal();
    if (this.logEndOffset > 0) this.#writeSnapshot();
    this.#hasNewEntries ||= this.recoveryPoint < this.logEndOffset;
    await this.sync();
    await this.#segments.active().syncIndexes();
    this.closeNow();
  }

  /** Lets go of files and memory and writes nothing more: for a brutal stop, or after a fault. */
  closeNow(): void {
    this.#isClosed = true;
    this.#tail.clear();
    for (const segment of this.#segments.all()) segment.abandon();
  }

  /** The segment that the batch goes into: the present one, or a new one. */
  #segmentFor(
    batchBytes: number,
    facts: AppendFacts,
    at: { readonly baseOffset: number; readonly now: number },
  ): Segment {
    const active = this.#segments.active();
    active.createdMs ??= at.now;
    const { createdMs, sizeInBytes } = active;
    const firstTimestamp = active.firstTimestampNow();
    const { now } = at;
    const indexes = active.indexesNow();
    const reason = rollReason({
      sizeInBytes,
      batchBytes,
      waitedMs: waitedMs({ firstTimestamp, createdMs }, { now, maxTimestamp: facts.maxTimestamp }),
      offsetEntries: indexes.offsets.entries.count,
      timeEntries: indexes.times.entries.count,
      isInReach: active.fits(facts.lastOffset),
    }, this.#settings);
    if (reason === undefined) return active;
    this.#roll(at.baseOffset);
    this.#segments.active().createdMs = now;
    return this.#segments.active();
  }

  /** Before the first append behind an end that was taken on trust, at the cost of a few headers. */
  #checkEnd(): void {
    const active = this.#segments.active();
    const found = active.nextOffsetNow();
    if (found !== this.logEndOffset) {
      throw new LogFault(
        active.path("log"),
        `Cannot append to ${
          active.path("log")
        }: it ends at offset ${found}, expected ${this.logEndOffset}`,
      );
    }
    this.#isEndChecked = true;
  }

  #roll(baseOffset: number): void {
    const active = this.#segments.active();
    if (active.baseOffset === baseOffset) return;
    active.seal();
    if (active.sizeInBytes === 0) {
      active.remove(); // an offset far from its base asked for the roll
      this.#segments.takeFrom(this.#segments.count - 1);
    }
    this.logEndOffset = baseOffset as Offset;
    this.#writeSnapshot();
    const found = { baseOffset: toOffset(baseOffset), sizeInBytes: 0 };
    this.#segments.add(new Segment(this.#context, found));
    this.#hasNewEntries = true;
  }

  /** For the offset at the log's end. */
  #writeSnapshot(): void {
    const what = { offset: this.logEndOffset, producers: this.producers };
    this.#newSnapshots.push(writeSnapshot(this.#context, this.#tools.crc32c, what));
    this.#hasNewEntries = true;
  }

  #startSync(): Promise<Offset> {
    const syncing = this.#syncAll().finally(() => {
      this.#syncing = undefined;
    });
    this.#syncing = syncing;
    return syncing;
  }

  /** The order is the point: data first, and oldest first, then the names under which it is found. */
  async #syncAll(): Promise<Offset> {
    this.#assertUsable();
    const upTo = this.logEndOffset;
    try {
      // From the segment of the last durable offset on: it may have been sealed since.
      const from = this.#segments.floorIndex(this.recoveryPoint - 1);
      const segments = this.#segments.all().slice(from);
      for (const segment of segments) {
        await segment.sync();
        if (segment !== segments.at(-1)) await segment.syncIndexes();
      }
      for (const path of [...this.#newSnapshots]) {
        await syncFile(this.#tools.disk, path);
        this.#newSnapshots.shift();
      }
      await this.#syncNames();
    } catch (fault) {
      // What was not even begun may be tried again; a sync that failed may not (fsyncgate).
      if (!(fault instanceof DiskFault && isPassing(fault))) this.#fault = fault;
      throw fault;
    }
    this.recoveryPoint = Math.max(this.recoveryPoint, Math.min(upTo, this.logEndOffset)) as Offset;
    return this.recoveryPoint;
  }

  /** What is noted as done is noted when it is done: a call that failed is made again. */
  async #syncNames(): Promise<void> {
    const { disk } = this.#tools;
    if (this.epochs.isChanged) {
      this.epochs.isChanged = false; // a change that comes meanwhile sets it again
      try {
        const path = `${this.directory}/${LEADER_EPOCH_FILE}`;
        await writeAtomically(disk, path, this.epochs.encode());
      } catch (fault) {
        this.epochs.isChanged = true;
        throw fault;
      }
    }
    if (this.#hasNewEntries) {
      this.#hasNewEntries = false;
      await disk.syncDirectory(this.directory).catch((fault: unknown) => {
        this.#hasNewEntries = true;
        throw fault;
      });
    }
    if (!this.#hasNewDirectory) return;
    await disk.syncDirectory(this.directory.slice(0, this.directory.lastIndexOf("/")));
    this.#hasNewDirectory = false;
  }

  #assertUsable(): void {
    assert(!this.#isClosed, "a closed log is not used");
    if (this.#fault !== undefined) throw this.#fault;
  }
}
