/** A batch on its way to the broker, and under which identity it goes. */
import type { ProducerStamp } from "./batch_stamp.ts";
import type { PartitionQueue } from "./partition_queue.ts";
import type { OnDelivery } from "./producer_options.ts";

export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface ProducerBatch {
  readonly queue: PartitionQueue;
  readonly bytes: Uint8Array;
  /** Which record of this partition its first one is, counted since the start: its place in line. */
  readonly order: number;
  readonly recordCount: number;
  /** Which batch it is, counted since the start; see `maySend`. */
  place: number;
  /** What it takes of the producer's buffer: its size before compression. */
  readonly bufferedBytes: number;
  /** By the monotonic clock: to be reported until then. */
  readonly deadlineMs: number;
  /** By the record's index; holes where nobody wants to know. */
  readonly callbacks: readonly (OnDelivery | undefined)[] | undefined;
  stamp: ProducerStamp | undefined;
  /** The stamp that is written into `bytes`. */
  stamped: ProducerStamp | undefined;
  attemptCount: number;
  /** Sent, and not known whether the broker has it. */
  isUncertain: boolean;
}
