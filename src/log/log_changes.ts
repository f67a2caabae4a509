/**
 * What takes something out of a log or puts something else in its place: a cut of its end, segments
 * that were deleted or cleaned, producer snapshots that others stand for.
 *
 * Each takes several steps with waits between: the log lets them and its syncs take turns (`log.ts`).
 * What a fault on the way means, its health knows (`log_health.ts`).
 */
import type { Crc32c } from "../ground/crc32c.ts";
import type { Offset } from "../ground/numbers.ts";
import { keepProducers } from "./loading/kept_producers.ts";
import type { LeaderEpochs } from "./leader_epochs.ts";
import type { LogHealth } from "./log_health.ts";
import type { LogReads } from "./reading/log_reads.ts";
import type { LogSync } from "./log_sync.ts";
import { cutSegment, dropBehind, type LogCut, planCut } from "./log_truncation.ts";
import type { ProducerStates } from "./producers/producer_state.ts";
import type { SegmentContext } from "./segment/segment.ts";
import { type RemovalLog, takeSegmentsBelow } from "./segment/segment_removal.ts";
import { type CleanedSegment, swapSegments } from "./segment/segment_swap.ts";
import type { Segments } from "./segment/segments.ts";
import { type PacedLog, SnapshotPace } from "./producers/snapshot_files.ts";
import type { Tail } from "./reading/tail_cache.ts";

/** The log's own offsets, which a change moves. */
export interface ChangingLog {
  readonly producers: ProducerStates;
  readonly epochs: LeaderEpochs;
  logStartOffset: Offset;
  logEndOffset: Offset;
  recoveryPoint: Offset;
}

export interface ChangeParts {
  readonly context: SegmentContext;
  readonly segments: Segments;
  readonly crc32c: Crc32c;
  readonly tail: Tail;
  readonly health: LogHealth;
  readonly reads: LogReads;
  readonly sync: LogSync;
  /** Makes all of the log durable. */
  readonly syncAll: () => Promise<Offset>;
}

export class LogChanges {
  /** Nothing is appended meanwhile. */
  isBeingCut = false;
  readonly #log: ChangingLog;
  readonly #parts: ChangeParts;
  readonly #pace: SnapshotPace;

  /** `isSnapshotWhole`: the log was opened with a producer snapshot of all that it holds. */
  constructor(log: ChangingLog, parts: ChangeParts, isSnapshotWhole: boolean) {
    this.#log = log;
    this.#parts = parts;
    this.#pace = new SnapshotPace(parts.segments.active(), isSnapshotWhole);
  }

  get wantsSnapshot(): boolean {
    return this.#pace.isDue(this.#parts.segments.active());
  }

  writeSnapshot(recoveryPoint: Offset): Promise<boolean> {
    const { context, segments, crc32c, health, sync } = this.#parts;
    const syncEntries = (): Promise<void> => sync.syncEntries();
    const log = (): PacedLog | undefined => {
      if (!health.isUsable) return undefined;
      const { producers, logEndOffset } = this.#log;
      const known = { context, segments, crc32c, producers, logEndOffset };
      return { ...known, recoveryPoint, syncEntries };
    };
    return health.watch(this.#pace.onCheckpoint(log));
  }

  async truncateTo(offset: Offset, beforeCut: () => Promise<void>): Promise<void> {
    const { context, segments, crc32c, health } = this.#parts;
    health.throwUnusable("truncate");
    if (offset >= this.#log.logEndOffset) return;
    const cut = await planCut({ context, segments, crc32c }, offset);
    health.throwUnusable("truncate");
    this.isBeingCut = true;
    try {
      await this.#goBack(cut, beforeCut);
      await this.#cut(cut).catch((fault: unknown) => {
        health.onFault(fault); // part of it is gone: only opening the log anew tells what is left
        throw fault;
      });
    } finally {
      this.isBeingCut = false;
    }
  }

  dropSegmentsBelowStart(): Promise<readonly string[]> {
    const { context, health } = this.#parts;
    const drop = async (): Promise<readonly string[]> => {
      const { logStartOffset } = this.#log;
      if (health.isUsable) await this.#keepProducers(logStartOffset);
      if (!health.isUsable) return [];
      const paths = takeSegmentsBelow(this.#removal(), logStartOffset);
      if (paths.length > 0) await context.disk.syncDirectory(context.directory);
      return paths;
    };
    return health.watch(drop());
  }

  replaceSegments(
    replaced: readonly Offset[],
    cleaned: CleanedSegment,
  ): Promise<readonly string[] | undefined> {
    const { health, segments, tail, syncAll } = this.#parts;
    const log = { ...this.#removal(), tail, isUsable: () => health.isUsable };
    const replace = async (): Promise<readonly string[] | undefined> => {
      // What is cleaned is durable: nothing before it may be lost then, which would leave a hole.
      const isBehind = this.#log.recoveryPoint < segments.active().baseOffset;
      if (health.isUsable && isBehind) await syncAll();
      return await swapSegments(log, replaced, cleaned);
    };
    return health.watch(replace());
  }

  /** What those that go know of producers, the snapshot at the first that stays knows. */
  async #keepProducers(logStartOffset: Offset): Promise<void> {
    const { context, segments, crc32c, sync } = this.#parts;
    const index = segments.floorIndex(logStartOffset);
    if (index === 0) return;
    const { baseOffset } = segments.at(index);
    const isNew = await keepProducers({ context, segments, crc32c }, baseOffset);
    sync.hasNewEntries ||= isNew;
    await sync.syncEntries();
  }

  /** Before the cut, so that what is written down is never ahead of what a crash leaves. */
  async #goBack(cut: LogCut, beforeCut: () => Promise<void>): Promise<void> {
    const log = this.#log;
    const { logStartOffset } = log;
    log.recoveryPoint = Math.min(log.recoveryPoint, cut.safePoint) as Offset;
    log.logStartOffset = Math.min(logStartOffset, cut.end) as Offset;
    try {
      await beforeCut();
      this.#parts.health.throwUnusable("truncate");
    } catch (fault) {
      log.logStartOffset = Math.max(log.logStartOffset, logStartOffset) as Offset; // nothing was cut
      throw fault;
    }
  }

  async #cut(cut: LogCut): Promise<void> {
    const { context, segments, crc32c, health, tail, syncAll } = this.#parts;
    const log = { context, segments, crc32c, producers: this.#log.producers };
    tail.clear();
    dropBehind(log, cut);
    this.#endAt(cut.end);
    await context.disk.syncDirectory(context.directory);
    health.throwUnusable("truncate");
    await cutSegment(log, cut);
    await syncAll();
  }

  #endAt(end: Offset): void {
    const { segments, sync, reads } = this.#parts;
    const log = this.#log;
    log.logEndOffset = end;
    const start = Math.max(log.logStartOffset, segments.at(0).baseOffset);
    log.logStartOffset = Math.min(start, end) as Offset;
    log.epochs.truncateFromEnd(end);
    sync.hasNewEntries = true;
    reads.isEndChecked = true;
  }

  #removal(): RemovalLog {
    const { context, segments, health } = this.#parts;
    return { context, segments, onBroken: (fault) => health.onFault(fault) };
  }
}
