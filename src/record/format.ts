/**
 * The layout of record batch v2 (magic 2, KIP-98): constants that reader and writer share.
 *
 *     batch  = baseOffset int64, batchLength int32,                       ─┐ outside the CRC:
 *              partitionLeaderEpoch int32, magic int8, crc uint32,        ─┘ the broker writes them
 *              attributes int16, lastOffsetDelta int32,                   ─┐
 *              baseTimestamp int64, maxTimestamp int64,                    │ CRC-32C covers from here
 *              producerId int64, producerEpoch int16, baseSequence int32,  │ to the end of the batch
 *              recordCount int32, records                                 ─┘
 *     records = record*, as one compressed stream where attributes name a codec
 *     record  = length varint, attributes int8, timestampDelta varlong, offsetDelta varint,
 *               keyLength varint, key, valueLength varint, value, headerCount varint, header*
 *     header  = keyLength varint, key (UTF-8), valueLength varint, value
 *
 * `batchLength` counts from behind itself; a length of -1 is null (never for a header's key). Integers
 * are big-endian, varints zigzag. Nothing here reads or writes; magic 0 and 1 are not spoken.
 *
 * Source: kafka: DefaultRecordBatch, DefaultRecord.
 */

export const MAGIC = 2;

export const BASE_OFFSET_AT = 0;
export const BATCH_LENGTH_AT = 8;
export const PARTITION_LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const RECORD_COUNT_AT = 57;
export const RECORDS_AT = 61;

/** Bytes of a batch before its records. */
export const BATCH_HEADER_BYTES = RECORDS_AT;
/** What `batchLength` does not count: base offset and the length itself. */
export const LOG_OVERHEAD_BYTES = 12;
/** The least `batchLength` of a batch v2: one without records. */
export const BATCH_LENGTH_MIN = BATCH_HEADER_BYTES - LOG_OVERHEAD_BYTES;

export const ATTRIBUTE_COMPRESSION_MASK = 0x07;
export const ATTRIBUTE_LOG_APPEND_TIME = 0x08;
export const ATTRIBUTE_TRANSACTIONAL = 0x10;
export const ATTRIBUTE_CONTROL = 0x20;
/** `baseTimestamp` holds the time from which compaction may drop tombstones (KIP-534). */
export const ATTRIBUTE_DELETE_HORIZON = 0x40;

export const NO_TIMESTAMP = -1;
export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
export const NO_SEQUENCE = -1;
export const NO_PARTITION_LEADER_EPOCH = -1;

/** Sequence numbers go from 0 to this and start over. */
export const SEQUENCE_MAX = 0x7fff_ffff;

/** Who sets a record's time: the producer ("create") or the broker at append ("append"). */
export type TimestampType = "create" | "append";

/** The sequence `count` records behind `sequence`; kafka: DefaultRecordBatch.incrementSequence. */
export function sequenceAfter(sequence: number, count: number): number {
  const next = sequence + count;
  return next > SEQUENCE_MAX ? next - SEQUENCE_MAX - 1 : next;
}
