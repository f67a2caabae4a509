/**
 * Hands out the batches of one fetched part that the reader is to see: inside the range, checked, no
 * control batches, and under read_committed nothing of a transaction that was aborted (KIP-98).
 */
import type { Crc32c } from "../ground/crc32c.ts";
import { BatchWalk } from "../record/batch_walk.ts";
import type { BatchView } from "../record/batch_view.ts";
import { controlKeyOf } from "../record/control_record.ts";
import { MAGIC } from "../record/format.ts";
import { RecordCursor, type RecordCursorOptions } from "../record/record_cursor.ts";
import { ClientError } from "./client_error.ts";
import type { FetchedBytes } from "./fetch_request.ts";
import { FetchedBatch } from "./fetched_batch.ts";

export interface HandoutTools {
  readonly crc32c: Crc32c;
  readonly cursor: RecordCursorOptions;
  readonly checkCrcs: boolean;
  readonly isReadCommitted: boolean;
}

export class Handout {
  readonly #fetched: FetchedBytes;
  readonly #tools: HandoutTools;
  readonly #walk: BatchWalk;
  /** Producers inside a transaction that was aborted. */
  readonly #aborted = new Set<number>();
  #abortedIndex = 0;

  constructor(fetched: FetchedBytes, tools: HandoutTools) {
    this.#fetched = fetched;
    this.#tools = tools;
    this.#walk = new BatchWalk(fetched.bytes);
  }

  /** The next batch; undefined behind the last. Throws a `ClientError` where one is broken. */
  next(): FetchedBatch | undefined {
    const { position, bytes, highWatermark } = this.#fetched;
    const { batch } = this.#walk;
    while (!position.isRemoved && this.#walk.next()) {
      const from = position.readOffset;
      if (batch.lastOffset() < from) continue;
      if (batch.baseOffset() >= position.until) return undefined;
      this.#check(batch);
      position.readOffset = batch.nextOffset();
      position.readLeaderEpoch = batch.partitionLeaderEpoch();
      if (this.#isHidden(batch)) continue;
      const { topic, partition, until } = position;
      const { cursor } = this.#tools;
      const at = batch.position();
      return new FetchedBatch({ topic, partition, bytes, at, from, until, highWatermark, cursor });
    }
    return undefined;
  }

  #check(batch: BatchView): void {
    const { checkCrcs, crc32c } = this.#tools;
    if (batch.magic() !== MAGIC) {
      throw this.#error(batch, `its format is ${batch.magic()}, and ${MAGIC} can be read`);
    }
    if (checkCrcs && batch.crc() !== batch.computedCrc(crc32c)) {
      throw this.#error(batch, "its checksum does not fit its content");
    }
  }

  #isHidden(batch: BatchView): boolean {
    if (!this.#tools.isReadCommitted) return batch.isControl();
    const { aborted } = this.#fetched;
    for (; this.#abortedIndex < aborted.length; this.#abortedIndex++) {
      const transaction = aborted[this.#abortedIndex];
      if (transaction === undefined || transaction.firstOffset > batch.lastOffset()) break;
      this.#aborted.add(transaction.producerId);
    }
    if (!batch.isControl()) {
      return batch.isTransactional() && this.#aborted.has(batch.producerId());
    }
    const records = new RecordCursor(this.#tools.cursor);
    records.open(batch);
    if (records.next() && controlKeyOf(records.key())?.controlType === "abort") {
      this.#aborted.delete(batch.producerId());
    }
    return true;
  }

  #error(batch: BatchView, reason: string): ClientError {
    const { topic, partition } = this.#fetched.position;
    const where = `${topic}-${partition} at offset ${batch.baseOffset()}`;
    return new ClientError("CORRUPT_MESSAGE", `Cannot read batch of ${where}: ${reason}`);
  }
}
