/**
 * What background work (retention, compaction, scrubbing) sees of the partitions of a broker.
 * `LogManager` is it; tests hand in their own.
 */
import type { Offset } from "../ground/numbers.ts";
import type { Partition } from "./partition.ts";

export interface ManagedLog {
  readonly partition: Partition;
  /** Path of the log directory that it lies in. */
  readonly directory: string;
}

export interface ManagedLogs {
  /** Partitions that are online now, the metadata log left out. */
  managed(): readonly ManagedLog[];
  /** Writes down where logs start, durably: nothing below may come back after a crash. */
  writeLogStarts(): Promise<void>;
  /**
   * Whether it is written down, durably, that the log is durable up to `offset`: cleaning leaves
   * offsets without batches, and behind the recovery point such a gap is taken for a lost end. The log
   * is durable so far. Costs nothing where it is written already.
   */
  writeRecoveryPoint(log: ManagedLog, offset: Offset): Promise<boolean>;
  /** Up to where the log is clean, as it was written down; 0 where nothing was. */
  cleanedUpTo(log: ManagedLog): Offset;
  /** Writes it down, durably. A log of the same name that is made later begins without. */
  writeCleanedUpTo(log: ManagedLog, offset: Offset): Promise<void>;
  /** Files that are out of the log: they go after the topic's `file.delete.delay.ms`. */
  removeLater(log: ManagedLog, paths: readonly string[]): void;
  /**
   * Hears of a fault: a broken disk takes its directory offline, a damaged log is told of and counted,
   * anything else is thrown on.
   */
  onFault(log: ManagedLog, fault: unknown): void;
}
