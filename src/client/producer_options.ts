/** What a producer is told and what it tells: settings, records, reports. */
import type { CompressionType } from "../record/compression.ts";
import type { RecordHeader } from "../record/record_cursor.ts";
import type { ClientError } from "./client_error.ts";
import type { RetryReport } from "./retry_report.ts";

export interface ProducerOptions {
  /** "all" where left out. */
  readonly acks?: 0 | 1 | "all";
  readonly compressionType?: CompressionType;
  /** How long a record waits for company; 5 where left out, as in Kafka. */
  readonly lingerMs?: number;
  /** Size of a batch before compression (Kafka's batch.size). */
  readonly batchBytes?: number;
  /**
   * "default": murmur2 of the key, as in Kafka; records without a key stick to one partition until a
   * batch is sent, then to another. "round-robin": one after the other, keys or not.
   */
  readonly partitioner?: "default" | "round-robin";
  /** No duplicates and no reordering by retries; true where left out, and only with acks "all". */
  readonly idempotent?: boolean;
  /** From `append` to the report at the latest; 120 s where left out. */
  readonly deliveryTimeoutMs?: number;
  /** Bytes of records not yet reported beyond which `append` gives a promise; 64 MiB. */
  readonly bufferBytesMax?: number;
  /** The largest request, and so the largest record; 64 MiB. */
  readonly maxRequestBytes?: number;
  /** Whether the broker may create a topic that is not there; true where left out. */
  readonly mayCreateTopics?: boolean;
  /** Stops the producer: what is not delivered is reported as ABORTED. */
  readonly signal?: AbortSignal;
  /** Hears of every batch, delivered or not, once; before the reports of its records. */
  onBatchDelivered?(report: BatchReport): void;
  /** Hears of every failure behind which records are sent again. */
  onRetry?(report: RetryReport): void;
}

export interface ProducerRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[] | undefined;
  /** Milliseconds since 1970; now where left out. */
  readonly timestamp?: number | undefined;
  /** Chosen by the partitioner where left out. */
  readonly partition?: number | undefined;
}

/**
 * A record whose key and value lie in a larger buffer. The producer copies them before `appendSlice`
 * returns, so one such object, and the buffer, can be used over and over.
 */
export interface RecordSlice {
  bytes: Uint8Array;
  /** -1 = no key. */
  keyStart: number;
  keyEnd: number;
  /** -1 = null, a tombstone. */
  valueStart: number;
  valueEnd: number;
  headers?: readonly RecordHeader[] | undefined;
  timestamp?: number | undefined;
  partition?: number | undefined;
}

/** What became of a batch. */
export interface BatchReport {
  readonly topic: string;
  /** -1 where none was chosen: the topic could not be found. */
  readonly partition: number;
  /** -1 where it is not known: acks=0, a duplicate of long ago, a failure. */
  readonly baseOffset: number;
  readonly recordCount: number;
  readonly error?: ClientError;
}

/** What became of a record. */
export interface DeliveryReport {
  readonly topic: string;
  readonly partition: number;
  /** -1 where it is not known. */
  readonly offset: number;
  readonly error?: ClientError;
}

export type OnDelivery = (report: DeliveryReport) => void;

/** The options with their defaults. */
export interface ProducerSettings {
  readonly acks: number;
  readonly compressionType: CompressionType;
  readonly lingerMs: number;
  readonly batchBytes: number;
  readonly partitioner: "default" | "round-robin";
  readonly isIdempotent: boolean;
  readonly deliveryTimeoutMs: number;
  readonly bufferBytesMax: number;
  readonly maxRequestBytes: number;
  readonly mayCreateTopics: boolean;
  readonly onBatchDelivered: ((report: BatchReport) => void) | undefined;
  readonly onRetry: ((report: RetryReport) => void) | undefined;
}

/** Below Kafka's default of max.message.bytes, 1,048,588. */
const BATCH_BYTES = 1_000_000;
const MIB = 1024 * 1024;

export function producerSettings(options: ProducerOptions): ProducerSettings {
  const acks = options.acks ?? "all";
  return {
    acks: acks === "all" ? -1 : acks,
    compressionType: options.compressionType ?? "none",
    lingerMs: options.lingerMs ?? 5,
    batchBytes: options.batchBytes ?? BATCH_BYTES,
    partitioner: options.partitioner ?? "default",
    isIdempotent: acks === "all" && options.idempotent !== false,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    bufferBytesMax: options.bufferBytesMax ?? 64 * MIB,
    maxRequestBytes: options.maxRequestBytes ?? 64 * MIB,
    mayCreateTopics: options.mayCreateTopics ?? true,
    onBatchDelivered: options.onBatchDelivered?.bind(options),
    onRetry: options.onRetry?.bind(options),
  };
}
