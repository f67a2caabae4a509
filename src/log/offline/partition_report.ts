/** What an examination of one partition gives: findings for people, and facts for a repair. */
import type { TopicPartition } from "../directory/partition_folder.ts";
import type { AbortedTransaction } from "../index/transaction_index.ts";
import type { WrongEpoch } from "./epoch_check.ts";
import type { Finding, OffsetSpan } from "./finding.ts";

/** What is known of a partition besides its own files. */
export interface PartitionHints {
  /**
   * "running": a broker has the directory; "clean" or "unclean": how the last one left it; "unknown":
   * the folder lies in no data directory.
   */
  readonly state: "running" | "clean" | "unclean" | "unknown";
  /** What the checkpoints say; undefined where they say nothing. */
  readonly recoveryPoint: number | undefined;
  /** Whether there is a checkpoint of recovery points at all, of any partition. */
  readonly hasRecoveryPoints: boolean;
  readonly logStart: number | undefined;
  readonly highWatermark: number | undefined;
  /** By the metadata log; undefined where that was not there to read. */
  readonly isCompacted: boolean | undefined;
}

export const NO_HINTS: PartitionHints = {
  state: "unknown",
  recoveryPoint: undefined,
  hasRecoveryPoints: false,
  logStart: undefined,
  highWatermark: undefined,
  isCompacted: undefined,
};

/** Bytes of a segment that hold no batch that may be served. */
export interface Cut {
  readonly position: number;
  readonly sizeInBytes: number;
  readonly reason: string;
}

export interface SegmentReport {
  readonly baseOffset: number;
  /** File names, of the log and of what belongs to it. */
  readonly name: string;
  readonly indexNames: readonly string[];
  readonly sizeInBytes: number;
  readonly batches: number;
  readonly nextOffset: number;
  readonly cuts: readonly Cut[];
  /** Whether its offset and time indexes are to be made anew. */
  readonly areIndexesWrong: boolean;
  /** What its transaction index should hold, where that holds something else. */
  readonly transactions: readonly AbortedTransaction[] | undefined;
}

export interface PartitionReport {
  readonly path: string;
  readonly partition: TopicPartition | undefined;
  readonly hints: PartitionHints;
  readonly findings: readonly Finding[];
  readonly segments: readonly SegmentReport[];
  /** Index files whose log is not there. */
  readonly orphans: readonly string[];
  /** Snapshots that are damaged, or of a time behind the log's end. */
  readonly wrongSnapshots: readonly string[];
  /** Whether `leader-epoch-checkpoint` is there and wrong. */
  readonly areEpochsWrong: boolean;
  /** Batches that are sound but for their leader epoch. */
  readonly wrongEpochs: readonly WrongEpoch[];
  readonly startOffset: number;
  readonly endOffset: number;
  /**
   * The first offset that was never given out, as far as is known: behind the end where the log has
   * lost its tail. Who has read the records that are gone must not get others at their offsets.
   */
  readonly resumeOffset: number;
  /** Offsets that were there and are not, and nobody has accepted that yet. */
  readonly lost: readonly OffsetSpan[];
  /** The disk would not give all bytes: what is said of the rest is not known. */
  readonly isUnreadable: boolean;
  /** A `.swap` log waits for the next start, which puts it in the place of others. */
  readonly hasUnfinishedSwap: boolean;
  readonly bytes: number;
  readonly batches: number;
}
