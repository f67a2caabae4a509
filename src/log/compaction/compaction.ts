/**
 * One compaction of one log: learn the last offset of the dirty keys, then write every segment up to
 * there anew without what later records have made void.
 *
 *     1. keys of [firstDirty, firstUncleanable) → map, as far as its memory goes
 *     2. segments from the log's start to where the map ends, in groups that make one segment each:
 *        read, filter, write `.cleaned`, make durable, put in the place of the old ones
 *
 * Each group is swapped in by itself: a crash loses the work of the group under way and nothing else.
 * What is on disk at any time beyond the log itself is one group's output, at most one segment, and
 * the replaced files that wait for `file.delete.delay.ms`. When the keys do not fit, the result says how
 * far this run came; the next one begins there.
 * Not here: when and which log (`compaction_policy.ts`, `runtime/log_cleaner.ts`).
 * Source: kafka: Cleaner.doClean, cleanSegments.
 */
import { type Disk, DiskFault } from "../../env/disk.ts";
import { assert } from "../../ground/assert.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { Offset } from "../../ground/numbers.ts";
import type { Compress, Decompress } from "../../record/compression.ts";
import { NO_PARTITION_LEADER_EPOCH } from "../../record/format.ts";
import { segmentPath } from "../index/segment_indexes.ts";
import type { Log } from "../log.ts";
import { BatchFilter, type LastOfProducer } from "./batch_filter.ts";
import { BatchRewriter } from "./batch_rewrite.ts";
import { CleanedSegment } from "./cleaned_segment.ts";
import { CleanedTransactions } from "./cleaned_transactions.ts";
import { dirtySegments, type SegmentRange } from "./compaction_policy.ts";
import { type CompactionWork, GivenUp } from "./compaction_work.ts";
import { mapDirtyKeys } from "./dirty_keys.ts";
import { OffsetMap } from "./offset_map.ts";
import { RecordWalk } from "./record_walk.ts";
import { type GroupedSegment, groupSegments, isInReach } from "./segment_groups.ts";
import { walkSound } from "./sound_batches.ts";

/** What compaction needs of a log. */
export type CompactableLog = Pick<
  Log,
  | "directory"
  | "producers"
  | "epochs"
  | "segmentFacts"
  | "withSegment"
  | "abortedTransactions"
  | "replaceSegments"
>;

export interface CompactionTools {
  readonly disk: Disk;
  readonly crc32c: Crc32c;
  readonly compress: Compress;
  readonly decompress: Decompress;
  readonly inflatedBytesMax: number;
  readonly work: CompactionWork;
  /** Takes the names of files that are out of the log. */
  readonly onReplaced: (paths: readonly string[]) => void;
}

export interface CompactionPlan {
  readonly firstDirty: Offset;
  readonly firstUncleanable: Offset;
  /** The time to go by: what is due by now goes. */
  readonly now: number;
  /** Until when what is deleted from now on can be seen to be deleted: `delete.retention.ms` from now. */
  readonly horizonMs: number;
  readonly segmentBytes: number;
  readonly segmentIndexBytes: number;
  readonly indexIntervalBytes: number;
  /** Memory for keys. */
  readonly mapBytesMax: number;
  /** 16 random bytes: who produces must not be able to make two keys look alike. */
  readonly secret: Uint8Array;
}

export interface CompactionResult {
  /** Where the log is clean now: the next run begins there. */
  readonly cleanedUpTo: Offset;
  readonly keyCount: number;
  readonly recordsRead: number;
  readonly recordsKept: number;
  readonly keylessDropped: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/**
 * Errors: `GivenUp` where the log has changed, is not wanted or has no room: nothing is left behind;
 * `LogFault` where the log holds what cannot be compacted; a `DiskFault` where the disk fails.
 */
export async function compactLog(
  log: CompactableLog,
  plan: CompactionPlan,
  tools: CompactionTools,
): Promise<CompactionResult> {
  const { firstDirty, firstUncleanable } = plan;
  const closed = log.segmentFacts().filter((each) => each.nextOffset <= firstUncleanable);
  const segments = closed.filter((each) => !each.isActive);
  const dirty = { segments: dirtySegments(segments, firstDirty), firstDirty };
  const keyCount = firstUncleanable - firstDirty; // at most one for each offset
  const map = new OffsetMap({ bytesMax: plan.mapBytesMax, keyCount }, plan.secret);
  try {
    const mappedUpTo = await mapDirtyKeys(log, dirty, map, tools);
    const run = new Run(log, { ...plan, mappedUpTo }, tools, map);
    const mapped = segments.filter((each) => each.baseOffset < mappedUpTo);
    const bytesAfter = await run.cleanAll(mapped);
    const bytesBefore = mapped.reduce((sum, each) => sum + each.sizeInBytes, 0);
    const { count } = map;
    return { cleanedUpTo: mappedUpTo, keyCount: count, bytesBefore, bytesAfter, ...run.counts };
  } finally {
    map.release();
  }
}

class Run {
  readonly #log: CompactableLog;
  readonly #plan: CompactionPlan;
  readonly #tools: CompactionTools;
  readonly #transactions = new CleanedTransactions();
  readonly #rewriter: BatchRewriter;
  readonly #filter: BatchFilter;

  constructor(
    log: CompactableLog,
    plan: CompactionPlan & { readonly mappedUpTo: Offset },
    tools: CompactionTools,
    map: OffsetMap,
  ) {
    this.#log = log;
    this.#plan = plan;
    this.#tools = tools;
    this.#rewriter = new BatchRewriter(tools);
    this.#filter = new BatchFilter({
      ...plan,
      map,
      transactions: this.#transactions,
      rewriter: this.#rewriter,
      walk: new RecordWalk(tools),
    });
  }

  get counts(): BatchFilter["counts"] {
    return this.#filter.counts;
  }

  /** Gives the bytes that are left. */
  async cleanAll(segments: readonly SegmentRange[]): Promise<number> {
    let bytesAfter = 0;
    for (const group of groupSegments(this.#withIndexSizes(segments), this.#plan)) {
      // deno-lint-ignore no-await-in-loop
      bytesAfter += await this.#cleanGroup(group);
    }
    return bytesAfter;
  }

  async #cleanGroup(group: readonly GroupedSegment[]): Promise<number> {
    const { disk, work } = this.#tools;
    work.check();
    const { directory } = this.#log;
    const [first, last] = [group[0], group.at(-1)];
    assert(first !== undefined && last !== undefined, "a group of segments holds one");
    const needed = group.reduce((sum, each) => sum + each.sizeInBytes, 0);
    if (disk.freeBytes(directory) < needed) throw new GivenUp("there is no room for its output");
    const { baseOffset } = first;
    const { indexIntervalBytes } = this.#plan;
    this.#filter.producers = lastOfProducers(this.#log);
    this.#filter.isUntouched = true;
    this.#filter.groupEnd = last.nextOffset;
    const cleaned = new CleanedSegment({ disk, directory, baseOffset, indexIntervalBytes, work });
    try {
      for (const segment of group) {
        // deno-lint-ignore no-await-in-loop
        await this.#cleanInto(cleaned, segment);
      }
      const aborted = this.#transactions.takeKept();
      if (group.length === 1 && this.#filter.isUntouched) {
        cleaned.discard(); // it would be the same segment
        return needed;
      }
      // One that is not in reach is a group by itself, and keeps the gap that it has.
      if (isInReach(first, last)) await this.#endAt(last.nextOffset, cleaned);
      await cleaned.finish(aborted);
      await this.#swapIn(group, cleaned);
    } catch (fault) {
      discardQuietly(cleaned);
      throw fault;
    }
    return cleaned.sizeInBytes;
  }

  /**
   * Kafka leaves no batch at the end of what it cleans, so that offsets are missing before the next
   * segment. What replaces several segments must say where they ended: after a crash that is how
   * those are found that it stands for (`log_leftovers.ts`).
   */
  async #endAt(end: Offset, cleaned: CleanedSegment): Promise<void> {
    const from = cleaned.nextOffset;
    if (from >= end) return;
    const leaderEpoch = this.#log.epochs.epochFor(from) ?? NO_PARTITION_LEADER_EPOCH;
    this.#rewriter.span({ from, upTo: end }, leaderEpoch, cleaned.out);
    await cleaned.onBatch();
  }

  async #cleanInto(cleaned: CleanedSegment, segment: GroupedSegment): Promise<void> {
    const range = { from: segment.baseOffset, upTo: segment.nextOffset };
    const aborted = await this.#log.abortedTransactions(range.from, range.upTo);
    this.#transactions.expect(aborted, range);
    const { baseOffset } = segment;
    const ending = await this.#log.withSegment(
      baseOffset,
      (file, sizeInBytes) =>
        walkSound(
          { file, baseOffset, sizeInBytes },
          this.#tools,
          (batch) => this.#filter.filter(batch, cleaned.out) ?? cleaned.onBatch(),
        ),
    );
    if (ending === undefined) throw new GivenUp("a segment is not there any more");
  }

  async #swapIn(
    group: readonly GroupedSegment[],
    cleaned: CleanedSegment,
  ): Promise<void> {
    this.#tools.work.check();
    const present = new Map(this.#log.segmentFacts().map((each) => [each.baseOffset, each]));
    for (const { baseOffset, sizeInBytes } of group) {
      // Closed segments do not change, but a log that was cut and grew again has others of the name.
      if (present.get(baseOffset)?.sizeInBytes !== sizeInBytes) {
        throw new GivenUp("a segment is not the one that was read");
      }
    }
    const replaced = group.map(({ baseOffset }) => baseOffset);
    cleaned.handOver();
    const paths = await this.#log.replaceSegments(replaced, cleaned);
    if (paths === undefined) throw new GivenUp("its segments could not be replaced");
    this.#tools.onReplaced(paths);
  }

  #withIndexSizes(segments: readonly SegmentRange[]): readonly GroupedSegment[] {
    const { directory } = this.#log;
    const bytesOf = (baseOffset: Offset, kind: "index" | "timeindex"): number =>
      this.#tools.disk.info(segmentPath(directory, baseOffset, kind))?.bytes ?? 0;
    return segments.map((segment) => ({
      ...segment,
      offsetIndexBytes: bytesOf(segment.baseOffset, "index"),
      timeIndexBytes: bytesOf(segment.baseOffset, "timeindex"),
    }));
  }
}

/** Source: kafka: UnifiedLog.lastRecordsOfActiveProducers. */
function lastOfProducers(log: CompactableLog): ReadonlyMap<number, LastOfProducer> {
  const producers = new Map<number, LastOfProducer>();
  for (const { producerId, producerEpoch, batches } of log.producers.entries()) {
    producers.set(producerId, { producerEpoch, lastDataOffset: batches.at(-1)?.lastOffset ?? -1 });
  }
  return producers;
}

/** The first fault is the one to tell; what cannot be removed now is removed when the log is opened. */
function discardQuietly(cleaned: CleanedSegment): void {
  try {
    cleaned.discard();
  } catch (fault) {
    if (!(fault instanceof DiskFault)) throw fault;
  }
}
