/**
 * The producer: takes records, batches them by partition, and reports what became of them.
 *
 * The way in is synchronous and makes nothing per record but what the batch needs: `append` copies
 * the record into the open batch of its partition, and gives a promise only where the caller has to
 * wait, because the buffer is full or the topic is not known yet. The record is taken either way; the
 * promise says when the next one may come. Who does not wait is stopped, with BUFFER_FULL, at twice
 * the buffer.
 *
 * A batch leaves when it is full, when its first record is `lingerMs` old, or on `flush`. Reports come
 * in the order of the records of a partition.
 *
 * Longer than other files because the way in is one path, made for speed, with all its exits.
 */
import { compressWith } from "../record/compression.ts";
import { abortedError, ClientError, errorFrom } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import { FlushMarks } from "./flush_marks.ts";
import { OpenBatches } from "./open_batches.ts";
import { PartitionQueue } from "./partition_queue.ts";
import type { ProducerBatch } from "./producer_batch.ts";
import {
  type BatchReport,
  type OnDelivery,
  type ProducerOptions,
  type ProducerRecord,
  type ProducerSettings,
  producerSettings,
  type RecordSlice,
} from "./producer_options.ts";
import { tellRecords } from "./record_reports.ts";
import { Sender } from "./sender.ts";
import { TopicQueue } from "./topic_queue.ts";

/** What a record takes beside its key and value, roughly. */
const RECORD_OVERHEAD_BYTES = 16;

export class Producer {
  readonly #tools: ClientTools;
  readonly #settings: ProducerSettings;
  readonly #sender: Sender;
  readonly #topics = new Map<string, TopicQueue>();
  readonly #open: OpenBatches;
  readonly #flushes = new FlushMarks();
  readonly #stopping = new AbortController();
  readonly #removeListeners: () => void;
  #lastTopic: TopicQueue | undefined;
  #bufferedBytes = 0;
  /** While somebody waits for room. */
  #room: PromiseWithResolvers<void> | undefined;
  #failure: ClientError | undefined;
  /** Used over and over: what the builder is handed. */
  readonly #scratch: {
    key: Uint8Array | null;
    value: Uint8Array | null;
    headers: ProducerRecord["headers"];
    timestamp: number;
  } = { key: null, value: null, headers: undefined, timestamp: 0 };

  constructor(tools: ClientTools, options: ProducerOptions = {}) {
    this.#tools = tools;
    this.#settings = producerSettings(options);
    this.#sender = new Sender({
      ...tools,
      settings: this.#settings,
      signal: this.#stopping.signal,
      onReported: (batch, baseOffset, error) => this.#onReported(batch, baseOffset, error),
    });
    this.#open = new OpenBatches({
      clock: tools.env.clock,
      lingerMs: this.#settings.lingerMs,
      onLingered: (queues) => {
        for (const queue of queues) this.#seal(queue);
        this.#sender.pump();
      },
    });
    const onAbort = (): void => this.#stop(abortedError("Cannot produce"));
    const signals = [tools.signal, ...(options.signal === undefined ? [] : [options.signal])];
    for (const signal of signals) signal.addEventListener("abort", onAbort, { once: true });
    this.#removeListeners = () => {
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
    };
    if (signals.some((signal) => signal.aborted)) onAbort();
  }

  /** Whether it takes nothing more. */
  get isClosed(): boolean {
    return this.#failure !== undefined;
  }

  /** Bytes of records that are not reported yet. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /**
   * Takes a record. The key, value and headers may be used again when the returned promise is done,
   * or at once where there is none.
   *
   * Errors: throws ABORTED behind `close`, BUFFER_FULL where the caller did not wait for room. What
   * goes wrong later is reported by `onDelivery` and `onBatchDelivered`.
   */
  append(topic: string, record: ProducerRecord, onDelivery?: OnDelivery): void | Promise<void> {
    const topicQueue = this.#admit(topic);
    if (topicQueue.lookup !== undefined) return this.#wait(topicQueue, record, onDelivery);
    return this.#put(topicQueue, record, onDelivery);
  }

  /** `append` for a key and value that lie in a larger buffer; both are copied before it returns. */
  appendSlice(topic: string, slice: RecordSlice, onDelivery?: OnDelivery): void | Promise<void> {
    const topicQueue = this.#admit(topic);
    const { bytes, keyStart, valueStart } = slice;
    const key = keyStart < 0 ? null : bytes.subarray(keyStart, slice.keyEnd);
    const value = valueStart < 0 ? null : bytes.subarray(valueStart, slice.valueEnd);
    if (topicQueue.lookup !== undefined) {
      const { headers, timestamp, partition } = slice;
      const copy = { key: key && key.slice(), value: value && value.slice() };
      return this.#wait(topicQueue, { ...copy, headers, timestamp, partition }, onDelivery);
    }
    const scratch = this.#scratch;
    scratch.key = key;
    scratch.value = value;
    scratch.headers = slice.headers;
    scratch.timestamp = slice.timestamp ?? this.#tools.env.clock.wallMs();
    return this.#putScratch(topicQueue, slice.partition, onDelivery);
  }

  /** Sends one record and waits until it is delivered. Throws a `ClientError`. */
  async send(
    topic: string,
    record: ProducerRecord,
  ): Promise<{ readonly partition: number; readonly offset: number }> {
    while (this.#room !== undefined) await this.#room.promise;
    return await new Promise((resolve, reject) => {
      this.append(topic, record, ({ partition, offset, error }) => {
        if (error === undefined) resolve({ partition, offset });
        else reject(error);
      });
    });
  }

  /** Sends what waits, now, and resolves when every record taken so far is reported. */
  async flush(): Promise<void> {
    const lookups = [...this.#topics.values()].flatMap(({ lookup }) => lookup ?? []);
    if (lookups.length > 0) await Promise.all(lookups);
    this.#sealAll();
    const queues = [...this.#topics.values()].flatMap(({ partitions }) => partitions);
    const flushed = this.#flushes.mark(queues);
    this.#sender.pump();
    this.#flushes.check();
    await flushed;
  }

  /** `flush`, then the end: nothing more is taken. */
  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    await this.flush();
    this.#stop(abortedError("Cannot produce with a closed producer"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #admit(topic: string): TopicQueue {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#bufferedBytes > 2 * this.#settings.bufferBytesMax) {
      throw new ClientError(
        "BUFFER_FULL",
        `Cannot take record: ${this.#bufferedBytes} bytes wait`,
        {
          retriable: true,
          hint: "Wait for the promise that append gives",
        },
      );
    }
    const last = this.#lastTopic;
    if (last !== undefined && last.topic === topic) return last;
    return this.#lastTopic = this.#topics.get(topic) ?? this.#newTopic(topic);
  }

  #put(
    topicQueue: TopicQueue,
    record: ProducerRecord,
    onDelivery: OnDelivery | undefined,
  ): void | Promise<void> {
    const scratch = this.#scratch;
    scratch.key = record.key;
    scratch.value = record.value;
    scratch.headers = record.headers;
    scratch.timestamp = record.timestamp ?? this.#tools.env.clock.wallMs();
    return this.#putScratch(topicQueue, record.partition, onDelivery);
  }

  /** Puts the record that `#scratch` holds into its partition's open batch. */
  #putScratch(
    topicQueue: TopicQueue,
    partition: number | undefined,
    onDelivery: OnDelivery | undefined,
  ): void | Promise<void> {
    const scratch = this.#scratch;
    const size = (scratch.key?.length ?? 0) + (scratch.value?.length ?? 0);
    if (size > this.#settings.maxRequestBytes) {
      return this.#rejectSize(topicQueue.topic, size, onDelivery);
    }
    let mustPump = false;
    let queue: PartitionQueue | undefined;
    let before = 0;
    for (;;) {
      queue = topicQueue.choose(scratch.key, partition);
      if (queue === undefined) return this.#rejectPartition(topicQueue, partition, onDelivery);
      before = queue.openBytes;
      if (queue.append(scratch, onDelivery)) break;
      this.#seal(queue); // and an empty batch takes any record
      mustPump = true;
    }
    if (before === 0) this.#open.add(queue);
    this.#bufferedBytes += queue.openBytes - before;
    if (mustPump) this.#sender.pump(); // may report, and so come back here: the record is in by now
    if (this.#bufferedBytes > this.#settings.bufferBytesMax) return this.#waitForRoom();
  }

  #seal(queue: PartitionQueue): void {
    this.#open.remove(queue);
    queue.seal();
    this.#sender.enqueue(queue);
    const topicQueue = this.#topics.get(queue.topic);
    const metadata = this.#tools.metadata.known(queue.topic);
    if (metadata !== undefined) topicQueue?.follow(metadata);
    topicQueue?.onSealed(queue);
  }

  #sealAll(): void {
    for (const queue of this.#open.all()) this.#seal(queue);
  }

  #newTopic(topic: string): TopicQueue {
    const { env, metadata } = this.#tools;
    const { compressionType, deliveryTimeoutMs, batchBytes, partitioner } = this.#settings;
    const compress = compressWith(env.compressors);
    const topicQueue = new TopicQueue({
      topic,
      partitioner,
      random: env.random,
      newPartition: (partition) => {
        const options = { topic, partition, compressionType, compress, deliveryTimeoutMs };
        return new PartitionQueue(options, batchBytes);
      },
    });
    this.#topics.set(topic, topicQueue);
    const known = metadata.known(topic);
    if (known !== undefined) topicQueue.follow(known);
    else topicQueue.lookup = this.#lookUp(topicQueue);
    return topicQueue;
  }

  async #lookUp(topicQueue: TopicQueue): Promise<void> {
    const { topic } = topicQueue;
    const { metadata, requestTimeoutMs } = this.#tools;
    const { mayCreateTopics: mayCreate, deliveryTimeoutMs } = this.#settings;
    try {
      const found = await metadata.topic(topic, {
        mayCreate,
        timeoutMs: Math.min(requestTimeoutMs, deliveryTimeoutMs),
        signal: this.#stopping.signal,
      });
      if (this.#failure !== undefined) throw this.#failure;
      topicQueue.follow(found);
      topicQueue.lookup = undefined;
      for (const { record, onDelivery, bufferedBytes } of topicQueue.waiting.splice(0)) {
        this.#bufferedBytes -= bufferedBytes;
        this.#put(topicQueue, record, onDelivery);
      }
    } catch (thrown) {
      this.#topics.delete(topic); // the next record asks again
      if (this.#lastTopic === topicQueue) this.#lastTopic = undefined;
      this.#giveUpWaiting(topicQueue, errorFrom(thrown, `Cannot produce to ${topic}`));
    }
  }

  #giveUpWaiting(topicQueue: TopicQueue, error: ClientError): void {
    const waiting = topicQueue.waiting.splice(0);
    if (waiting.length === 0) return;
    for (const { bufferedBytes } of waiting) this.#bufferedBytes -= bufferedBytes;
    const callbacks = waiting.map(({ onDelivery }) => onDelivery);
    const { topic } = topicQueue;
    const recordCount = waiting.length;
    this.#report({ topic, partition: -1, baseOffset: -1, recordCount, error }, callbacks);
  }

  /** Keeps a record until its topic is known. */
  #wait(
    topicQueue: TopicQueue,
    record: ProducerRecord,
    onDelivery: OnDelivery | undefined,
  ): Promise<void> {
    const bufferedBytes = RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) +
      (record.value?.length ?? 0);
    topicQueue.waiting.push({ record, onDelivery, bufferedBytes });
    this.#bufferedBytes += bufferedBytes;
    return topicQueue.lookup as Promise<void>;
  }

  /** What waits for company is sent, since nothing more can come. */
  #waitForRoom(): Promise<void> {
    this.#sealAll();
    this.#sender.pump();
    if (this.#bufferedBytes <= this.#settings.bufferBytesMax) return Promise.resolve();
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  #rejectPartition(
    { topic, partitions }: TopicQueue,
    partition: number | undefined,
    onDelivery: OnDelivery | undefined,
  ): void {
    const message =
      `Cannot produce to ${topic}-${partition}: it has ${partitions.length} partition(s), counted from 0`;
    this.#reject(topic, new ClientError("UNKNOWN_TOPIC_OR_PARTITION", message), onDelivery);
  }

  #rejectSize(topic: string, size: number, onDelivery: OnDelivery | undefined): void {
    const limit = this.#settings.maxRequestBytes;
    const message = `Cannot produce to ${topic}: a record of ${size} bytes is over ${limit}`;
    this.#reject(topic, new ClientError("MESSAGE_TOO_LARGE", message), onDelivery);
  }

  #reject(topic: string, error: ClientError, onDelivery: OnDelivery | undefined): void {
    this.#report({ topic, partition: -1, baseOffset: -1, recordCount: 1, error }, [onDelivery]);
  }

  #onReported(batch: ProducerBatch, baseOffset: number, error?: ClientError): void {
    const { queue: { topic, partition }, recordCount, callbacks } = batch;
    this.#bufferedBytes -= batch.bufferedBytes;
    const report = { topic, partition, baseOffset, recordCount };
    this.#report(error === undefined ? report : { ...report, error }, callbacks);
  }

  #report(report: BatchReport, callbacks: readonly (OnDelivery | undefined)[] | undefined): void {
    try {
      this.#settings.onBatchDelivered?.(report);
      if (callbacks !== undefined) tellRecords(report, callbacks);
    } catch (thrown) {
      // The caller's own code failed; what it was told stays true, and the others are still to hear.
      this.#tools.env.trace.event("error", "delivery callback failed", { error: String(thrown) });
    }
    if (this.#room !== undefined && this.#bufferedBytes <= this.#settings.bufferBytesMax) {
      this.#room.resolve();
      this.#room = undefined;
    }
    this.#flushes.check();
  }

  /** Takes nothing more, and reports all that is not delivered as failed. */
  #stop(error: ClientError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#removeListeners();
    this.#open.stop();
    this.#sealAll();
    this.#sender.stop();
    this.#stopping.abort();
    for (const topicQueue of this.#topics.values()) {
      for (const queue of topicQueue.partitions) this.#giveUpQueue(queue, error);
      this.#giveUpWaiting(topicQueue, error);
    }
  }

  #giveUpQueue(queue: PartitionQueue, error: ClientError): void {
    for (const batch of queue.batches()) {
      queue.giveUp(batch);
      this.#onReported(batch, -1, error);
    }
  }
}
