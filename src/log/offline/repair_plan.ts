/**
 * What a repair would do to one partition: decisions only, from what the examination found.
 *
 * | found | step |
 * |---|---|
 * | bytes that are no batch, in the middle | cut out; batches behind stay, with their offsets |
 * | bytes that are no batch, at the end | cut off |
 * | indexes that lie, or belong to a segment that is cut | moved away, to be made anew |
 * | a transaction index that lies | moved away, and written anew from the batches |
 * | snapshots, epochs that are damaged | moved away, to be made anew |
 * | index files without their log | moved away |
 * | a leader epoch that fits nothing, outside the CRC | set right |
 * | offsets that are nowhere | their loss is written down |
 * | a tail that is lost | the log goes on at its old end: an empty segment says where |
 * | a gap that a start would take for a torn tail | the recovery point is raised over it |
 * | checkpoints beyond the new end | lowered |
 *
 * A start refuses a log that ends before its recovery point, and takes a gap at or behind it as the end
 * of what is durable. So the recovery point of a log that goes on behind a gap lies behind that gap.
 *
 * The metadata log is state: a record taken out of its middle would leave a cluster that never was.
 * There only a tail that was never known as durable is cut.
 */
import { toOffset } from "../../ground/numbers.ts";
import { LEADER_EPOCH_FILE, segmentFileName } from "../format.ts";
import { folderName } from "../directory/partition_folder.ts";
import { METADATA_FOLDER } from "./data_directory.ts";
import type { OffsetSpan } from "./finding.ts";
import type { AbortedTransaction } from "../index/transaction_index.ts";
import type { Cut, PartitionReport, SegmentReport } from "./partition_report.ts";

export type RepairStep =
  | {
    readonly kind: "cut";
    /** The log file. */
    readonly name: string;
    readonly sizeInBytes: number;
    readonly cuts: readonly Cut[];
    /** Nothing is kept behind the first cut: the file is only shortened. */
    readonly isTail: boolean;
  }
  | { readonly kind: "move"; readonly name: string; readonly reason: string }
  | {
    readonly kind: "set-epoch";
    readonly name: string;
    /** Of the batch. */
    readonly position: number;
    readonly offset: number;
    readonly leaderEpoch: number;
    readonly expected: number;
  }
  | { readonly kind: "note-loss"; readonly offsets: OffsetSpan }
  | {
    readonly kind: "write-transactions";
    readonly name: string;
    readonly entries: readonly AbortedTransaction[];
  }
  /** Where the next record goes. */
  | { readonly kind: "go-on"; readonly offset: number; readonly name: string }
  /** `names`: files to be made durable first. */
  | {
    readonly kind: "raise-recovery-point";
    readonly offset: number;
    readonly names: readonly string[];
  }
  | { readonly kind: "lower-checkpoints"; readonly endOffset: number };

export interface RepairPlan {
  readonly path: string;
  readonly report: PartitionReport;
  readonly steps: readonly RepairStep[];
  /** Offsets that will be missing from then on. */
  readonly lost: readonly OffsetSpan[];
  /** Why nothing can be done here. */
  readonly refusal: string | undefined;
}

export function planRepair(report: PartitionReport): RepairPlan {
  const refusal = refusalOf(report);
  const steps = refusal === undefined ? stepsOf(report) : [];
  return { path: report.path, report, steps, lost: report.lost, refusal };
}

function refusalOf(report: PartitionReport): string | undefined {
  const { partition, isUnreadable, lost, segments } = report;
  const isWrong = lost.length > 0 || segments.some((segment) => indexSteps(segment).length > 0);
  if (report.hasUnfinishedSwap && isWrong) {
    return "a compaction was interrupted while its segments took their places: start the broker " +
      "once, which finishes it, and look again";
  }
  if (isUnreadable) {
    return "the disk does not give all bytes: copy the folder to a disk that works (ddrescue fills " +
      "what cannot be read with zeros), and repair the copy";
  }
  const isMetadata = partition !== undefined && folderName(partition) === METADATA_FOLDER;
  const isCut = lost.length > 0 ||
    segments.slice(0, -1).some(({ cuts }) => cuts.length > 0) ||
    segments.slice(-1).some((segment) => !isTailOnly(segment));
  if (!isMetadata || !isCut) return undefined;
  return "this is the metadata log, and every record of it counts: without the damaged ones the " +
    "cluster would be in a state that never was. Put back this folder from a backup or from another " +
    "controller; without one, start in a new directory, create the topics again, and move the " +
    "partitions' folders there with the new topics' ids in partition.metadata";
}

interface CutSegment {
  readonly sizeInBytes: number;
  readonly cuts: readonly Cut[];
}

/** Whether the cuts are one behind the other up to the end of the file. */
function isTailOnly({ sizeInBytes, cuts }: CutSegment): boolean {
  let at = cuts[0]?.position ?? sizeInBytes;
  for (const cut of cuts) {
    if (cut.position !== at) return false;
    at += cut.sizeInBytes;
  }
  return at === sizeInBytes;
}

function stepsOf(report: PartitionReport): readonly RepairStep[] {
  const steps: RepairStep[] = [];
  for (const segment of report.segments) steps.push(...indexSteps(segment));
  for (const { segment, batch, expected } of report.wrongEpochs) {
    const { position, baseOffset: offset, leaderEpoch } = batch;
    steps.push({ kind: "set-epoch", name: segment, position, offset, leaderEpoch, expected });
  }
  for (const segment of report.segments) {
    if (segment.cuts.length === 0) continue;
    const { name, sizeInBytes, cuts } = segment;
    steps.push({ kind: "cut", name, sizeInBytes, cuts, isTail: isTailOnly(segment) });
  }
  for (const name of report.orphans) {
    steps.push({ kind: "move", name, reason: "its log is missing" });
  }
  for (const name of report.wrongSnapshots) {
    steps.push({ kind: "move", name, reason: "it is no snapshot of this log" });
  }
  if (report.areEpochsWrong) {
    const reason = "it does not fit the batches";
    steps.push({ kind: "move", name: LEADER_EPOCH_FILE, reason });
  }
  for (const offsets of report.lost) steps.push({ kind: "note-loss", offsets });
  steps.push(...endSteps(report));
  return steps;
}

function indexSteps(segment: SegmentReport): readonly RepairStep[] {
  const { baseOffset, cuts, transactions, areIndexesWrong } = segment;
  const reason = cuts.length > 0 ? "its segment is cut" : "it does not fit its segment";
  const own = segmentFileName(toOffset(baseOffset), "txnindex");
  const steps: RepairStep[] = segment.indexNames
    .filter((name) => name === own ? transactions !== undefined : areIndexesWrong)
    .map((name) => ({ kind: "move", name, reason }));
  if (transactions !== undefined && transactions.length > 0) {
    steps.push({ kind: "write-transactions", name: own, entries: transactions });
  }
  return steps;
}

/** Where the log goes on, and what the checkpoints say of it. */
function endSteps(report: PartitionReport): readonly RepairStep[] {
  const { hints, endOffset, resumeOffset: offset, partition } = report;
  const { recoveryPoint = 0, logStart = 0, highWatermark = 0 } = hints;
  const steps: RepairStep[] = [];
  if (offset > endOffset) {
    steps.push({ kind: "go-on", offset, name: segmentFileName(toOffset(offset), "log") });
  }
  if (partition === undefined) return steps;
  // Without any recovery points a start takes gaps as they are; one alone would change that for others.
  const { hasRecoveryPoints } = hints;
  const gaps = offset > endOffset ? [...report.lost, { from: endOffset }] : report.lost;
  const isGapAtRisk = gaps.some(({ from }) => from >= recoveryPoint);
  if (hasRecoveryPoints && offset > recoveryPoint && isGapAtRisk) {
    const names = report.segments.filter(({ nextOffset }) => nextOffset > recoveryPoint)
      .flatMap(({ name, indexNames }) => [name, ...indexNames]);
    steps.push({ kind: "raise-recovery-point", offset, names });
  }
  if (Math.max(recoveryPoint, logStart, highWatermark) > offset) {
    steps.push({ kind: "lower-checkpoints", endOffset: offset });
  }
  return steps;
}
