/**
 * What lies beside the batches of one partition, held against what the walk through them has found:
 * producer snapshots, the file of leader epochs, and names that say nothing of the log.
 *
 * Not here: the walk itself and the indexes, which it checks on its way (`verify_partition.ts`).
 */
import type { Disk } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import { LEADER_EPOCH_FILE } from "../format.ts";
import { LeaderEpochs } from "../leader_epochs.ts";
import { decodeProducerSnapshot } from "../producers/producer_snapshot.ts";
import type { EpochCheck, WrongEpoch } from "./epoch_check.ts";
import { fileKindOf } from "./file_kind.ts";
import { type Finding, REMEDY_REBUILD } from "./finding.ts";
import type { PartitionFiles } from "./partition_files.ts";
import type { PartitionHints } from "./partition_report.ts";

/** What the walk has found. */
export interface WalkedLog {
  readonly disk: Disk;
  readonly crc32c: Crc32c;
  readonly path: string;
  readonly hints: PartitionHints;
  readonly files: PartitionFiles;
  /** Index files without their logs. */
  readonly orphanNames: readonly string[];
  readonly endOffset: number;
  /** Behind the offsets that are known to have been given out. */
  readonly resumeOffset: number;
  readonly batches: number;
  readonly isUnreadable: boolean;
  tell(finding: Finding): void;
}

export interface EpochFindings {
  readonly isFileWrong: boolean;
  readonly wrong: readonly WrongEpoch[];
}

/** Producer snapshots; gives the names of those that cannot be used. */
export function checkSnapshots(log: WalkedLog): readonly string[] {
  const { disk, crc32c, path, hints } = log;
  const isMoving = hints.state === "running";
  return log.files.snapshots.flatMap(({ name, offset }) => {
    const bytes = disk.readWhole(`${path}/${name}`);
    if (bytes === undefined) return [];
    const decoded = decodeProducerSnapshot(bytes, crc32c);
    const isAhead = offset > log.resumeOffset && !log.isUnreadable;
    if (isMoving || typeof decoded !== "string" && !isAhead) return [];
    log.tell({
      severity: "warning",
      code: typeof decoded === "string" ? "snapshot-wrong" : "snapshot-ahead",
      path: `${path}/${name}`,
      message: typeof decoded === "string"
        ? `the producer snapshot cannot be used: ${decoded}`
        : `the producer snapshot is of offset ${offset}, and the log ends at ${log.endOffset}`,
      remedy: REMEDY_REBUILD,
    });
    return [name];
  });
}

/** The file of leader epochs against the batches, and the batches against each other. */
export function checkEpochs(log: WalkedLog, check: EpochCheck): EpochFindings {
  const { disk, path, hints } = log;
  const file = `${path}/${LEADER_EPOCH_FILE}`;
  const bytes = disk.readWhole(file);
  const epochs = new LeaderEpochs();
  const isSound = bytes !== undefined && epochs.decode(bytes);
  const until = hints.state === "clean" ? Infinity : hints.recoveryPoint ?? 0;
  const verdict = check.verdict(
    isSound ? (offset) => epochs.epochFor(offset) : undefined,
    { from: hints.logStart ?? 0, until },
  );
  for (const wrong of verdict.wrong) tellEpoch(log, wrong);
  const missing = log.batches === 0 || hints.state === "running"
    ? undefined
    : "the file is not there";
  const flaw = bytes === undefined ? missing : isSound ? verdict.fileFlaw : "the file is damaged";
  if (flaw !== undefined) {
    log.tell({
      severity: "warning",
      code: "epochs-wrong",
      path: file,
      message: flaw,
      remedy: REMEDY_REBUILD,
    });
  }
  return { isFileWrong: flaw !== undefined && bytes !== undefined, wrong: verdict.wrong };
}

function tellEpoch(log: WalkedLog, { segment, batch, expected }: WrongEpoch): void {
  log.tell({
    severity: "damage",
    code: "epoch-wrong",
    path: `${log.path}/${segment}`,
    position: batch.position,
    offsets: { from: batch.baseOffset, until: batch.lastOffset + 1 },
    message: `leader epoch ${batch.leaderEpoch}, expected ${expected}; the records are sound`,
    remedy: "mq log repair sets it right: it lies outside the CRC",
  });
}

/** Files that no check has looked into. */
export function tellNames(log: WalkedLog): void {
  const tell = (code: Finding["code"], name: string, message: string): void =>
    log.tell({
      severity: "info",
      code,
      path: `${log.path}/${name}`,
      message,
    });
  for (const { name } of log.files.leftovers) {
    tell("leftover", name, LEFTOVERS[fileKindOf(name)?.state ?? ""] ?? "written aside and left");
  }
  for (const { name } of log.files.foreign) tell("foreign", name, "not a file of a log");
  for (const name of log.orphanNames) {
    tell("leftover", name, "an index without its log");
  }
}

const LEFTOVERS: Readonly<Record<string, string>> = {
  deleted: "removed from the log; the next start takes the file away",
  cleaned: "an unfinished compaction or repair; the next start takes it away",
  swap: "a finished compaction; the next start puts it in its place",
  damaged: "kept by a repair",
};
