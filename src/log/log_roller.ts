/**
 * Beginning new segments at a log's end.
 *
 * When, is `segment_policy.ts`'s. A roll that has no room on the disk leaves the log as it was. One of a
 * log whose folder is not durable yet waits until it is, and asks for that: the present segment grows
 * over its size for as long as one sync takes.
 */
import type { Random } from "../env/random.ts";
import type { Crc32c } from "../ground/crc32c.ts";
import type { Offset } from "../ground/numbers.ts";
import { LogFault } from "./log_fault.ts";
import type { AppendFacts } from "./log_options.ts";
import type { LogSync } from "./log_sync.ts";
import type { ProducerStates } from "./producers/producer_state.ts";
import { Segment, type SegmentContext } from "./segment/segment.ts";
import { type LogSettings, rollJitterMs, rollReason, waitedMs } from "./segment/segment_policy.ts";
import type { Segments } from "./segment/segments.ts";
import { writeSnapshot } from "./producers/snapshot_files.ts";

export interface RollingLog {
  readonly segments: Segments;
  readonly context: SegmentContext;
  readonly producers: ProducerStates;
  readonly sync: LogSync;
  readonly tools: { readonly crc32c: Crc32c; readonly random: Random };
  /** Asks for a sync of the log, and does not wait for it. */
  readonly wantSync: () => void;
}

export class LogRoller {
  settings: LogSettings;
  readonly #log: RollingLog;
  /** Of the active segment: taken off `segment.ms`, so that not all logs roll at once. */
  #jitterMs: number;

  constructor(log: RollingLog, settings: LogSettings) {
    this.#log = log;
    this.settings = settings;
    this.#jitterMs = rollJitterMs(settings, log.tools.random);
  }

  /** The segment that the batch goes into: the present one, or a new one. */
  segmentFor(
    batchBytes: number,
    facts: AppendFacts,
    at: { readonly baseOffset: Offset; readonly now: number },
  ): Segment {
    const active = this.#log.segments.active();
    active.createdMs ??= at.now;
    const { createdMs, sizeInBytes } = active;
    const firstTimestamp = active.firstTimestampNow();
    const { now } = at;
    const indexes = active.indexesNow();
    const reason = rollReason(
      {
        sizeInBytes,
        batchBytes,
        waitedMs: waitedMs({ firstTimestamp, createdMs }, {
          now,
          maxTimestamp: facts.maxTimestamp,
        }),
        offsetEntries: indexes.offsets.entries.count,
        timeEntries: indexes.times.entries.count,
        isInReach: active.fits(facts.lastOffset),
      },
      this.settings,
      this.#jitterMs,
    );
    if (reason === undefined) return active;
    if (active.fits(facts.lastOffset) && this.#waits()) return active;
    this.#begin(at.baseOffset);
    this.#log.segments.active().createdMs = now;
    return this.#log.segments.active();
  }

  /**
   * Of an end that was taken on trust, at the cost of a few headers: before the first append behind it,
   * and before the first read near it, which would take a segment that is too short for the end of all.
   */
  endFault(logEndOffset: Offset): LogFault | undefined {
    const active = this.#log.segments.active();
    let found: number;
    try {
      found = active.nextOffsetNow();
    } catch (fault) {
      if (fault instanceof LogFault) return fault;
      throw fault;
    }
    if (found === logEndOffset) return undefined;
    const path = active.path("log");
    const what = `it ends at offset ${found}, expected ${logEndOffset}`;
    return new LogFault(path, `Cannot use ${path}: ${what}`);
  }

  /** True, or it throws. */
  checkEnd(logEndOffset: Offset): true {
    const fault = this.endFault(logEndOffset);
    if (fault !== undefined) throw fault;
    return true;
  }

  /** Begins a segment at `baseOffset`, unless the present one begins there, or must wait. */
  roll(baseOffset: Offset): void {
    if (!this.#waits()) this.#begin(baseOffset);
  }

  #waits(): boolean {
    const { sync, segments, wantSync } = this.#log;
    const isWaiting = sync.isFolderNew && segments.active().sizeInBytes > 0;
    if (isWaiting) wantSync();
    return isWaiting;
  }

  #begin(baseOffset: Offset): void {
    const { segments, context, sync } = this.#log;
    const active = segments.active();
    if (active.baseOffset === baseOffset) return;
    // First what there may be no room for.
    context.makeFolder?.();
    active.seal();
    this.writeSnapshot(baseOffset);
    const segment = beginSegment(context, baseOffset);
    const isEmpty = active.sizeInBytes === 0; // an offset far from its base asked for the roll
    if (isEmpty) segments.takeFrom(segments.count - 1);
    segments.add(segment);
    this.#jitterMs = rollJitterMs(this.settings, this.#log.tools.random);
    sync.hasNewEntries = true;
    if (isEmpty) active.remove();
  }

  /** Of the producers as they are now; `offset` is the log's end. */
  writeSnapshot(offset: Offset): void {
    const { context, producers, sync, tools } = this.#log;
    sync.noteSnapshot(writeSnapshot(context, tools.crc32c, { offset, producers }));
  }
}

/** An empty segment. Its file is made at once: the name is what tells of the log's end when all is gone. */
export function beginSegment(context: SegmentContext, baseOffset: Offset): Segment {
  const segment = new Segment(context, { baseOffset, sizeInBytes: 0 });
  segment.shared();
  return segment;
}
