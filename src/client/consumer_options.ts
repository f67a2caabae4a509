/** What a consumer is told and what it gives: assignments, settings, records. */
import type { RecordHeader } from "../record/record_cursor.ts";
import type { RetryReport } from "./retry_report.ts";

/** A partition to read, from an offset on; `until` is not included, and absent = follow for ever. */
export interface Assignment {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly until?: number;
  /** Of the record before `from`, where it is known: shows whether the log was cut below it (KIP-320). */
  readonly leaderEpoch?: number;
}

export type Isolation = "read_uncommitted" | "read_committed";

export interface ConsumerOptions {
  readonly assignments: readonly Assignment[];
  /** "read_uncommitted" where left out, as in Kafka. */
  readonly isolation?: Isolation;
  /** Of one answer; 16 MiB. Up to three answers per broker are held. */
  readonly maxBytes?: number;
  /** Of one partition in one answer; 8 MiB. */
  readonly partitionMaxBytes?: number;
  /** How much a broker waits for before it answers; 1. */
  readonly minBytes?: number;
  /** How long a broker waits for it; 500. */
  readonly maxWaitMs?: number;
  /** Whether batches are checked against their CRC; true where left out. */
  readonly checkCrcs?: boolean;
  /** A batch that inflates beyond this is not read; 128 MiB. */
  readonly inflatedBytesMax?: number;
  /**
   * What to do where an offset is not, or no longer, there; "error" where left out. Where it is known
   * what was cut off a log, reading goes on there, and a topic that was made anew is read from its start.
   */
  readonly onOutOfRange?: "error" | "start" | "end";
  /** How long a partition may fail in a row before that is an error; the client's request timeout. */
  readonly retryTimeoutMs?: number;
  /** Hears of every failure behind which a partition is fetched again. */
  onRetry?(report: RetryReport): void;
  /** Ends the consumer with ABORTED. */
  readonly signal?: AbortSignal;
}

export interface ConsumedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** -1 where the broker does not tell. */
  readonly leaderEpoch: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** The options with their defaults. */
export interface ConsumerSettings {
  readonly isReadCommitted: boolean;
  readonly maxBytes: number;
  readonly partitionMaxBytes: number;
  readonly minBytes: number;
  readonly maxWaitMs: number;
  readonly checkCrcs: boolean;
  readonly inflatedBytesMax: number;
  readonly onOutOfRange: "error" | "start" | "end";
  readonly retryTimeoutMs: number;
  readonly onRetry: ((report: RetryReport) => void) | undefined;
}

const MIB = 1024 * 1024;

export function consumerSettings(
  options: ConsumerOptions,
  requestTimeoutMs: number,
): ConsumerSettings {
  return {
    isReadCommitted: options.isolation === "read_committed",
    maxBytes: options.maxBytes ?? 16 * MIB,
    partitionMaxBytes: options.partitionMaxBytes ?? 8 * MIB,
    minBytes: options.minBytes ?? 1,
    maxWaitMs: options.maxWaitMs ?? 500,
    checkCrcs: options.checkCrcs ?? true,
    inflatedBytesMax: options.inflatedBytesMax ?? 128 * MIB,
    onOutOfRange: options.onOutOfRange ?? "error",
    retryTimeoutMs: options.retryTimeoutMs ?? requestTimeoutMs,
    onRetry: options.onRetry?.bind(options),
  };
}
