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
import type { DiskFile } from "../env/disk.ts";
import { assert } from "../ground/assert.ts";
import { type Ms, type Offset, toOffset } from "../ground/numbers.ts";
import { BatchView } from "../record/batch_view.ts";
import type { LeaderEpochs } from "./leader_epochs.ts";
import { type LoadedLog, loadLog } from "./loading/log_loader.ts";
import { SharedSyncs } from "./directory/shared_syncs.ts";
import { LogChanges } from "./log_changes.ts";
import { LogHealth } from "./log_health.ts";
import type { AppendFacts, LogOptions, LogTools } from "./log_options.ts";
import type { ReadLimits } from "./reading/log_reader.ts";
import { LogReads } from "./reading/log_reads.ts";
import { LogRoller } from "./log_roller.ts";
import type { LogSlice } from "./reading/log_slice.ts";
import { LogSync } from "./log_sync.ts";
import { newLog } from "./loading/new_log.ts";
import { recallProducers } from "./loading/producer_recall.ts";
import type { ProducerStates } from "./producers/producer_state.ts";
import type { SegmentContext } from "./segment/segment.ts";
import type { LogSettings } from "./segment/segment_policy.ts";
import type { CleanedSegment } from "./segment/segment_swap.ts";
import { type SegmentFacts, segmentFacts, type Segments } from "./segment/segments.ts";
import type { Tail } from "./reading/tail_cache.ts";
import type { TimedOffset } from "./reading/time_search.ts";
import type { AbortedTransaction } from "./index/transaction_index.ts";
import { Turns } from "./turns.ts";

export type { AppendFacts, LogOptions, LogTools, SegmentFacts };

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
  readonly #reads: LogReads;
  readonly #isSnapshotWhole: boolean;
  /** Made for the first change: most logs of many see none. */
  #madeChanges: LogChanges | undefined;
  readonly #sync: LogSync;
  readonly #roller: LogRoller;
  readonly #turns = new Turns();
  readonly #health: LogHealth;
  #nextSync: Promise<Offset> | undefined;
  /** Closed cleanly before, and nothing was written since. */
  #isUntouched: boolean;

  /** Opens a log, or makes it; recovers it where it was not closed cleanly. */
  static async open(options: LogOptions): Promise<Log> {
    const { directory, settings, tools } = options;
    const { disk, openSegments, trace } = tools;
    const { indexIntervalBytes } = settings;
    const context: SegmentContext = { directory, disk, openSegments, trace, indexIntervalBytes };
    const { makeFolder } = options;
    if (makeFolder !== undefined) {
      context.makeFolder = () => {
        makeFolder();
        context.makeFolder = undefined;
      };
      return new Log(options, context, { ...newLog(context), isNew: false });
    }
    const isNew = disk.info(directory) === undefined;
    if (isNew) disk.makeDirectory(directory);
    const loaded = await loadLog(context, tools.crc32c, {
      isClean: options.isClean,
      recoveryPoint: options.recoveryPoint,
      isRecoveryPointWritten: options.isRecoveryPointWritten ?? false,
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
    this.#health = new LogHealth(options.directory);
    this.#tools = options.tools;
    this.#context = context;
    this.#tail = options.tools.tail.open();
    this.#segments = loaded.segments;
    this.producers = loaded.producers;
    this.epochs = loaded.epochs;
    this.logEndOffset = loaded.logEndOffset;
    this.recoveryPoint = loaded.recoveryPoint;
    const { segments, snapshotOffset, producers, epochs } = loaded;
    if (snapshotOffset !== undefined) {
      producers.onRefusal(() => recallProducers(segments, snapshotOffset));
    }
    const { directory, tools } = options;
    // Who was killed may have made the directory and files, and have synced neither.
    const hasNewEntries = !options.isClean;
    const parent = directory.slice(0, directory.lastIndexOf("/"));
    const shared = options.shared ?? new SharedSyncs(tools.disk, parent);
    const sync = new LogSync({ context, segments, epochs, health: this.#health, shared }, {
      hasNewEntries,
      hasNewDirectory: loaded.isNew || hasNewEntries,
      isFolderNew: options.isFolderDurable === false,
    });
    this.#sync = sync;
    const roller = new LogRoller({
      ...{ segments, context, producers, sync, tools },
      wantSync: () => void this.sync().catch(() => undefined), // the next append tells of a fault
    }, options.settings);
    this.#roller = roller;
    const { decompress, reads } = tools;
    const readable = { directory, epochs, segments, tail: this.#tail, reads, decompress, roller };
    this.#reads = new LogReads(readable, loaded.isEndRead);
    this.#isSnapshotWhole = snapshotOffset === loaded.logEndOffset;
    this.#isUntouched = options.isClean && !loaded.isNew &&
      loaded.recoveryPoint === loaded.logEndOffset;
    const start = Math.max(segments.at(0).baseOffset, options.logStartOffset ?? 0);
    this.logStartOffset = toOffset(Math.min(start, loaded.logEndOffset));
    epochs.truncateFromStart(this.logStartOffset);
  }

  /** False once it is closed or its disk has failed: background work stops then. */
  get isUsable(): boolean {
    return this.#health.isUsable;
  }

  /** Whether who had it in hand has let go of it: what comes to nothing then is nobody's fault. */
  get isClosed(): boolean {
    return this.#health.isClosed;
  }

  get #changes(): LogChanges {
    if (this.#madeChanges !== undefined) return this.#madeChanges;
    const { crc32c } = this.#tools;
    const parts = {
      context: this.#context,
      segments: this.#segments,
      crc32c,
      tail: this.#tail,
      health: this.#health,
      reads: this.#reads,
      sync: this.#sync,
      syncAll: () => this.#syncAll(),
    };
    return this.#madeChanges = new LogChanges(this, parts, this.#isSnapshotWhole);
  }

  /** Whether a loss of power may take all of it, its folder too: nothing was made durable yet. */
  get isFolderNew(): boolean {
    return this.#sync.isFolderNew;
  }

  /** Makes the folder where that was put off (`makeFolder`) and the log is in use. Throws a `DiskFault`. */
  makeFolder(): void {
    if (this.isUsable) this.#context.makeFolder?.();
  }

  /** First offset of the oldest transaction under way; undefined where there is none. */
  get firstUnstableOffset(): Offset | undefined {
    const first = this.producers.firstUnstableOffset;
    return first === undefined ? undefined : Math.max(first, this.logStartOffset) as Offset;
  }

  configure(settings: LogSettings): void {
    this.#roller.settings = settings;
    this.#context.indexIntervalBytes = settings.indexIntervalBytes;
  }

  sizeInBytes(): number {
    return this.#segments.all().reduce((sum, segment) => sum + segment.sizeInBytes, 0);
  }

  segmentCount(): number {
    return this.#segments.count;
  }

  /** The oldest first. */
  segmentFacts(): readonly SegmentFacts[] {
    return segmentFacts(this.#segments, this.logEndOffset);
  }

  /** The latest time in a segment; -1 where no batch has one, or the segment is gone. */
  maxTimestampOf(baseOffset: Offset): Promise<number> {
    return this.#reads.maxTimestampOf(baseOffset);
  }

  /** Runs `action` with a segment's file held open, for reading; undefined where it is gone. */
  async withSegment<Result>(
    baseOffset: Offset,
    action: (file: DiskFile, sizeInBytes: number) => Promise<Result>,
  ): Promise<Result | undefined> {
    return this.isUsable ? await this.#reads.withSegment(baseOffset, action) : undefined;
  }

  /**
   * Appends one batch that was validated and has its base offset and leader epoch.
   *
   * Shape: `batch` stays the caller's: nothing of it is referred to when the call returns.
   * Keeps: a batch that could not be written whole is not there; the next one takes its place.
   */
  append(batch: Uint8Array, facts: AppendFacts, now: Ms): void {
    this.#health.assertUsable();
    assert(!this.#changes.isBeingCut, "nothing is appended to a log that is being cut");
    this.#isUntouched = false;
    this.#reads.isEndChecked ||= this.#roller.checkEnd(this.logEndOffset);
    const view = new BatchView(batch);
    const baseOffset = view.baseOffset();
    const { lastOffset, maxTimestamp, leaderEpoch } = facts;
    assert(baseOffset >= this.logEndOffset, "a batch goes behind the log's end");
    assert(lastOffset >= baseOffset, "a batch holds at least one offset");
    const at = { baseOffset: baseOffset as Offset, now };
    const segment = this.#roller.segmentFor(batch.length, facts, at);
    if (segment.sizeInBytes === 0) {
      this.#sync.hasNewEntries = true;
      this.logEndOffset = segment.baseOffset; // also where it gets no batch now: nothing goes before it
    }
    const position = segment.append(batch, lastOffset, maxTimestamp);
    this.logEndOffset = (lastOffset + 1) as Offset;
    this.epochs.assign(leaderEpoch, baseOffset);
    this.#tail.add(baseOffset, lastOffset, position, batch);
    segment.verified.note(position, position + batch.length, this.#tools.reads.nowMs());
    const aborted = this.producers.update(view);
    if (aborted === undefined) return;
    this.#sync.hasNewEntries ||= segment.transactionsNow().entries.length === 0; // makes the file
    segment.addAborted(aborted);
  }

  /**
   * Whole batches from the one that holds `offset` on: at most `bytesMax`, but always the first one.
   * At once from memory; by a promise where the disk must be asked; undefined where `offset` is not
   * in [logStartOffset, logEndOffset]. The promise is refused with a `LogFault` where the file is not
   * what was written: nothing comes from the file whose CRC was not checked (`checked_reads.ts`).
   */
  read(
    offset: Offset,
    wanted: Omit<ReadLimits, "logEndOffset">,
  ): LogSlice | Promise<LogSlice> | undefined {
    if (offset < this.logStartOffset || offset > this.logEndOffset) return undefined;
    return this.#reads.read(offset, { ...wanted, logEndOffset: this.logEndOffset });
  }

  /** The first record at or behind `logStartOffset` and below `upTo` that is not earlier. */
  offsetForTimestamp(timestamp: number, upTo: Offset): Promise<TimedOffset | undefined> {
    return this.#reads.offsetForTimestamp(timestamp, { from: this.logStartOffset, upTo });
  }

  /** The first record with the latest time of all (ListOffsets -3). */
  maxTimestampOffset(upTo: Offset): Promise<TimedOffset | undefined> {
    return this.#reads.maxTimestampOffset({ from: this.logStartOffset, upTo });
  }

  /** Aborted transactions that touch [from, upTo). */
  abortedTransactions(from: Offset, upTo: Offset): Promise<readonly AbortedTransaction[]> {
    return this.#reads.abortedTransactions({ from, upTo });
  }

  /**
   * Makes all that was appended before this call durable; returns the new recovery point. One is in
   * flight; all who come meanwhile share the next one.
   */
  sync(): Promise<Offset> {
    if (this.#nextSync !== undefined) return this.#nextSync;
    let isBegun = false;
    const sync = this.#turns.take(() => {
      isBegun = true;
      this.#nextSync = undefined;
      return this.#syncAll();
    });
    if (!isBegun) this.#nextSync = sync;
    return sync;
  }

  /** Begins a new segment at the log's end, if the present one holds anything, or soon (`LogRoller`). */
  roll(): void {
    this.#health.assertUsable();
    this.#isUntouched = false;
    this.#roller.roll(this.logEndOffset);
  }

  /** Whether enough was appended since the newest producer snapshot for another one. */
  get wantsSnapshot(): boolean {
    return !this.#isUntouched && this.#changes.wantsSnapshot;
  }

  /**
   * To be called when it was written down that the log is durable up to `recoveryPoint`, and it wants a
   * snapshot: a start after a crash walks the batches behind the newest one, and no more.
   */
  onCheckpoint(recoveryPoint: Offset): Promise<boolean> {
    return this.#turns.take(() => this.#changes.writeSnapshot(recoveryPoint));
  }

  /**
   * Drops all batches that hold `offset` or come behind it; the log ends there or before, durably. What
   * is appended before that is done would lie behind the cut: nobody does.
   *
   * A log that ends below the recovery point that was written down is refused by the next start, which
   * must take its end for lost. So before anything is cut, the log's own recovery point (and start) go
   * back as far as a crash on the way may leave the end, and `beforeCut` writes them down, durably.
   */
  truncateTo(offset: Offset, beforeCut: () => Promise<void>): Promise<void> {
    this.#health.assertUsable();
    this.#isUntouched = false;
    return this.#turns.take(() => this.#changes.truncateTo(offset, beforeCut));
  }

  /** Moves the start forward, in memory; who relies on it makes it durable first. Never goes back. */
  moveStart(offset: Offset): void {
    this.#health.assertUsable();
    assert(offset <= this.logEndOffset, "a log does not start behind its end");
    if (offset <= this.logStartOffset) return;
    this.logStartOffset = offset;
    this.epochs.truncateFromStart(offset);
    this.#isUntouched = false; // the epochs are to be written
  }

  /**
   * Takes the closed segments that lie wholly below the log's start out of the log: their files, oldest
   * first, get names that end in `.deleted`. Returns those names, when they are durable. Where the log
   * starts is durable before (`moveStart`), and what is known of the producers of those segments.
   */
  dropSegmentsBelowStart(): Promise<readonly string[]> {
    return this.#turns.take(() => this.#changes.dropSegmentsBelowStart());
  }

  /**
   * Puts a cleaned segment in the place of closed ones that follow each other (segment_swap.ts).
   * Returns the names of the old files, to be removed later. Undefined, and what was cleaned is gone,
   * where those segments are not there any more or the log is not usable.
   */
  replaceSegments(
    replaced: readonly Offset[],
    cleaned: CleanedSegment,
  ): Promise<readonly string[] | undefined> {
    return this.#turns.take(() => this.#changes.replaceSegments(replaced, cleaned));
  }

  /**
   * Makes everything durable and leaves the files as a clean stop should. Throws the `DiskFault` of a
   * log whose disk has failed.
   */
  close(): Promise<void> {
    return this.#turns.take(() => this.#close());
  }

  /** Lets go of files and memory and writes nothing more: for a brutal stop, or after a fault. */
  closeNow(): void {
    this.#health.isClosed = true;
    this.#tail.clear();
    for (const segment of this.#segments.all()) segment.abandon();
  }

  async #close(): Promise<void> {
    if (this.#health.isClosed) return;
    if (!this.isUsable) {
      this.closeNow();
      this.#health.throwFault(); // nobody may take this log for one that was closed cleanly
    }
    // Its files are as the last clean stop left them, or there are none yet.
    if (this.#isUntouched || this.#context.makeFolder !== undefined) {
      this.closeNow();
      return;
    }
    this.#segments.active().seal();
    if (this.logEndOffset > 0) this.#roller.writeSnapshot(this.logEndOffset);
    this.#sync.hasNewEntries ||= this.recoveryPoint < this.logEndOffset;
    await this.#syncAll();
    await this.#segments.active().syncIndexes();
    await this.#sync.syncEpochs();
    this.closeNow();
  }

  async #syncAll(): Promise<Offset> {
    this.#health.throwUnusable("sync");
    const upTo = this.logEndOffset;
    await this.#health.watch(this.#sync.run(this.recoveryPoint));
    this.recoveryPoint = Math.max(this.recoveryPoint, Math.min(upTo, this.logEndOffset)) as Offset;
    return this.recoveryPoint;
  }
}
