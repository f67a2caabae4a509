/**
 * Opening a log: what lies in its directory, checked as far as `recovery.ts` demands.
 *
 * After a clean stop nothing but names and sizes is read, and two small files. Otherwise the segments
 * from the recovery point on are walked, the first of them from the last place that its indexes know
 * for certain, and the walk finds all there is to know: where the log ends, what the indexes lack,
 * leader epochs, producers, aborted transactions. So a start after a crash costs what was not synced,
 * not what is there.
 * Not here: the decisions (`recovery.ts`), and leftovers of crashes (`log_leftovers.ts`). Longer than
 * most: the steps share what the walk has found so far.
 */
import type { Crc32c } from "../../ground/crc32c.ts";
import { type Offset, toOffset } from "../../ground/numbers.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { BatchBelief, type Misfit } from "./batch_belief.ts";
import { type BatchVisitor, scan, type ScanEnding } from "../batch_scanner.ts";
import { findCleanEnd } from "./clean_end.ts";
import { damageFault } from "./damage_fault.ts";
import { type FoundDamage, refuseUnlessCut } from "./found_damage.ts";
import { LEADER_EPOCH_FILE } from "../format.ts";
import { keepProducers } from "./kept_producers.ts";
import { LeaderEpochs } from "../leader_epochs.ts";
import { findLogFiles, type LogFiles, settleOrphans } from "./log_files.ts";
import { settleLeftovers } from "./log_leftovers.ts";
import { ProducerStates } from "../producers/producer_state.ts";
import {
  type DamageFacts,
  epochCases,
  gapCases,
  lookCases,
  segmentCases,
  type SegmentDecision,
  startCases,
  type Stop,
} from "../recovery.ts";
import { Segment, type SegmentContext } from "../segment/segment.ts";
import { filesToDelete, takeSegmentsBelow } from "../segment/segment_removal.ts";
import type { Segments } from "../segment/segments.ts";
import { loadSnapshot, removeSnapshots } from "../producers/snapshot_files.ts";
import { writeTailAnew } from "./tail_rewrite.ts";
import { recallTransactions } from "./transaction_recall.ts";
import { findWalkStart, type WalkStart } from "./walk_start.ts";

export interface LoadOptions {
  readonly isClean: boolean;
  readonly recoveryPoint: Offset;
  readonly isRecoveryPointWritten: boolean;
  readonly logStartOffset: Offset;
}

export interface LoadedLog {
  readonly segments: Segments;
  readonly producers: ProducerStates;
  readonly epochs: LeaderEpochs;
  readonly logEndOffset: Offset;
  /** Everything below is durable. */
  readonly recoveryPoint: Offset;
  /** The snapshot that the producers were loaded from. */
  readonly snapshotOffset: Offset | undefined;
  /** False where the end is known by a file's name only. */
  readonly isEndRead: boolean;
}

export async function loadLog(
  context: SegmentContext,
  crc32c: Crc32c,
  options: LoadOptions,
): Promise<LoadedLog> {
  const files = await settleLeftovers(context, stopOf(options));
  return await new LogLoader(context, crc32c, { options, files: findLogFiles(context, files) })
    .load();
}

function stopOf(options: LoadOptions): Stop {
  return options.isClean ? "clean" : "unclean";
}

class LogLoader {
  readonly #context: SegmentContext;
  readonly #crc32c: Crc32c;
  readonly #options: LoadOptions;
  readonly #stop: Stop;
  readonly #segments: Segments;
  readonly #files: LogFiles;
  #snapshots: readonly Offset[];
  readonly #producers = new ProducerStates();
  readonly #epochs = new LeaderEpochs();
  #epochBytes: Uint8Array | undefined;
  /** Whether entries of the file that a walk is going to find again were dropped. */
  #areEpochsCut = false;
  #snapshotOffset: Offset | undefined;
  #isEndRead = true;
  /** Batches at or behind this offset are news to the producers; those below are in the snapshot. */
  #producersFrom = 0;
  /** The offset that the batch at the place of the walk must have at least. */
  #nextOffset = 0;
  /** Of the last batch that the walk has believed. */
  #lastEpoch: number | undefined;

  constructor(
    context: SegmentContext,
    crc32c: Crc32c,
    { options, files }: { readonly options: LoadOptions; readonly files: LogFiles },
  ) {
    this.#context = context;
    this.#crc32c = crc32c;
    this.#options = options;
    this.#stop = stopOf(options);
    this.#files = files;
    this.#segments = files.segments;
    this.#snapshots = files.snapshots;
  }

  async load(): Promise<LoadedLog> {
    const { recoveryPoint, logStartOffset } = this.#options;
    await this.#dropBelowStart();
    settleOrphans(this.#context, this.#files, { stop: this.#stop, recoveryPoint, logStartOffset });
    if (this.#segments.count === 0) this.#beginAt(logStartOffset);
    const epochsAnew = this.#loadEpochs() === "anew";
    let durableTo: number = recoveryPoint;
    if (this.#stop === "clean") durableTo = await this.#loadClean(epochsAnew);
    else await this.#recover(epochsAnew);
    const end = this.#nextOffset;
    if (startCases.decide({ end: endPlace(end, logStartOffset) }) === "begin anew") {
      await this.#beginAnew(logStartOffset);
      durableTo = logStartOffset;
    }
    this.#settleEpochs(logStartOffset);
    this.#removeStraySnapshots();
    const segments = this.#segments;
    if (this.#stop === "unclean" && durableTo < this.#nextOffset) {
      await writeTailAnew(segments, durableTo);
    }
    const log = { context: this.#context, crc32c: this.#crc32c, segments };
    this.#context.restoreTransactions = (segment) => recallTransactions(log, segment);
    this.#context.nextBaseOffset = ({ baseOffset }) =>
      segments.all()[segments.floorIndex(baseOffset) + 1]?.baseOffset;
    return {
      segments,
      producers: this.#producers,
      epochs: this.#epochs,
      logEndOffset: toOffset(this.#nextOffset),
      recoveryPoint: toOffset(Math.min(durableTo, this.#nextOffset)),
      snapshotOffset: this.#snapshotOffset,
      isEndRead: this.#isEndRead,
    };
  }

  // --- before the log is looked at ---------------------------------------------------------------

  /** What was deleted before the stop is out of the log before it serves. */
  async #dropBelowStart(): Promise<void> {
    const all = this.#segments.all();
    if (all.length === 0) return;
    const below = all.filter((_, index) => this.#decide(index) === "drop");
    if (below.length === 0) return;
    const [context, crc32c, segments] = [this.#context, this.#crc32c, this.#segments];
    const { baseOffset } = segments.at(below.length);
    // A stop may have come before the snapshot was durable: what those that go know is to be kept.
    await keepProducers({ context, crc32c, segments }, baseOffset);
    await context.disk.syncDirectory(context.directory);
    const onBroken = (fault: unknown): void => {
      throw fault;
    };
    const log = { context, segments, onBroken };
    await this.#removeDurably(takeSegmentsBelow(log, this.#options.logStartOffset));
    const left = this.#snapshots.filter((at) => !below.some((gone) => gone.baseOffset === at));
    this.#snapshots = [...new Set([...left, baseOffset])].sort((one, other) => one - other);
  }

  async #removeDurably(paths: readonly string[]): Promise<void> {
    const { disk, directory } = this.#context;
    await disk.syncDirectory(directory);
    for (const path of paths) disk.remove(path);
  }

  #decide(index: number): SegmentDecision {
    const { recoveryPoint, logStartOffset } = this.#options;
    const segment = this.#segments.at(index);
    const next = this.#segments.all()[index + 1]?.baseOffset;
    const isBelow = next !== undefined && next < recoveryPoint;
    const isBehind = segment.baseOffset >= recoveryPoint;
    return segmentCases.decide({
      stop: this.#stop,
      start: next !== undefined && next <= logStartOffset ? "below" : "in the log",
      recovery: isBelow ? "below" : isBehind ? "behind" : "around",
      place: next === undefined ? "last" : "earlier",
    });
  }

  #loadEpochs(): "use" | "extend" | "anew" {
    const path = `${this.#context.directory}/${LEADER_EPOCH_FILE}`;
    this.#epochBytes = this.#context.disk.readWhole(path);
    const isSound = this.#epochBytes !== undefined && this.#epochs.decode(this.#epochBytes);
    const file = this.#epochBytes === undefined ? "missing" : isSound ? "sound" : "bad";
    return epochCases.decide({ stop: this.#stop, file });
  }

  // --- after a clean stop ------------------------------------------------------------------------

  async #loadClean(epochsAnew: boolean): Promise<number> {
    const { recoveryPoint } = this.#options;
    const active = this.#segments.active();
    const newestSnapshot = this.#snapshots.at(-1);
    const { end, isRead } = await findCleanEnd(active, { recoveryPoint, newestSnapshot });
    this.#isEndRead = isRead;
    await this.#walkTrusted(end, { snapshotsTo: end, epochsAnew });
    for (const segment of this.#segments.all()) segment.markDurable();
    this.#nextOffset = end;
    return end;
  }

  // --- after an unclean stop ---------------------------------------------------------------------

  /** Walks what may be torn, and cuts it where it is. */
  async #recover(epochsAnew: boolean): Promise<void> {
    const all = [...this.#segments.all()];
    const decisions = all.map((_, index) => this.#decide(index));
    const walkedAt = decisions.findIndex((decision) => decision !== "trust");
    const first = all[walkedAt] as Segment;
    await this.#walkTrusted(first.baseOffset, {
      snapshotsTo: this.#snapshotsTo(all, walkedAt, decisions[walkedAt] as SegmentDecision),
      epochsAnew,
    });
    for (const segment of all.slice(0, walkedAt)) segment.markDurable();
    for (let at = walkedAt; at < all.length; at++) {
      const segment = all[at] as Segment;
      if (at > walkedAt && this.#isLostBefore(segment)) {
        this.#cutFrom(at);
        break;
      }
      this.#nextOffset = Math.max(this.#nextOffset, segment.baseOffset);
      // deno-lint-ignore no-await-in-loop -- one behind the other: each begins where the last ended
      const isWhole = await this.#walkSegment(segment, {
        isResumed: decisions[at] === "resume",
        epochsAnew,
      });
      if (isWhole) continue;
      this.#cutFrom(at + 1);
      break;
    }
    const end = this.#nextOffset;
    this.#refuseLostEnd(end);
    removeSnapshots(this.#context, this.#snapshots.filter((offset) => offset > end));
    this.#snapshots = this.#snapshots.filter((offset) => offset <= end);
  }

  /**
   * Up to where a producer snapshot may be believed. One inside the first walked segment says that
   * aborted transactions below it are in the segment's file (snapshot_files.ts, SnapshotPace); the one
   * at its end was written by the roll, which does not say so.
   */
  #snapshotsTo(all: readonly Segment[], at: number, decision: SegmentDecision): number {
    const segment = all[at] as Segment;
    if (decision !== "resume" || segment.transactionsFlaw() !== undefined) {
      return segment.baseOffset;
    }
    const next = all[at + 1]?.baseOffset ?? Infinity;
    return Math.min(this.#options.recoveryPoint, next - 1);
  }

  /**
   * Restores producers (and epochs where their file is of no use) as of `end` from what is trusted:
   * the newest usable snapshot and the batches from there on. A snapshot may lie behind `end`.
   */
  async #walkTrusted(
    end: number,
    how: { readonly snapshotsTo: number; readonly epochsAnew: boolean },
  ): Promise<void> {
    const all = this.#segments.all();
    const start = all[0]?.baseOffset ?? 0;
    this.#snapshotOffset = loadSnapshot(this.#context, this.#crc32c, {
      offsets: this.#snapshots,
      producers: this.#producers,
      upTo: how.snapshotsTo,
    });
    this.#producersFrom = Math.max(this.#snapshotOffset ?? start, start);
    this.#nextOffset = start;
    const from = how.epochsAnew ? start : this.#producersFrom;
    for (let at = this.#segments.floorIndex(from); at < all.length && from < end; at++) {
      const segment = all[at] as Segment;
      if (segment.baseOffset >= end) break;
      this.#nextOffset = Math.max(this.#nextOffset, segment.baseOffset);
      const belief = new BatchBelief(this.#nextOffset, {
        onSound: (batch) => this.#note(batch),
        fits: (lastOffset) => segment.fits(lastOffset),
        believesLast: () => true,
      });
      const visit: BatchVisitor = (batch, place) =>
        belief.offer(batch, place, { isChecked: false });
      const range = { position: 0, end: segment.sizeInBytes, mode: "header" as const };
      // deno-lint-ignore no-await-in-loop -- in the order of the log
      const { position, ending } = await segment.withFile((file) => scan(file, range, visit));
      const isWhole = belief.finish(Math.min(all[at + 1]?.baseOffset ?? end, end));
      if (ending === "clean" && isWhole) continue;
      const place = isWhole ? position : (belief.misfit as Misfit).position;
      this.#refuse(segment, { position: place, ending, place: "below" });
    }
    this.#nextOffset = Math.max(this.#nextOffset, end);
  }

  /** Walks one segment: headers up to the recovery point, whole batches behind it. False where it was cut. */
  async #walkSegment(
    segment: Segment,
    how: { readonly isResumed: boolean; readonly epochsAnew: boolean },
  ): Promise<boolean> {
    const resumed = how.isResumed && !how.epochsAnew
      ? await findWalkStart(this.#context.disk, segment, {
        recoveryPoint: this.#options.recoveryPoint,
        producersFrom: this.#producersFrom,
      })
      : undefined;
    segment.truncateTransactions(this.#producersFrom);
    if (resumed !== undefined) {
      segment.resumeIndexes(resumed.indexes);
      const walked = await this.#walkFrom(segment, resumed);
      if (walked !== "lie") return this.#settle(segment, walked);
    }
    const indexes = segment.startIndexes();
    const anew = { position: 0, lastOffset: undefined, indexes, indexedTo: 0 };
    const walked = await this.#walkFrom(segment, anew);
    return this.#settle(segment, walked as Walked);
  }

  async #walkFrom(segment: Segment, start: WalkStart): Promise<Walked | "lie"> {
    const { recoveryPoint } = this.#options;
    const end = segment.sizeInBytes;
    const belief = this.#beliefOf(segment, start);
    const isNamed = (position: number): boolean =>
      position === start.position && start.lastOffset !== undefined;
    let isLie = false;
    let isSound = true;
    const visitDurable: BatchVisitor = (batch, position) => {
      const named = isNamed(position);
      isLie = named && batch.lastOffset() !== start.lastOffset;
      if (isLie || batch.nextOffset() > recoveryPoint) return false;
      return belief.offer(batch, position, { isNamed: named, isChecked: false });
    };
    const visitBehind: BatchVisitor = (batch, position) => {
      isSound = batch.crc() === batch.computedCrc(this.#crc32c);
      const known = { isNamed: isNamed(position), isChecked: true };
      return isSound && belief.offer(batch, position, known);
    };
    const { position, ending } = await segment.withFile(async (file) => {
      const range = { position: start.position, end, mode: "header" as const };
      const durable = await scan(file, range, visitDurable);
      const isOver = durable.position === end || isLie || belief.misfit !== undefined;
      if (isOver) return durable;
      return await scan(file, { position: durable.position, end, mode: "whole" }, visitBehind);
    });
    if (isLie || isNamed(position) && ending !== "clean") return "lie";
    belief.finish(ending === "clean" ? this.#baseBehind(segment) : Infinity);
    this.#nextOffset = belief.floor;
    this.#lastEpoch = belief.lastEpoch;
    const { misfit } = belief;
    if (misfit === undefined) return { position, ending, isSound, floor: belief.floor };
    return { ...misfit, ending: "stopped", isSound: true };
  }

  #beliefOf(segment: Segment, { indexes, indexedTo }: WalkStart): BatchBelief {
    const { indexIntervalBytes } = this.#context;
    return new BatchBelief(this.#nextOffset, {
      onSound: (batch, position) => {
        if (position >= indexedTo) indexes.note(batch, position, indexIntervalBytes);
        this.#note(batch, segment);
      },
      fits: (lastOffset) => segment.fits(lastOffset),
      believesLast: ({ baseOffset, nextOffset }, floor) => {
        if (baseOffset === floor) return true;
        const { recoveryPoint } = this.#options;
        if (floor < recoveryPoint) return nextOffset <= recoveryPoint;
        return !this.#isGapCut(segment, { from: floor, to: baseOffset });
      },
    }, this.#lastEpoch);
  }

  #baseBehind({ baseOffset }: Segment): number {
    const segments = this.#segments;
    return segments.all()[segments.floorIndex(baseOffset) + 1]?.baseOffset ?? Infinity;
  }

  /** What the walk has come to: the end, or something that is no batch of this log. */
  #settle(segment: Segment, { position, ending, isSound, floor }: Walked): boolean {
    if (ending === "clean") {
      segment.seal();
      return true;
    }
    const place = placeOf(floor, this.#options.recoveryPoint);
    this.#refuse(segment, { position, ending, isSound, place });
    this.#traceCut(segment, segment.sizeInBytes - position);
    segment.cut(position);
    segment.truncateTransactions(this.#nextOffset);
    segment.seal();
    return false;
  }

  /** `segment`: of a walk that finds the segment's aborted transactions, too. */
  #note(batch: BatchView, segment?: Segment): void {
    const lastOffset = batch.lastOffset();
    const baseOffset = batch.baseOffset();
    this.#nextOffset = lastOffset + 1;
    if (!this.#areEpochsCut) this.#epochs.truncateFromEnd(baseOffset);
    this.#areEpochsCut = true;
    this.#epochs.assign(batch.partitionLeaderEpoch(), baseOffset);
    if (lastOffset < this.#producersFrom) return;
    const aborted = this.#producers.update(batch);
    if (aborted !== undefined) segment?.addAborted(aborted);
  }

  /** Whether offsets before a segment are lost, so that it must go, too. */
  #isLostBefore(segment: Segment): boolean {
    const gap = { from: this.#nextOffset, to: segment.baseOffset };
    return gap.to > gap.from && this.#isGapCut(segment, gap);
  }

  /** Of offsets that no batch has, before a segment or before the last batch. */
  #isGapCut(
    segment: Segment,
    { from, to }: { readonly from: number; readonly to: number },
  ): boolean {
    const { recoveryPoint, isRecoveryPointWritten } = this.#options;
    const place = placeOf(from, recoveryPoint);
    const checkpoint = isRecoveryPointWritten ? "there" : "missing";
    const decision = gapCases.decide({ stop: this.#stop, place, checkpoint });
    if (decision === "accept and tell") {
      const fields = { segment: segment.path("log"), from, missing: to - from };
      this.#context.trace.event("warn", "no batches at some offsets of a log", fields);
    }
    return decision === "cut";
  }

  /** The end was durable once: that it is missing is damage, however sound the rest. */
  #refuseLostEnd(end: number): void {
    const { recoveryPoint, logStartOffset } = this.#options;
    if (end < logStartOffset) return; // deleted
    const found = end < recoveryPoint ? "below" : "at or behind";
    if (lookCases.decide({ end: found }) === "believe") return;
    const what = `it ends at offset ${end}, and was durable up to ${recoveryPoint}`;
    throw damageFault(this.#segments.active().path("log"), what);
  }

  /** Drops what lies behind a cut. The newest goes first, so that what is left has no hole. */
  #cutFrom(index: number): void {
    for (const segment of this.#segments.takeFrom(index).toReversed()) {
      this.#traceCut(segment, segment.sizeInBytes);
      segment.remove();
    }
  }

  // --- the ends ----------------------------------------------------------------------------------

  #beginAt(offset: Offset): void {
    this.#segments.add(new Segment(this.#context, { baseOffset: offset, sizeInBytes: 0 }));
  }

  /** Everything that is left was deleted. */
  async #beginAnew(logStartOffset: Offset): Promise<void> {
    const fields = {
      directory: this.#context.directory,
      logEndOffset: this.#nextOffset,
      logStartOffset,
    };
    this.#context.trace.event("warn", "a log that ends below its start begins anew", fields);
    const { disk } = this.#context;
    const paths: string[] = [];
    for (const segment of this.#segments.takeFrom(0)) {
      for (const { from, to } of filesToDelete(disk, segment)) {
        disk.rename(from, to);
        paths.push(to);
      }
      segment.abandon();
    }
    await this.#removeDurably(paths);
    removeSnapshots(this.#context, this.#snapshots);
    this.#snapshots = [];
    this.#snapshotOffset = undefined;
    this.#producers.clear();
    this.#epochs.clear();
    this.#beginAt(logStartOffset);
    this.#nextOffset = logStartOffset;
    this.#isEndRead = true;
  }

  #settleEpochs(logStartOffset: Offset): void {
    const first = this.#segments.at(0).baseOffset;
    this.#epochs.truncateFromEnd(this.#nextOffset);
    this.#epochs.truncateFromStart(Math.max(first, logStartOffset));
    const bytes = this.#epochBytes;
    this.#epochs.isChanged = bytes === undefined || !isSame(bytes, this.#epochs.encode());
  }

  /** Those between segments go, but for the one that was used and the newest, which may be the only good one. */
  #removeStraySnapshots(): void {
    if (this.#snapshots.length === 0) return;
    const stray = this.#snapshots.filter((offset) =>
      offset < this.#nextOffset && offset !== this.#snapshotOffset &&
      this.#segments.indexOf(offset) < 0
    );
    removeSnapshots(this.#context, stray.slice(0, -1));
  }

  /** Throws unless what was found may be cut. */
  #refuse(segment: Segment, damage: FoundDamage): void {
    const { recoveryPoint } = this.#options;
    const known = { stop: this.#stop, recoveryPoint, nextOffset: this.#nextOffset };
    refuseUnlessCut(segment, damage, known);
  }

  #traceCut(segment: Segment, bytes: number): void {
    const fields = { segment: segment.path("log"), bytes, logEndOffset: this.#nextOffset };
    this.#context.trace.event("warn", "torn tail cut off", fields);
  }
}

/** How a walk ended; `isSound` is false where a CRC stopped it. */
interface Walked {
  readonly position: number;
  readonly ending: ScanEnding;
  readonly isSound: boolean;
  /** A sound batch there could have no offset below. */
  readonly floor: number;
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

function placeOf(nextOffset: number, recoveryPoint: number): DamageFacts["place"] {
  if (nextOffset === recoveryPoint) return "at";
  return nextOffset < recoveryPoint ? "below" : "behind";
}

function endPlace(
  end: number,
  logStartOffset: number,
): "at or above the start" | "below the start" {
  return end < logStartOffset ? "below the start" : "at or above the start";
}
