/**
 * Reads assigned partitions from offset to offset.
 *
 *     for await (const record of client.consumer({ assignments })) …
 *
 * Pull is the back-pressure: nothing is fetched that far ahead of the reader that memory would not
 * bound it (`fetcher.ts`). It ends by itself when every partition has reached its `until`; leaving the
 * loop closes it. Within a partition records come in order; between partitions there is none.
 *
 * Not here: groups and commits; from ranges to offsets (`offset_range.ts`).
 */
import { assert } from "../ground/assert.ts";
import { decompressWith } from "../record/compression.ts";
import type { ClientTools } from "./client_tools.ts";
import { type ConsumedRecord, type ConsumerOptions, consumerSettings } from "./consumer_options.ts";
import type { FetchedBatch } from "./fetched_batch.ts";
import { Fetcher } from "./fetcher.ts";
import { Handout, type HandoutTools } from "./handout.ts";

export class Consumer implements AsyncIterable<ConsumedRecord> {
  readonly #fetcher: Fetcher;
  readonly #handoutTools: HandoutTools;
  readonly #removeListeners: () => void;
  #isRead = false;

  constructor(tools: ClientTools, options: ConsumerOptions) {
    const settings = consumerSettings(options, tools.requestTimeoutMs);
    const { inflatedBytesMax, checkCrcs, isReadCommitted } = settings;
    this.#fetcher = new Fetcher(tools, settings, options.assignments);
    this.#handoutTools = {
      crc32c: tools.env.crc32c,
      cursor: { decompress: decompressWith(tools.env.compressors), inflatedBytesMax },
      checkCrcs,
      isReadCommitted,
    };
    const onAbort = (): void => this.#fetcher.stop();
    const signals = [tools.signal, ...(options.signal === undefined ? [] : [options.signal])];
    for (const signal of signals) signal.addEventListener("abort", onAbort, { once: true });
    this.#removeListeners = () => {
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
    };
    if (signals.some((signal) => signal.aborted)) onAbort();
  }

  /** The fast way: batch by batch. Once per consumer. Throws a `ClientError`. */
  async *batches(): AsyncGenerator<FetchedBatch, void, void> {
    assert(!this.#isRead, "a consumer is read once");
    this.#isRead = true;
    const fetcher = this.#fetcher;
    try {
      await fetcher.start();
      for (;;) {
        const fetched = fetcher.take();
        if (fetched !== undefined) {
          const handout = new Handout(fetched, this.#handoutTools);
          for (let batch = handout.next(); batch !== undefined; batch = handout.next()) {
            yield batch;
          }
        } else if (fetcher.isDone()) {
          return;
        } else {
          await fetcher.arrival();
        }
      }
    } finally {
      this.close();
    }
  }

  /** Record by record. Once per consumer. Throws a `ClientError`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ConsumedRecord, void, void> {
    for await (const batch of this.batches()) {
      const { topic, partition } = batch;
      const leaderEpoch = batch.header().partitionLeaderEpoch();
      const records = batch.records();
      while (records.next()) {
        yield {
          topic,
          partition,
          offset: records.offset(),
          timestamp: records.timestamp(),
          leaderEpoch,
          key: records.key(),
          value: records.value(),
          headers: records.headers(),
        };
      }
    }
  }

  /** Fetches nothing more; a loop that waits ends with ABORTED. */
  close(): void {
    this.#removeListeners();
    this.#fetcher.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
