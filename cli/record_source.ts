/**
 * Where `mq consume` reads from: ranges of partitions, or as a member of a group.
 *
 * Beside giving batches a group wants to hear what became of their records, and how it all ended;
 * ranges do not care.
 */
import type { Batch } from "./session.ts";

export interface RecordSource {
  /** Once. Ends at the end of the range, or soon after the reader was stopped. */
  batches(): AsyncGenerator<Batch, void, void>;
  /** Whether records that were read are still this reader's. */
  isHeld(topic: string, partition: number): boolean;
  /** The first offset that is not wanted; batches may hold more. */
  until(topic: string, partition: number): number;
  /** Everything of the partition below `nextOffset` was written, or processed. */
  onDelivered(topic: string, partition: number, nextOffset: number): void;
  /** All of a batch was; what is under way to stdout is not waited for unless it is said here. */
  onBatchEnd(settled: () => Promise<void>): void | Promise<void>;
  /** `isDelivered` is false where the reader of stdout has gone, or something failed. */
  close(isDelivered: boolean): Promise<void>;
}

/** Ranges: nobody is told anything. */
export class RangeSource implements RecordSource {
  readonly #consumer: { batches(): AsyncGenerator<Batch, void, void> };

  constructor(consumer: { batches(): AsyncGenerator<Batch, void, void> }) {
    this.#consumer = consumer;
  }

  batches(): AsyncGenerator<Batch, void, void> {
    return this.#consumer.batches();
  }

  isHeld(): boolean {
    return true;
  }

  until(): number {
    return Infinity; // the library keeps to the range
  }

  onDelivered(): void {}

  onBatchEnd(): void {}

  async close(): Promise<void> {}
}
