/**
 * What a broker checks of a produced batch before it stores it as it came.
 *
 * The checks and their order are Kafka's (ProduceRequest.validateRecords, UnifiedLog.
 * analyzeAndValidateRecords, LogValidator); where Kafka would re-encode a batch that is not quite right
 * (offset deltas with gaps), it is refused, since a batch is never re-encoded here. Stricter than Kafka
 * also: a time type of "append", a length below -1, a transaction without a producer id.
 *
 * Not here: whether the sequence follows the producer's last one (`log/`), who may write, and the
 * fields that the broker writes (base offset, leader epoch, `setMaxTimestamp`).
 */
import type { Crc32c } from "../ground/crc32c.ts";
import { BatchView } from "./batch_view.ts";
import { type CompressionType, type Decompress, inflate } from "./compression.ts";
import {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_MIN,
  LOG_OVERHEAD_BYTES,
  MAGIC,
  RECORDS_AT,
  type TimestampType,
} from "./format.ts";
import { RecordCheck } from "./record_check.ts";

/** "records": all of it (Kafka's way). "header": header and CRC; what is inside is the producer's word. */
export type ValidationMode = "records" | "header";

export interface BatchLimits {
  readonly mode: ValidationMode;
  /** `max.message.bytes`, of the batch as it came. */
  readonly bytesMax: number;
  /** What its records may inflate to. */
  readonly inflatedBytesMax: number;
  /** Kafka refuses a base offset other than 0 from a client; false lets any pass. Default true. */
  readonly isBaseOffsetZero?: boolean;
  /** zstd is for Produce 7 and up (KIP-110). Default true. */
  readonly isZstdAllowed?: boolean;
  /** For `cleanup.policy=compact`. */
  readonly isKeyRequired: boolean;
  /** `message.timestamp.type`; for "append" the times of records are not looked at. */
  readonly timestampType: TimestampType;
  readonly now: number;
  /** `message.timestamp.before.max.ms` and `…after.max.ms`; Infinity for no limit. */
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
}

export interface ValidationTools {
  readonly crc32c: Crc32c;
  readonly decompress: Decompress;
}

export interface BatchFacts {
  readonly kind: "valid";
  readonly compressionType: CompressionType;
  readonly recordCount: number;
  readonly lastOffsetDelta: number;
  /** Of the records (in mode "header", of the header); `now` for topics of type "append". */
  readonly maxTimestamp: number;
  /** Shallow: the batch's last record, as Kafka's time index has it (LogSegment.append). */
  readonly offsetDeltaOfMaxTimestamp: number;
  /** The header does not say so: `BatchView.setMaxTimestamp` puts it right, as Kafka does. */
  readonly isMaxTimestampWrong: boolean;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly isTransactional: boolean;
}

/** With the error that Kafka answers. */
export type RefusalKind =
  | "corrupt" // CORRUPT_MESSAGE
  | "unsupported-version" // INVALID_RECORD: magic 0 or 1
  | "unsupported-compression" // UNSUPPORTED_COMPRESSION_TYPE
  | "too-large" // MESSAGE_TOO_LARGE
  | "invalid-record" // INVALID_RECORD
  | "invalid-timestamp"; // INVALID_TIMESTAMP

export interface BatchRefusal {
  readonly kind: RefusalKind;
  readonly message: string;
  /** The first record at fault, from 0. */
  readonly recordIndex?: number;
}

/** `bytes` is what a Produce request holds for one partition. Never throws. */
export function validateBatch(
  bytes: Uint8Array,
  limits: BatchLimits,
  tools: ValidationTools,
): BatchFacts | BatchRefusal {
  const unframed = rejectFrame(bytes, limits);
  if (unframed !== undefined) return unframed;
  const batch = new BatchView(bytes);
  const refusal = rejectHeader(batch, limits) ?? rejectCrc(batch, tools.crc32c) ??
    rejectMeaning(batch);
  if (refusal !== undefined) return refusal;
  if (limits.mode === "header") {
    return rejectHeaderTime(batch, limits) ?? factsOf(batch, limits, batch.maxTimestamp());
  }
  return validateRecords(batch, limits, tools.decompress);
}

/** Exactly one batch, whole, of magic 2. */
function rejectFrame(bytes: Uint8Array, limits: BatchLimits): BatchRefusal | undefined {
  if (bytes.length < BATCH_HEADER_BYTES) {
    return invalidRecord(`${bytes.length} bytes hold no record batch`);
  }
  const batch = new BatchView(bytes);
  const magic = batch.magic();
  if (magic === 0 || magic === 1) {
    return refuse("unsupported-version", `magic ${magic} is no longer spoken: wanted ${MAGIC}`);
  }
  if (magic !== MAGIC) return refuse("corrupt", `magic ${magic} is unknown: wanted ${MAGIC}`);
  const batchLength = batch.batchLength();
  if (batchLength < BATCH_LENGTH_MIN) {
    return refuse("corrupt", `batch length ${batchLength} is below ${BATCH_LENGTH_MIN}`);
  }
  const sizeInBytes = batchLength + LOG_OVERHEAD_BYTES;
  if (sizeInBytes > bytes.length) {
    return invalidRecord(`batch of ${sizeInBytes} bytes is cut off after ${bytes.length}`);
  }
  if (sizeInBytes < bytes.length) {
    return invalidRecord(`${bytes.length - sizeInBytes} bytes follow the batch: wanted one batch`);
  }
  if (sizeInBytes > limits.bytesMax) {
    return refuse("too-large", `${sizeInBytes} bytes are over the limit of ${limits.bytesMax}`);
  }
  return undefined;
}

function rejectHeader(batch: BatchView, limits: BatchLimits): BatchRefusal | undefined {
  const compressionType = batch.compressionType();
  if (compressionType === undefined) {
    return refuse("unsupported-compression", `codec ${batch.attributes() & 7} is unknown`);
  }
  if (compressionType === "zstd" && limits.isZstdAllowed === false) {
    return refuse("unsupported-compression", "zstd is for Produce version 7 and above");
  }
  if (limits.isBaseOffsetZero !== false && batch.baseOffset() !== 0) {
    return invalidRecord(`base offset ${batch.baseOffset()} of a produced batch is not 0`);
  }
  return undefined;
}

function rejectCrc(batch: BatchView, crc32c: Crc32c): BatchRefusal | undefined {
  const computed = batch.computedCrc(crc32c);
  if (computed === batch.crc()) return undefined;
  return refuse("corrupt", `CRC-32C is ${hex(computed)}, the header says ${hex(batch.crc())}`);
}

/** The header fields as a client may set them; kafka: LogValidator.validateBatch. */
function rejectMeaning(batch: BatchView): BatchRefusal | undefined {
  const recordCount = batch.recordCount();
  const lastOffsetDelta = batch.lastOffsetDelta();
  if (recordCount <= 0) return invalidRecord(`record count ${recordCount} is not positive`);
  if (lastOffsetDelta !== recordCount - 1) {
    return invalidRecord(
      `last offset delta ${lastOffsetDelta} does not fit ${recordCount} records`,
    );
  }
  if (batch.isControl()) return invalidRecord("control batches are not for clients to write");
  if (batch.timestampType() === "append") {
    return refuse("invalid-timestamp", "a producer does not set the timestamp type LogAppendTime");
  }
  if (!batch.hasProducerId()) {
    return batch.isTransactional() ? invalidRecord("a transaction needs a producer id") : undefined;
  }
  if (batch.baseSequence() < 0) {
    return invalidRecord(
      `base sequence ${batch.baseSequence()} of producer ${batch.producerId()} is negative`,
    );
  }
  if (batch.producerEpoch() < 0) {
    return invalidRecord(
      `epoch ${batch.producerEpoch()} of producer ${batch.producerId()} is negative`,
    );
  }
  return undefined;
}

function rejectHeaderTime(batch: BatchView, limits: BatchLimits): BatchRefusal | undefined {
  const check = new RecordCheck(batch.bytes, 0, 0);
  check.setTimes(batch.baseTimestamp(), limits);
  if (check.isTimely(batch.maxTimestamp())) return undefined;
  return refuse("invalid-timestamp", `greatest ${check.timeComplaint(batch.maxTimestamp())}`);
}

function validateRecords(
  batch: BatchView,
  limits: BatchLimits,
  decompress: Decompress,
): BatchFacts | BatchRefusal {
  const compressionType = batch.compressionType() as CompressionType;
  let records = batch.bytes;
  let start = RECORDS_AT;
  if (compressionType !== "none") {
    const section = batch.recordsBytes();
    const inflated = inflate(decompress, compressionType, section, limits.inflatedBytesMax);
    if (!(inflated instanceof Uint8Array)) return refuse(inflated.kind, inflated.message);
    records = inflated;
    start = 0;
  }
  const check = new RecordCheck(records, start, records.length);
  check.setTimes(batch.baseTimestamp(), limits);
  check.run(batch.recordCount(), limits.isKeyRequired);
  const problem = check.problem();
  if (problem === undefined) return factsOf(batch, limits, check.maxTimestamp);
  const { kind, recordIndex } = problem;
  return { kind, message: `Cannot append record ${recordIndex}: ${problem.message}`, recordIndex };
}

function factsOf(batch: BatchView, limits: BatchLimits, produced: number): BatchFacts {
  const isAppendTime = limits.timestampType === "append";
  const maxTimestamp = isAppendTime ? limits.now : produced;
  const lastOffsetDelta = batch.lastOffsetDelta();
  const hasProducerId = batch.hasProducerId();
  return {
    kind: "valid",
    compressionType: batch.compressionType() as CompressionType,
    recordCount: batch.recordCount(),
    lastOffsetDelta,
    maxTimestamp,
    offsetDeltaOfMaxTimestamp: lastOffsetDelta,
    isMaxTimestampWrong: isAppendTime || maxTimestamp !== batch.maxTimestamp(),
    // Without an id the other two mean nothing; kafkajs sends 0 for them.
    producerId: hasProducerId ? batch.producerId() : -1,
    producerEpoch: hasProducerId ? batch.producerEpoch() : -1,
    baseSequence: hasProducerId ? batch.baseSequence() : -1,
    lastSequence: hasProducerId ? batch.lastSequence() : -1,
    isTransactional: batch.isTransactional(),
  };
}

function refuse(kind: RefusalKind, reason: string): BatchRefusal {
  return { kind, message: `Cannot append batch: ${reason}` };
}

function invalidRecord(reason: string): BatchRefusal {
  return refuse("invalid-record", reason);
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
