/**
 * What background work (retention, compaction, scrubbing) sees of the partitions of a broker.
 * `LogManager` is it; tests hand in their own.
 */
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
  /** Files that are out of the log: they go after the topic's `file.delete.delay.ms`. */
  removeLater(log: ManagedLog, paths: readonly string[]): void;
  /**
   * Hears of a fault: a broken disk takes its directory offline, a damaged log is told of and counted,
   * anything else is thrown on.
   */
  onFault(log: ManagedLog, fault: unknown): void;
}
