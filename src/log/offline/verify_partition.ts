/**
 * One partition examined: a walk through every batch and every index entry, and then what lies beside
 * them (`beside_batches.ts`).
 *
 * Offsets that are missing are a hole; what a hole means depends on what lies around it:
 *
 * | around the hole | it is |
 * |---|---|
 * | bytes that are no batch | damage: these offsets are lost |
 * | index files without their log | damage: a segment file is missing |
 * | nothing, the topic is known to be compacted, or a repair wrote it down | as it should be |
 * | nothing, the topic is known not to be compacted | damage |
 * | nothing, and nothing is known of the topic | told, no damage |
 *
 * Bytes at the end that are no batch, behind what is known as durable, are a torn tail: recovery cuts
 * it. Longer than most, because the one walk feeds all checks.
 */
import { type Disk, DiskFault } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import { segmentFileName } from "../format.ts";
import type { TopicPartition } from "../directory/partition_folder.ts";
import type { Offset } from "../../ground/numbers.ts";
import { checkEpochs, checkSnapshots, tellNames, type WalkedLog } from "./beside_batches.ts";
import { EpochCheck } from "./epoch_check.ts";
import { type Finding, type OffsetSpan, REMEDY_REBUILD, spanText } from "./finding.ts";
import { entrySpan, offsetEntryAt } from "./index_files.ts";
import type { DamagedPlace } from "./log_walk.ts";
import { listPartition, type PartitionFiles, type SegmentFiles } from "./partition_files.ts";
import type { Cut, PartitionHints, PartitionReport, SegmentReport } from "./partition_report.ts";
import { acceptedLosses, isCovered } from "./repair_manifest.ts";
import { TransactionCheck, type WrongTransactions } from "./transaction_check.ts";
import { type ExaminedBatch, type SegmentResult, verifySegment } from "./verify_segment.ts";

export interface PartitionTask {
  readonly disk: Disk;
  readonly crc32c: Crc32c;
  readonly path: string;
  readonly partition: TopicPartition | undefined;
  readonly hints: PartitionHints;
  /** Hears of each finding as it is made. */
  onFinding?(finding: Finding): void;
  /** Hears how many more bytes were read. */
  onProgress?(bytes: number): Promise<void> | void;
}

/** A compacted log has as many as it has batches. */
const GAPS_TOLD_MAX = 10;
const REMEDY_REPAIR = "mq log repair shows what can be done";

export async function verifyPartition(task: PartitionTask): Promise<PartitionReport> {
  return await new PartitionCheck(task).run();
}

interface SegmentSituation {
  readonly cuts: readonly Cut[];
  readonly isGrowing: boolean;
  readonly nextBaseOffset: number | undefined;
}

interface IndexVerdict {
  /** Of the offset and the time index. */
  readonly isFlawed: boolean;
  readonly transactions: SegmentReport["transactions"];
}

/** A damaged place whose offsets are not known before the next batch is. */
interface PendingCut extends DamagedPlace {
  readonly path: string;
}

class PartitionCheck {
  readonly #task: PartitionTask;
  readonly #files: PartitionFiles;
  readonly #findings: Finding[] = [];
  readonly #segments: SegmentReport[] = [];
  readonly #lost: OffsetSpan[] = [];
  readonly #transactions = new TransactionCheck();
  readonly #epochs = new EpochCheck();
  readonly #accepted: readonly OffsetSpan[];
  /** Segments of which only the indexes are there. */
  readonly #orphans: readonly SegmentFiles[];
  #pending: PendingCut[] = [];
  /** Ends of segments whose index speaks of more: by where they end now, the offset it speaks of. */
  readonly #shortened = new Map<number, number>();
  #next = 0;
  /** Behind the offsets that are known to have been given out, where that is behind the log's end. */
  #resumeOffset = 0;
  /** Those that may be as they should be. */
  #gaps = 0;
  #isUnreadable = false;
  #bytes = 0;
  #batches = 0;

  constructor(task: PartitionTask) {
    this.#task = task;
    this.#files = listPartition(task.disk, task.path);
    this.#accepted = acceptedLosses(task.disk, task.path, this.#files.repairFolders);
    this.#orphans = this.#files.segments.filter(({ log }) => log === undefined);
  }

  async run(): Promise<PartitionReport> {
    const { path, partition, hints } = this.#task;
    const segments = this.#files.segments.filter(({ log }) => log !== undefined);
    const startOffset = segments[0]?.baseOffset ?? hints.logStart ?? 0;
    this.#next = startOffset;
    this.#checkStart(startOffset);
    for (const [at, files] of segments.entries()) {
      // deno-lint-ignore no-await-in-loop -- one walk through the log, in its order
      await this.#checkSegment(files, segments[at + 1]?.baseOffset);
    }
    if (!this.#isUnreadable) this.#checkEnd();
    const walked = this.#walked();
    const wrongSnapshots = checkSnapshots(walked);
    const epochs = checkEpochs(walked, this.#epochs);
    this.#tellGapsLeft();
    tellNames(walked);
    return {
      path,
      partition,
      hints,
      findings: this.#findings,
      segments: this.#segments,
      orphans: walked.orphanNames,
      wrongSnapshots,
      areEpochsWrong: epochs.isFileWrong,
      wrongEpochs: epochs.wrong,
      startOffset: Math.max(startOffset, hints.logStart ?? 0),
      endOffset: this.#next,
      resumeOffset: walked.resumeOffset,
      lost: this.#lost,
      isUnreadable: this.#isUnreadable,
      hasUnfinishedSwap: this.#hasUnfinishedSwap(),
      bytes: this.#bytes,
      batches: this.#batches,
    };
  }

  /** Offsets before the first segment that should be there. */
  #checkStart(startOffset: number): void {
    const { logStart, isCompacted } = this.#task.hints;
    const orphan = this.#orphans.find(({ baseOffset }) => baseOffset < startOffset);
    const from = Math.max(logStart ?? orphan?.baseOffset ?? startOffset, 0);
    if (from >= startOffset) return;
    const span = { from, until: startOffset };
    if (this.#isAccepted(span)) return;
    // Kafka writes the checkpoint late: there an old one says nothing.
    const isDamage = orphan !== undefined || isCompacted !== undefined;
    if (isDamage) this.#lost.push(span);
    this.#tell({
      severity: isDamage ? "damage" : "info",
      code: orphan === undefined ? "start-missing" : "segment-missing",
      path: this.#task.path,
      offsets: span,
      message: `the log begins with offset ${startOffset}, and ${spanText(span)} should be there`,
      ...(isDamage ? { remedy: REMEDY_REPAIR } : {}),
    });
  }

  async #checkSegment(files: SegmentFiles, nextBaseOffset: number | undefined): Promise<void> {
    const { disk, crc32c, path: directory, hints } = this.#task;
    const isGrowing = hints.state === "running" && nextBaseOffset === undefined;
    const path = `${directory}/${files.log?.name ?? ""}`;
    const cuts: Cut[] = [];
    let seen = 0;
    const progress = async (position: number): Promise<void> => {
      await this.#task.onProgress?.(position - seen);
      seen = position;
    };
    const task = { disk, crc32c, directory, files, nextBaseOffset, isGrowing };
    try {
      const result = await verifySegment(task, {
        onBatch: (batch) => this.#onBatch(batch, files.log?.name ?? ""),
        onDamage: (place) => {
          cuts.push({
            position: place.position,
            sizeInBytes: place.sizeInBytes,
            reason: place.reason,
          });
          this.#pending.push({ ...place, path });
        },
        onProgress: progress,
      });
      await progress(result.sizeInBytes);
      this.#noteSegment(files, result, { cuts, isGrowing, nextBaseOffset });
    } catch (fault) {
      if (!(fault instanceof DiskFault)) throw fault;
      this.#tellFault(fault);
    }
  }

  #noteSegment(
    files: SegmentFiles,
    result: SegmentResult,
    how: SegmentSituation,
  ): void {
    this.#bytes += result.sizeInBytes;
    this.#batches += result.batches;
    if (result.fault !== undefined) this.#tellFault(result.fault);
    const { offsetBehind, nextOffset } = result;
    if (offsetBehind !== undefined) this.#shortened.set(nextOffset, offsetBehind);
    // What is lost at its end holds markers, too.
    if (result.nextOffset < (how.nextBaseOffset ?? 0)) this.#transactions.onGap();
    const { isFlawed, transactions } = this.#tellIndexes(files, result, how);
    this.#segments.push({
      baseOffset: files.baseOffset,
      name: files.log?.name ?? "",
      indexNames: indexNamesOf(files),
      sizeInBytes: result.sizeInBytes,
      batches: result.batches,
      nextOffset: result.nextOffset,
      cuts: how.cuts,
      areIndexesWrong: isFlawed || how.cuts.length > 0,
      transactions,
    });
  }

  /** A segment with damage gets new indexes anyway: of a sound one each flaw is told. */
  #tellIndexes(
    files: SegmentFiles,
    result: SegmentResult,
    { isGrowing, nextBaseOffset, cuts }: SegmentSituation,
  ): IndexVerdict {
    const { baseOffset } = files;
    const isLast = nextBaseOffset === undefined;
    const wrong = this.#wrongTransactions(files, result);
    const verdict = { isFlawed: true, transactions: wrong?.entries };
    if (cuts.length > 0) return verdict;
    const before = this.#findings.length;
    const tell = (
      code: Finding["code"],
      name: string,
      flaw: SegmentResult["timeIndexFlaw"],
    ): void =>
      flaw === undefined ? undefined : this.#tell({
        severity: "warning",
        code,
        path: `${this.#task.path}/${name}`,
        position: flaw.byte,
        message: flaw.reason,
        remedy: REMEDY_REBUILD,
      });
    tell("index-wrong", files.index?.name ?? "", result.offsetIndexFlaw);
    tell("time-index-wrong", files.timeindex?.name ?? "", result.timeIndexFlaw);
    if (result.batches > 0 && !isLast) {
      for (const kind of ["index", "timeindex"] as const) {
        if (files[kind] === undefined) {
          this.#tellMissing(segmentFileName(baseOffset as Offset, kind));
        }
      }
    }
    const isFlawed = this.#findings.length > before;
    if (isGrowing) return { isFlawed, transactions: undefined };
    const name = segmentFileName(baseOffset as Offset, "txnindex");
    tell("transaction-index-wrong", name, wrong?.flaw);
    return { ...verdict, isFlawed };
  }

  #wrongTransactions(files: SegmentFiles, result: SegmentResult): WrongTransactions | undefined {
    const { baseOffset, txnindex } = files;
    const bytes = txnindex && this.#task.disk.readWhole(`${this.#task.path}/${txnindex.name}`);
    const { nextOffset, batches } = result;
    const found = this.#transactions.finishSegment({ baseOffset, nextOffset }, bytes);
    const isStray = batches === 0 && bytes !== undefined && bytes.length > 0;
    return isStray ? { flaw: STRAY_INDEX, entries: [] } : found;
  }

  #tellMissing(name: string): void {
    this.#tell({
      severity: "warning",
      code: "index-missing",
      path: `${this.#task.path}/${name}`,
      message: "the index is not there",
      remedy: "it is made anew when it is needed",
    });
  }

  #onBatch(batch: ExaminedBatch, segment: string): void {
    if (this.#pending.length > 0 || batch.baseOffset > this.#next) this.#onHole(batch.baseOffset);
    this.#epochs.onBatch(batch, segment);
    this.#transactions.onBatch(batch);
    this.#next = batch.lastOffset + 1;
  }

  /** Between the batches before and the one at `until`. */
  #onHole(until: number): void {
    const from = Math.max(this.#next, this.#task.hints.logStart ?? 0);
    const span = until > from ? { from, until } : undefined;
    if (until > this.#next) this.#transactions.onGap();
    const cuts = this.#pending;
    this.#pending = [];
    if (cuts.length === 0) {
      if (span !== undefined) this.#tellGap(span);
      return;
    }
    if (span !== undefined) this.#lost.push(span);
    for (const cut of cuts) this.#tellCut(cut, span, true);
  }

  #tellCut(cut: PendingCut, span: OffsetSpan | undefined, isBetween: boolean): void {
    const { hints } = this.#task;
    const isAtRisk = isBetween && hints.state !== "clean" && hints.state !== "running" &&
      (span?.from ?? this.#next) >= (hints.recoveryPoint ?? 0);
    this.#tell({
      severity: "damage",
      code: "batch-damaged",
      path: cut.path,
      position: cut.position,
      sizeInBytes: cut.sizeInBytes,
      ...(span === undefined ? {} : { offsets: span }),
      message: span === undefined ? `${cut.reason}; no offset is missing` : cut.reason,
      remedy: isAtRisk
        ? "run mq log repair before the broker starts: it would cut here, with all that lies behind"
        : REMEDY_REPAIR,
    });
  }

  #tellGap(span: OffsetSpan): void {
    if (this.#isAccepted(span)) return;
    const isCompacted = this.#hasUnfinishedSwap() || this.#task.hints.isCompacted;
    const reason = this.#lossIn(span) ?? (isCompacted === false ? GAP_KNOWN : undefined);
    const { path } = this.#task;
    if (reason !== undefined) {
      this.#lost.push(span);
      const code = this.#hasOrphanIn(span) ? "segment-missing" : "offset-gap";
      const [message, remedy] = [reason, REMEDY_REPAIR];
      this.#tell({ severity: "damage", code, path, offsets: span, message, remedy });
    } else if (isCompacted !== true && ++this.#gaps <= GAPS_TOLD_MAX) {
      const message = GAP_UNKNOWN;
      this.#tell({ severity: "info", code: "offset-gap", path, offsets: span, message });
    }
  }

  /** What says that the offsets were there. */
  #lossIn(span: OffsetSpan): string | undefined {
    if (this.#hasOrphanIn(span)) return "a segment file is missing; its indexes are there";
    const shortened = this.#shortened.get(span.from);
    return shortened === undefined || shortened >= span.until
      ? undefined
      : `the segment before ends too soon: its index knows offset ${shortened}`;
  }

  #hasOrphanIn({ from, until }: OffsetSpan): boolean {
    return this.#orphans.some(({ baseOffset }) => baseOffset >= from && baseOffset < until);
  }

  #isAccepted(span: OffsetSpan): boolean {
    if (!isCovered(span, this.#accepted)) return false;
    this.#tell({
      severity: "info",
      code: "repaired",
      path: this.#task.path,
      offsets: span,
      message: "the offsets were lost, and a repair has written that down",
    });
    return true;
  }

  /** What lies behind the last batch, and what should. */
  #checkEnd(): void {
    const { hints } = this.#task;
    const last = this.#files.segments.findLast(({ log }) => log !== undefined);
    if (last?.log?.bytes === 0 && last.baseOffset > this.#next && !this.#isCutAt(this.#next)) {
      this.#onHole(last.baseOffset);
      this.#next = last.baseOffset;
    }
    const end = this.#next;
    const cuts = this.#pending;
    this.#pending = [];
    const known = this.#knownEnd();
    if (cuts.length === 0) {
      if (known > end) this.#tellLostTail({ from: end, until: known });
      return;
    }
    const isNeverDurable = known <= end && hints.state !== "clean";
    if (isNeverDurable) return this.#tellTail(cuts);
    const claimed = Math.max(...cuts.map(({ claims }) => (claims?.lastOffset ?? -1) + 1));
    const until = Math.max(known, claimed, last?.baseOffset ?? 0);
    const span = until > end ? { from: end, until } : undefined;
    this.#resumeOffset = until;
    if (span !== undefined) this.#lost.push(span);
    for (const cut of cuts) this.#tellCut(cut, span, false);
  }

  #tellLostTail(span: OffsetSpan): void {
    this.#resumeOffset = span.until;
    if (this.#isAccepted(span)) return;
    this.#lost.push(span);
    const isMissing = this.#orphans.some(({ baseOffset }) => baseOffset >= span.from);
    this.#tell({
      severity: "damage",
      code: isMissing ? "segment-missing" : "tail-lost",
      path: this.#task.path,
      offsets: span,
      message: `${isMissing ? "a segment file is missing: " : ""}the log ends before offset ` +
        `${span.from}, and offset ${span.until - 1} was there`,
      remedy: REMEDY_REPAIR,
    });
  }

  /** Whether a start takes what lies behind a gap from there on for a torn tail. */
  #isCutAt(offset: number): boolean {
    const { state, recoveryPoint = 0, hasRecoveryPoints } = this.#task.hints;
    return state === "unclean" && hasRecoveryPoints && offset >= recoveryPoint;
  }

  #tellTail(cuts: readonly PendingCut[]): void {
    const isMoving = this.#task.hints.state === "running" && cuts.every(({ isTorn }) => isTorn);
    for (const { path, position, sizeInBytes, reason } of cuts) {
      this.#tell({
        severity: isMoving ? "info" : "warning",
        code: isMoving ? "tail-moving" : "tail-torn",
        path,
        position,
        sizeInBytes,
        message: isMoving
          ? `a batch is being written: ${reason}`
          : `a torn tail that was never known as durable: ${reason}`,
        ...(isMoving ? {} : { remedy: "the next start of the broker cuts it off" }),
      });
    }
  }

  /** Behind the last offset that was surely there once. */
  #knownEnd(): number {
    const { state, recoveryPoint = 0 } = this.#task.hints;
    // After a crash the names and indexes may know of batches that never reached the disk.
    if (state === "unclean" || state === "running") return recoveryPoint;
    const snapshots = this.#files.snapshots.map(({ offset }) => offset);
    return Math.max(
      recoveryPoint,
      ...(state === "clean" ? snapshots : []),
      (this.#shortened.get(this.#next) ?? -1) + 1,
      ...this.#orphans.map((files) => this.#indexedEnd(files)),
    );
  }

  /** By the last entry of an index whose log is missing. */
  #indexedEnd({ baseOffset, index }: SegmentFiles): number {
    const bytes = index === undefined
      ? undefined
      : this.#task.disk.readWhole(`${this.#task.path}/${index.name}`);
    const count = bytes === undefined ? 0 : entrySpan(bytes, 8).count;
    if (bytes === undefined || count === 0) return baseOffset;
    return Math.max(offsetEntryAt(bytes, baseOffset, count - 1).offset + 1, baseOffset);
  }

  #walked(): WalkedLog {
    const { disk, crc32c, path, hints } = this.#task;
    return {
      ...{ disk, crc32c, path, hints, files: this.#files },
      orphanNames: this.#orphans.flatMap(indexNamesOf),
      endOffset: this.#next,
      resumeOffset: Math.max(this.#next, this.#resumeOffset),
      batches: this.#batches,
      isUnreadable: this.#isUnreadable,
      tell: (finding) => this.#tell(finding),
    };
  }

  #tellGapsLeft(): void {
    const untold = this.#gaps - GAPS_TOLD_MAX;
    if (untold <= 0) return;
    const message = `${untold} more gaps of that kind`;
    this.#tell({ severity: "info", code: "offset-gap", path: this.#task.path, message });
  }

  #hasUnfinishedSwap(): boolean {
    return this.#files.leftovers.some(({ name }) => name.endsWith(".log.swap"));
  }

  #tellFault(fault: DiskFault): void {
    if (fault.kind === "not-found" && this.#task.hints.state === "running") {
      const message = "the file went away while it was read (retention or compaction)";
      this.#tell({ severity: "info", code: "gone", path: fault.path, message });
      return;
    }
    this.#isUnreadable = true;
    this.#tell({
      severity: "damage",
      code: "unreadable",
      path: fault.path,
      message: fault.message,
      remedy: "the disk does not give the bytes: copy what it gives to another one first",
    });
  }

  #tell(finding: Finding): void {
    this.#findings.push(finding);
    this.#task.onFinding?.(finding);
  }
}

const GAP_KNOWN = "the offsets are missing, and the topic is not compacted";
const GAP_UNKNOWN =
  "the offsets are missing: as compaction leaves it, or a segment file is missing";

const STRAY_INDEX = { byte: 0, reason: "its log holds no batch" };

function indexNamesOf(files: SegmentFiles): readonly string[] {
  return [files.index, files.timeindex, files.txnindex].flatMap((file) =>
    file === undefined ? [] : [file.name]
  );
}
