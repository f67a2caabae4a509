/**
 * Retention: takes old segments out of all logs, again and again (`log.retention.check.interval.ms`).
 *
 * A run looks at one partition after the other and costs little where there is nothing to do: the time
 * of the oldest segment that stayed is remembered, so that no file is opened for it again. Starts are
 * moved first, written down once for all, and only then do files go:
 *
 *     decide, roll, move the start   for each partition
 *     write the starts down          once
 *     rename to .deleted             for each partition; removed after `file.delete.delay.ms`
 *
 * A crash in between leaves files below the start, which the next start of the broker takes away.
 * Where even the little file of starts finds no room on the disk, segments go all the same: the first
 * that is left says where the log starts, and room is what is wanted.
 *
 * Who has trimmed a log (DeleteRecords) or found no room waits for what goes, and a producer gives up
 * after two minutes: a run begins at once then, at most one in a second, and comes every few seconds as
 * long as a log directory is full. What goes is the same: a full disk makes no limit stricter. A run for
 * logs that were trimmed looks at these alone: some programs trim all the time.
 * Not here: which segments go (`log/retention.ts`) and which time it is (`log/clock_jump.ts`).
 */
import type { Clock } from "../env/clock.ts";
import { DiskFault, isPassing } from "../env/disk.ts";
import type { Trace } from "../env/trace.ts";
import { type ClockReading, type ClockTrust, trustClock } from "../log/clock_jump.ts";
import type { SegmentFacts } from "../log/log.ts";
import { decideRetention, type RetentionDecision, type RetentionReason } from "../log/retention.ts";
import type { BrokerSettings } from "./broker_settings.ts";
import type { ManagedLog, ManagedLogs } from "./managed_logs.ts";
import type { Partition } from "./partition.ts";
import { RepeatedTask, type Run } from "./repeated_task.ts";
import { SegmentTimes } from "./segment_times.ts";

export interface RetentionOptions {
  readonly clock: Clock;
  readonly trace: Trace;
  readonly logs: ManagedLogs;
  readonly settings: BrokerSettings;
  /** Whether a log directory is full now. */
  readonly isFull: () => boolean;
}

/** Between the end of a run and one that somebody waits for. */
const GAP_MS = 1000;
/** Between two runs while a log directory is full. */
const FULL_PAUSE_MS = 5000;
/** How long a run may keep the event loop before others have their turn. */
const SLICE_MS = 1;
/** An active segment that grows whenever its time is looked up is left to the next run. */
const LOOKS_MAX = 3;
const REASONS: readonly RetentionReason[] = ["start", "bytes", "time"];

/** A partition of which something goes. */
interface Due {
  readonly managed: ManagedLog;
  readonly decision: RetentionDecision;
}

export class Retention {
  readonly task: RepeatedTask;
  readonly metrics = { segmentsDeleted: 0 };
  readonly #options: RetentionOptions;
  readonly #times: SegmentTimes;
  #trust: ClockTrust;
  /** When all logs are to be looked at next. */
  #allDueMs: number;
  #isAllWanted = false;
  #trimmed = new Set<Partition>();
  #sliceEndMs = 0;

  constructor(options: RetentionOptions) {
    const { clock, settings } = options;
    const firstMs = settings.get("log.initial.task.delay.ms");
    this.#allDueMs = clock.monotonicMs() + firstMs;
    this.#options = options;
    this.#times = new SegmentTimes(clock);
    this.#trust = trustClock(undefined, readingOf(clock));
    this.task = new RepeatedTask({
      clock,
      firstMs,
      everyMs: () => Math.max(this.#allDueMs - clock.monotonicMs(), 0),
      run: (run) => this.#run(run),
    });
  }

  /** A log has a new start: what lies below it goes at once, or a second after the last run. */
  onTrimmed(partition: Partition): void {
    this.#trimmed.add(partition);
    this.task.runSoon(GAP_MS);
  }

  /** Room is wanted: all logs are looked at, at once or a second after the last run. */
  onNoRoom(): void {
    this.#isAllWanted = true;
    this.task.runSoon(GAP_MS);
  }

  async #run(run: Run): Promise<void> {
    const { clock, logs, settings, isFull } = this.#options;
    const trimmed = this.#trimmed;
    const isForTrimmed = trimmed.size > 0 && !this.#isAllWanted;
    this.#trimmed = new Set();
    this.#lookAtClock();
    if (isForTrimmed) {
      await this.#runOver(logs.managed().filter(({ partition }) => trimmed.has(partition)), run);
      return;
    }
    this.#isAllWanted = false;
    await this.#runOver(logs.managed(), run);
    const everyMs = settings.get("log.retention.check.interval.ms");
    const pauseMs = isFull() ? Math.min(everyMs, FULL_PAUSE_MS) : everyMs;
    this.#allDueMs = clock.monotonicMs() + pauseMs;
  }

  async #runOver(logs: readonly ManagedLog[], run: Run): Promise<void> {
    const due: Due[] = [];
    for (const managed of logs) {
      if (run.isStopping) return; // a start that was moved is written down when the logs are closed
      // One after the other: background work does not crowd the disk.
      // deno-lint-ignore no-await-in-loop
      const decision = await this.#guarded(managed, () => this.#move(managed));
      if (decision !== undefined) due.push({ managed, decision });
      // deno-lint-ignore no-await-in-loop
      await this.#yield();
    }
    if (due.length === 0 || !await this.#areStartsWritten(due)) return;
    for (const { managed, decision } of due) {
      if (run.isStopping) return;
      // deno-lint-ignore no-await-in-loop
      await this.#guarded(managed, () => this.#drop(managed, decision));
    }
  }

  #lookAtClock(): void {
    const { clock, trace } = this.#options;
    const before = this.#trust;
    this.#trust = trustClock(before, readingOf(clock));
    const { doubt } = this.#trust;
    if (doubt !== undefined && doubt !== before.doubt) {
      trace.event("warn", "the wall clock has jumped ahead: retention goes on by the old time", {
        jumpMs: Math.round(doubt.jumpMs),
        believedInMs: Math.round(doubt.untilMonotonicMs - clock.monotonicMs()),
      });
    } else if (doubt === undefined && before.doubt !== undefined) {
      trace.event("info", "retention goes by the wall clock again");
    }
  }

  /** Moves the start of a log of which something goes. */
  async #move({ partition }: ManagedLog): Promise<RetentionDecision | undefined> {
    const { log } = partition;
    // What goes by age or size was never durable where nobody asked for that; a roll would wait for it.
    if (log.isFolderNew && log.logEndOffset > 0 && log.isUsable) await log.sync();
    for (let look = 0; look < LOOKS_MAX; look++) {
      if (!partition.isOnline || !log.isUsable) return undefined;
      const segments = log.segmentFacts();
      const decision = this.#decide(partition, segments);
      if (decision.timeWanted === undefined) {
        this.#times.keep(log, segments.slice(decision.removedCount));
        if (decision.removedCount === 0) return undefined;
        if (decision.needsRoll) log.roll();
        log.moveStart(decision.startOffset);
        return decision;
      }
      // deno-lint-ignore no-await-in-loop -- the log may change meanwhile, so it is looked at again
      await this.#lookUpTimes(partition, segments, decision.timeWanted);
    }
    return undefined;
  }

  #decide(partition: Partition, segments: readonly SegmentFacts[]): RetentionDecision {
    const { log, highWatermark, settings } = partition;
    const { logStartOffset } = log;
    const now = this.#trust.believedMs;
    const timed = this.#times.of(log, segments, now);
    return decideRetention({ segments: timed, logStartOffset, highWatermark }, settings, now);
  }

  async #lookUpTimes(
    { log, settings }: Partition,
    segments: readonly SegmentFacts[],
    index: number,
  ): Promise<void> {
    const youngFrom = this.#trust.believedMs - settings.retentionMs;
    await this.#times.lookUp(log, segments, index, (maxTimestamp) => maxTimestamp >= youngFrom);
  }

  async #areStartsWritten(due: readonly Due[]): Promise<boolean> {
    const { logs, trace } = this.#options;
    try {
      await logs.writeLogStarts();
      return true;
    } catch (fault) {
      if (fault instanceof DiskFault && isPassing(fault)) {
        trace.event("warn", "log starts cannot be written down now", { error: fault.message });
        return true;
      }
      const path = fault instanceof DiskFault ? fault.path : "";
      const at = due.find(({ managed }) => path.startsWith(`${managed.directory}/`)) ?? due[0];
      logs.onFault((at as Due).managed, fault);
      return false;
    }
  }

  async #drop(managed: ManagedLog, decision: RetentionDecision): Promise<void> {
    const { logs, trace } = this.#options;
    const { partition } = managed;
    if (!partition.isOnline || !partition.log.isUsable) return;
    const paths = await partition.log.dropSegmentsBelowStart();
    if (paths.length === 0) return; // it was closed meanwhile
    logs.removeLater(managed, paths);
    this.metrics.segmentsDeleted += decision.removedCount;
    trace.event("info", "old segments are deleted", {
      partition: `${partition.topic}-${partition.partitionId}`,
      segments: decision.removedCount,
      bytes: decision.removedBytes,
      reason: reasonText(decision),
      logStartOffset: decision.startOffset,
    });
  }

  /** What goes wrong with one log is that log's, and the others have their turn. */
  async #guarded<T>(managed: ManagedLog, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (fault) {
      this.#options.logs.onFault(managed, fault);
      return undefined;
    }
  }

  async #yield(): Promise<void> {
    const { clock } = this.#options;
    if (clock.monotonicMs() < this.#sliceEndMs) return;
    await new Promise<void>((resolve) => clock.after(0, resolve));
    this.#sliceEndMs = clock.monotonicMs() + SLICE_MS;
  }
}

function readingOf(clock: Clock): ClockReading {
  return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
}

/** "3 by time, 1 by bytes" */
function reasonText({ removed }: RetentionDecision): string {
  return REASONS.filter((reason) => removed[reason] > 0)
    .map((reason) => `${removed[reason]} by ${reason}`).join(", ");
}
