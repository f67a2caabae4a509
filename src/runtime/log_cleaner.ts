/**
 * The log cleaner: compacts the filthiest log, then the next one, and rests when none is due
 * (`log.cleaner.backoff.ms`).
 *
 * It yields to traffic: it reads off the event loop, works in slices of about a millisecond, and takes
 * no more bytes in a second than `log.cleaner.io.max.bytes.per.second`. A log that cannot be compacted
 * (a batch with a wrong CRC, a file that cannot be read) is left alone for an hour: nothing is dropped
 * on a guess. Where the wall clock has jumped ahead, no tombstone goes by the new time until it is
 * believed (`log/clock_jump.ts`).
 * Not here: what is kept (`log/compaction/`), deletion by age of topics that want both (`retention.ts`).
 */
import type { Clock } from "../env/clock.ts";
import type { Compressors } from "../env/compressor.ts";
import type { Crypto } from "../env/crypto.ts";
import { type Disk, DiskFault, isPassing } from "../env/disk.ts";
import type { Trace } from "../env/trace.ts";
import type { Crc32c } from "../ground/crc32c.ts";
import { HASH_SECRET_BYTES } from "../ground/keyed_hash.ts";
import type { Offset } from "../ground/numbers.ts";
import { type ClockTrust, trustClock } from "../log/clock_jump.ts";
import { type CompactionResult, compactLog } from "../log/compaction/compaction.ts";
import { filthiestOf } from "../log/compaction/compaction_policy.ts";
import { CompactionWork, GivenUp } from "../log/compaction/compaction_work.ts";
import { type DirtyLog, measureLog, rollOverdue } from "../log/compaction/dirty_log.ts";
import { LogFault } from "../log/log_fault.ts";
import { compressWith, decompressWith } from "../record/compression.ts";
import type { BrokerSettings } from "./broker_settings.ts";
import type { ManagedLog, ManagedLogs } from "./managed_logs.ts";
import { Pace } from "./pace.ts";
import type { Partition } from "./partition.ts";
import { RepeatedTask, type Run } from "./repeated_task.ts";

export interface LogCleanerOptions {
  readonly clock: Clock;
  readonly trace: Trace;
  readonly disk: Disk;
  readonly crypto: Crypto;
  readonly crc32c: Crc32c;
  readonly compressors: Compressors;
  readonly logs: ManagedLogs;
  readonly settings: BrokerSettings;
}

export interface CleanerMetrics {
  bytesRead: number;
  bytesWritten: number;
  /** Compactions that came to their end. */
  runs: number;
  /** Of the bytes that the last compaction met, how many percent were written again. */
  recopyPercent: number;
  /** Partitions that are left alone because they could not be compacted. */
  uncleanablePartitions: number;
}

interface DirtyManaged extends DirtyLog {
  readonly managed: ManagedLog;
}

const UNCLEANABLE_MS = 3_600_000;

export class LogCleaner {
  readonly task: RepeatedTask;
  readonly metrics: CleanerMetrics = {
    bytesRead: 0,
    bytesWritten: 0,
    runs: 0,
    recopyPercent: 0,
    uncleanablePartitions: 0,
  };
  readonly #options: LogCleanerOptions;
  readonly #pace: Pace;
  /** Partition to when it may be tried again, by the monotonic clock. */
  readonly #uncleanable = new Map<string, number>();
  #trust: ClockTrust | undefined;

  constructor(options: LogCleanerOptions) {
    const { clock, settings } = options;
    this.#options = options;
    this.#pace = new Pace(clock, settings.get("log.cleaner.io.max.bytes.per.second"));
    this.task = new RepeatedTask({
      clock,
      firstMs: settings.get("log.cleaner.backoff.ms"),
      everyMs: settings.get("log.cleaner.backoff.ms"),
      run: (run) => this.#run(run),
    });
  }

  async #run(run: Run): Promise<void> {
    if (!this.#options.settings.get("log.cleaner.enable")) return;
    /** Given up in this run: there is nothing to gain from trying again at once. */
    const left = new Set<Partition>();
    this.#forgetGone();
    while (!run.isStopping) {
      // One log after the other, the filthiest first, and all measured anew each time.
      // deno-lint-ignore no-await-in-loop
      const filthiest = filthiestOf(await this.#measure(run, left));
      if (filthiest === undefined || run.isStopping) return;
      // deno-lint-ignore no-await-in-loop
      if (!await this.#clean(filthiest, run)) left.add(filthiest.managed.partition);
    }
  }

  async #measure(run: Run, left: ReadonlySet<Partition>): Promise<readonly DirtyManaged[]> {
    const { logs, clock } = this.#options;
    const wallMs = clock.wallMs();
    this.#trust = trustClock(this.#trust, { wallMs, monotonicMs: clock.monotonicMs() });
    const now = this.#trust.believedMs;
    const found: DirtyManaged[] = [];
    for (const managed of logs.managed()) {
      const { partition } = managed;
      if (run.isStopping) return [];
      if (left.has(partition) || !isWanted(partition) || this.#isUncleanable(partition)) continue;
      const { compaction } = partition.settings;
      // deno-lint-ignore no-await-in-loop
      const dirty = await this.#guarded(managed, async () => {
        const checkpoint = logs.cleanedUpTo(managed);
        const known = { highWatermark: partition.highWatermark, checkpoint };
        await rollOverdue(partition.log, compaction, now);
        return await measureLog(partition.log, known, compaction, now);
      });
      if (dirty !== undefined) found.push({ ...dirty, managed });
    }
    return found;
  }

  /** False where the log was left as it is, or in part. */
  async #clean(dirty: DirtyManaged, run: Run): Promise<boolean> {
    const { managed, managed: { partition } } = dirty;
    const { clock, logs } = this.#options;
    const work = new CompactionWork({
      clock,
      pace: this.#pace,
      isWanted: () => !run.isStopping && isWanted(partition),
    });
    const startMs = clock.monotonicMs();
    const result = await this.#guarded(managed, async () => {
      await this.#makeDurable(managed, dirty.firstUncleanable);
      const done = await this.#compact(dirty, work);
      this.#tell(partition, done, clock.monotonicMs() - startMs);
      await logs.writeCleanedUpTo(managed, done.cleanedUpTo);
      return done;
    });
    this.metrics.bytesRead += work.bytesRead;
    this.metrics.bytesWritten += work.bytesWritten;
    return result !== undefined;
  }

  /** What is to be cleaned, and that it is: recovery must not take a cleaned part for a torn end. */
  async #makeDurable(managed: ManagedLog, upTo: Offset): Promise<void> {
    const { partition: { log } } = managed;
    if (log.recoveryPoint < upTo) await log.sync();
    if (await this.#options.logs.writeRecoveryPoint(managed, upTo)) return;
    throw new GivenUp("its recovery point cannot be written down");
  }

  #compact(dirty: DirtyManaged, work: CompactionWork): Promise<CompactionResult> {
    const { managed, managed: { partition }, firstDirty, firstUncleanable } = dirty;
    const { disk, crc32c, compressors, clock, settings, logs } = this.#options;
    const { log, compaction } = partition.settings;
    const wallMs = clock.wallMs();
    return compactLog(partition.log, {
      firstDirty,
      firstUncleanable,
      now: Math.min(wallMs, this.#trust?.believedMs ?? wallMs),
      horizonMs: wallMs + compaction.deleteRetentionMs,
      segmentBytes: log.segmentBytes,
      segmentIndexBytes: log.segmentIndexBytes,
      indexIntervalBytes: log.indexIntervalBytes,
      mapBytesMax: settings.get("log.cleaner.dedupe.buffer.size"),
      secret: this.#options.crypto.randomBytes(HASH_SECRET_BYTES),
    }, {
      disk,
      crc32c,
      compress: compressWith(compressors),
      decompress: decompressWith(compressors),
      inflatedBytesMax: settings.get("mq.decompression.max.bytes"),
      work,
      onReplaced: (paths) => logs.removeLater(managed, paths),
    });
  }

  #tell(partition: Partition, result: CompactionResult, durationMs: number): void {
    const { bytesBefore, bytesAfter } = result;
    this.metrics.runs++;
    this.metrics.recopyPercent = Math.round(100 * bytesAfter / Math.max(1, bytesBefore));
    this.#options.trace.event("info", "log compacted", {
      partition: nameOf(partition),
      cleanedUpTo: result.cleanedUpTo,
      keys: result.keyCount,
      bytesBefore,
      bytesAfter,
      recordsBefore: result.recordsRead,
      recordsAfter: result.recordsKept,
      durationMs: Math.round(durationMs),
    });
    if (result.keylessDropped === 0) return;
    this.#options.trace.event("warn", "records without a key were dropped by compaction", {
      partition: nameOf(partition),
      records: result.keylessDropped,
    });
  }

  /** What goes wrong with one log is that log's, and the others have their turn. */
  async #guarded<T>(managed: ManagedLog, action: () => Promise<T>): Promise<T | undefined> {
    const { trace, logs } = this.#options;
    const { partition } = managed;
    try {
      return await action();
    } catch (fault) {
      if (!isWanted(partition)) return undefined; // deleted, closed or offline meanwhile
      if (fault instanceof LogFault) this.#setUncleanable(partition, fault);
      else if (fault instanceof GivenUp || (fault instanceof DiskFault && isPassing(fault))) {
        const [name, reason] = [nameOf(partition), fault.message];
        trace.event("warn", "a compaction was given up", { partition: name, reason });
      } else logs.onFault(managed, fault);
      return undefined;
    }
  }

  #setUncleanable(partition: Partition, fault: LogFault): void {
    const untilMs = this.#options.clock.monotonicMs() + UNCLEANABLE_MS;
    this.#uncleanable.set(idOf(partition), untilMs);
    this.metrics.uncleanablePartitions = this.#uncleanable.size;
    this.#options.trace.event("error", "a log cannot be compacted and is left as it is", {
      partition: nameOf(partition),
      error: fault.message,
    });
  }

  #isUncleanable(partition: Partition): boolean {
    const untilMs = this.#uncleanable.get(idOf(partition));
    if (untilMs === undefined) return false;
    if (untilMs > this.#options.clock.monotonicMs()) return true;
    this.#uncleanable.delete(idOf(partition));
    this.metrics.uncleanablePartitions = this.#uncleanable.size;
    return false;
  }

  /** Topics that were deleted. */
  #forgetGone(): void {
    const ids = new Set(this.#options.logs.managed().map(({ partition }) => idOf(partition)));
    for (const id of this.#uncleanable.keys()) if (!ids.has(id)) this.#uncleanable.delete(id);
    this.metrics.uncleanablePartitions = this.#uncleanable.size;
  }
}

function isWanted({ isOnline, log, settings }: Partition): boolean {
  return isOnline && log.isUsable && settings.isCompacted;
}

function idOf({ topicId, partitionId }: Partition): string {
  return `${topicId}-${partitionId}`;
}

function nameOf({ topic, partitionId }: Partition): string {
  return `${topic}-${partitionId}`;
}
