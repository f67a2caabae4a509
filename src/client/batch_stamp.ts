/**
 * Writes a producer's identity and sequence into a finished batch, and its checksum anew.
 *
 * A batch is finished (and compressed) when it is full, but its sequence is given when it is first
 * sent, and another one after the producer's epoch was raised. So it is finished without a checksum,
 * and stamped before it leaves.
 */
import type { Crc32c } from "../ground/crc32c.ts";
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  CRC_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
} from "../record/format.ts";

export interface ProducerStamp {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

export const NO_STAMP: ProducerStamp = { producerId: -1, producerEpoch: -1, baseSequence: -1 };

export function stampBatch(batch: Uint8Array, stamp: ProducerStamp, crc32c: Crc32c): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  view.setInt32(PRODUCER_ID_AT, Math.floor(stamp.producerId / 0x1_0000_0000));
  view.setUint32(PRODUCER_ID_AT + 4, stamp.producerId >>> 0);
  view.setInt16(PRODUCER_EPOCH_AT, stamp.producerEpoch);
  view.setInt32(BASE_SEQUENCE_AT, stamp.baseSequence);
  view.setUint32(CRC_AT, crc32c(batch.subarray(ATTRIBUTES_AT)));
}
