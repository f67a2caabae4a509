/**
 * A producer's batch on its way into a partition: checked, de-duplicated, numbered, appended.
 *
 * The bytes are stored as they came; only base offset, leader epoch and (for LogAppendTime) timestamp
 * and CRC are written into them. They are not encoded anew unless `compression.type` asks for it.
 */
import { ErrorCode } from "../api/error_code.ts";
import type { Clock } from "../env/clock.ts";
import type { Crc32c } from "../ground/crc32c.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import { BatchView } from "../record/batch_view.ts";
import type { Compress, CompressionType, Decompress } from "../record/compression.ts";
import { type BatchFacts, type BatchRefusal, validateBatch } from "../record/validate.ts";
import type { Partition } from "./partition.ts";
import type { PartitionSettings } from "./partition_settings.ts";
import { recompressBatch } from "./recompress.ts";

export interface AppendTools {
  readonly clock: Clock;
  readonly crc32c: Crc32c;
  readonly compress: Compress;
  readonly decompress: Decompress;
  /** Bytes that the compressed batches of one request may inflate to while they are checked. */
  readonly inflatedBytesMax: number;
}

export type AppendResult =
  | {
    readonly kind: "appended";
    readonly baseOffset: Offset;
    /** Offset behind the batch: what the high watermark must reach. */
    readonly nextOffset: Offset;
    /** -1 where the producer's timestamps stay. */
    readonly logAppendTimeMs: number;
    readonly recordCount: number;
  }
  | {
    readonly kind: "refused";
    readonly errorCode: ErrorCode;
    readonly message: string | null;
    readonly recordIndex?: number;
  };

/**
 * Tools for one request: its batches share what they may inflate to, and one that is refused for that
 * has used up what it was given.
 */
export function toolsOfRequest(tools: AppendTools): AppendTools {
  let left = tools.inflatedBytesMax;
  return {
    ...tools,
    decompress: (compressionType, bytes, bytesMax) => {
      const given = Math.min(bytesMax, left);
      left -= given;
      const inflated = tools.decompress(compressionType, bytes, given);
      left += given - inflated.length;
      return inflated;
    },
  };
}

/** Appends at once to the page cache; whether it is committed is told by the partition. */
export function appendFromProducer(
  partition: Partition,
  records: Uint8Array | null,
  isZstdAllowed: boolean,
  tools: AppendTools,
): AppendResult {
  if (!partition.isOnline) {
    const reason = partition.refusal ?? "the log directory is offline";
    return refused(ErrorCode.KafkaStorageError, reason);
  }
  const { settings } = partition;
  const now = tools.clock.wallMs();
  const facts = validateBatch(records ?? EMPTY, {
    // What is encoded anew must be known to be whole.
    mode: settings.compressionType === "producer" ? settings.recordValidation : "records",
    bytesMax: settings.maxMessageBytes,
    inflatedBytesMax: inflatedBytesMax(settings, tools),
    isBaseOffsetZero: false, // librdkafka's retries and kafkajs do not always send 0
    isZstdAllowed,
    isKeyRequired: settings.isCompacted,
    timestampType: settings.timestampType === "LogAppendTime" ? "append" : "create",
    now,
    timestampBeforeMaxMs: settings.timestampBeforeMaxMs,
    timestampAfterMaxMs: settings.timestampAfterMaxMs,
  }, tools);
  if (facts.kind !== "valid") return refusedBatch(facts);
  try {
    return appendChecked(partition, records as Uint8Array, facts, tools);
  } catch (error) {
    return refused(ErrorCode.KafkaStorageError, partition.onFault(error));
  }
}

/** Throws what the disk throws. */
function appendChecked(
  partition: Partition,
  records: Uint8Array,
  facts: BatchFacts,
  tools: AppendTools,
): AppendResult {
  const known = partition.log.producers.check(facts);
  switch (known.kind) {
    case "append":
      return append(partition, records, facts, tools);
    case "duplicate":
      return {
        kind: "appended",
        baseOffset: toOffset(known.baseOffset),
        nextOffset: toOffset(known.baseOffset + facts.lastOffsetDelta + 1),
        logAppendTimeMs: isLogAppendTime(partition) ? known.timestamp : -1,
        recordCount: 0,
      };
    case "refuse":
      return refused(SEQUENCE_ERROR[known.reason], known.message);
  }
}

const INFLATION_MAX = 20;
const MESSAGE_BYTES_USUAL = 1024 * 1024;
const EMPTY = new Uint8Array(0);

const SEQUENCE_ERROR = {
  "out-of-order-sequence": ErrorCode.OutOfOrderSequenceNumber,
  "unknown-producer-id": ErrorCode.UnknownProducerId,
  "invalid-producer-epoch": ErrorCode.InvalidProducerEpoch,
  "duplicate-sequence": ErrorCode.DuplicateSequenceNumber,
} as const;

const REFUSAL_ERROR = {
  "corrupt": ErrorCode.CorruptMessage,
  "unsupported-version": ErrorCode.InvalidRecord,
  "unsupported-compression": ErrorCode.UnsupportedCompressionType,
  "too-large": ErrorCode.MessageTooLarge,
  "invalid-record": ErrorCode.InvalidRecord,
  "invalid-timestamp": ErrorCode.InvalidTimestamp,
} as const;

function append(
  partition: Partition,
  records: Uint8Array,
  facts: BatchFacts,
  tools: AppendTools,
): AppendResult {
  const { log, settings } = partition;
  const { compressionLevel } = settings;
  const wanted = wantedCompression(settings.compressionType, facts.compressionType);
  const batch = wanted === undefined
    ? records
    : recompressBatch(records, { compressionType: wanted, compressionLevel }, tools);
  if (batch.length > settings.maxMessageBytes) {
    const message = `the batch is ${batch.length} bytes long in the compression of its topic`;
    return refused(ErrorCode.MessageTooLarge, message);
  }
  const noRoom = partition.admit(batch.length);
  if (noRoom !== undefined) return refused(ErrorCode.KafkaStorageError, noRoom);
  const now = tools.clock.wallMs();
  const baseOffset = log.logEndOffset;
  const lastOffset = toOffset(baseOffset + facts.lastOffsetDelta);
  const view = new BatchView(batch);
  view.setBaseOffset(baseOffset);
  view.setPartitionLeaderEpoch(partition.leaderEpoch);
  if (isLogAppendTime(partition)) view.setLogAppendTime(now, tools.crc32c);
  else if (facts.isMaxTimestampWrong) {
    view.setMaxTimestamp("create", facts.maxTimestamp, tools.crc32c);
  }
  log.append(batch, {
    lastOffset,
    maxTimestamp: isLogAppendTime(partition) ? now : facts.maxTimestamp,
    leaderEpoch: partition.leaderEpoch,
  }, now);
  partition.onAppended();
  return {
    kind: "appended",
    baseOffset,
    nextOffset: log.logEndOffset,
    logAppendTimeMs: isLogAppendTime(partition) ? now : -1,
    recordCount: facts.recordCount,
  };
}

/** A batch may inflate to twenty times of what it may be itself: real data do not, bombs do. */
function inflatedBytesMax(settings: PartitionSettings, tools: AppendTools): number {
  const usual = INFLATION_MAX * Math.max(settings.maxMessageBytes, MESSAGE_BYTES_USUAL);
  return Math.min(tools.inflatedBytesMax, usual);
}

function isLogAppendTime(partition: Partition): boolean {
  return partition.settings.timestampType === "LogAppendTime";
}

/** The codec to encode with anew, or undefined where the batch may stay as it is. */
function wantedCompression(
  setting: string,
  present: CompressionType,
): CompressionType | undefined {
  if (setting === "producer") return undefined;
  const wanted = setting === "uncompressed" ? "none" : setting as CompressionType;
  return wanted === present ? undefined : wanted;
}

function refusedBatch({ kind, message, recordIndex }: BatchRefusal): AppendResult {
  const result = refused(REFUSAL_ERROR[kind], message);
  return recordIndex === undefined ? result : { ...result, recordIndex };
}

function refused(
  errorCode: ErrorCode,
  message: string | null,
): Extract<AppendResult, { readonly kind: "refused" }> {
  return { kind: "refused", errorCode, message };
}
