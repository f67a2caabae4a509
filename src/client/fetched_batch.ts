/**
 * A batch as it was fetched, and the way over its records that makes no objects.
 *
 *     for await (const batch of consumer.batches()) {
 *       const records = batch.records();
 *       while (records.next()) write(records.bytes, records.valueStart, records.valueEnd);
 *     }
 *
 * A batch is compressed as it came until `records` is called. Its bytes are the caller's to keep.
 */
import { BatchView } from "../record/batch_view.ts";
import { RecordCursor, type RecordCursorOptions } from "../record/record_cursor.ts";
import { ClientError } from "./client_error.ts";

export interface FetchedBatchOptions {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Uint8Array;
  /** Where in `bytes` the batch begins. */
  readonly at: number;
  /** The records asked for: from … until − 1. */
  readonly from: number;
  readonly until: number;
  readonly highWatermark: number;
  readonly cursor: RecordCursorOptions;
}

export class FetchedBatch {
  readonly topic: string;
  readonly partition: number;
  /** Of the partition when the batch was fetched. */
  readonly highWatermark: number;
  readonly #options: FetchedBatchOptions;

  constructor(options: FetchedBatchOptions) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.highWatermark = options.highWatermark;
    this.#options = options;
  }

  /** The batch's header. */
  header(): BatchView {
    return new BatchView(this.#options.bytes, this.#options.at);
  }

  /** The offset behind what it holds of what was asked for: records that compaction took count too. */
  get nextOffset(): number {
    return Math.min(this.header().nextOffset(), this.#options.until);
  }

  /** Stands before the first record asked for. Goes over those only. */
  records(): FetchedRecords {
    return new FetchedRecords(this.#options);
  }
}

/** A `RecordCursor` over the records asked for. `next` throws a `ClientError` where one is broken. */
export class FetchedRecords extends RecordCursor {
  readonly #where: FetchedBatchOptions;
  readonly #from: number;
  readonly #until: number;

  constructor(options: FetchedBatchOptions) {
    super(options.cursor);
    this.#where = options;
    this.#from = options.from;
    this.#until = options.until;
    this.open(new BatchView(options.bytes, options.at));
  }

  override next(): boolean {
    while (super.next()) {
      const offset = this.offset();
      if (offset >= this.#until) return false; // offsets only grow
      if (offset >= this.#from) return true;
    }
    if (this.failure !== undefined) {
      const { topic, partition } = this.#where;
      throw new ClientError("CORRUPT_MESSAGE", `${this.failure} of ${topic}-${partition}`);
    }
    return false;
  }
}
