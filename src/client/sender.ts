/**
 * Sends sealed batches to the leaders of their partitions, and deals with the answers.
 *
 * `pump` is the whole of it: it looks at every partition that has something to send, groups them by
 * leader, and fills requests while a broker has fewer than five under way. It is called whenever
 * something changed: a batch was sealed, an answer came, a connection opened, metadata arrived, a
 * back-off ended. A request has at most one batch per partition, and never waits for more.
 *
 * What becomes of a batch that was refused is decided here and nowhere else (`#onRefused`); how order
 * and sequences survive that is in `partition_queue.ts`. Longer than other files for that reason: what
 * can happen to a batch is to be read in one place.
 */
import { ErrorCode, isRetriable } from "../api/error_code.ts";
import { produce } from "../api/produce.ts";
import type { RequestInput, ResponseOf } from "../api/schema.ts";
import type { Timer } from "../env/clock.ts";
import { compressWith, decompressWith } from "../record/compression.ts";
import { splitBatch } from "./batch_split.ts";
import { NO_STAMP, stampBatch } from "./batch_stamp.ts";
import { ClientError, errorFrom, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Connection } from "./connection.ts";
import { INFLIGHT_COUNT_MAX, type PartitionQueue } from "./partition_queue.ts";
import type { ProducerBatch } from "./producer_batch.ts";
import { type ProduceAnswer, produceAnswers, produceRequest } from "./produce_request.ts";
import { ProducerIdentities } from "./producer_identities.ts";
import type { ProducerSettings } from "./producer_options.ts";
import { backoffMs } from "./retry.ts";
import { TopicRefresher } from "./topic_refresher.ts";

export interface SenderOptions extends ClientTools {
  readonly settings: ProducerSettings;
  /** Called once per batch, when it is delivered or given up. */
  onReported(batch: ProducerBatch, baseOffset: number, error?: ClientError): void;
}

interface Broker {
  inflightCount: number;
  isConnecting: boolean;
}

export class Sender {
  readonly #options: SenderOptions;
  /** Partitions with batches that wait to be sent, in the order in which their turn comes. */
  readonly #ready = new Set<PartitionQueue>();
  readonly #brokers = new Map<number, Broker>();
  readonly #refresher: TopicRefresher;
  readonly #identities: ProducerIdentities;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;
  #isPumping = false;
  #mustPumpAgain = false;
  #isStopped = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#refresher = new TopicRefresher({ tools: options, onRefreshed: () => this.pump() });
    this.#identities = new ProducerIdentities({
      tools: options,
      onAnswer: () => this.pump(), // what has time left asks again, where it failed
      onRefused: (error) => this.#giveUpAll(error),
    });
  }

  /** A batch of this partition waits; `pump` is called by who sealed it. */
  enqueue(queue: PartitionQueue): void {
    this.#ready.add(queue);
  }

  /** Sends what can be sent now. Reports may come during the call. */
  pump(): void {
    this.#mustPumpAgain = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#mustPumpAgain && !this.#isStopped) {
      this.#mustPumpAgain = false;
      this.#pumpOnce();
    }
    this.#isPumping = false;
  }

  /** Sends nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#ready.clear();
  }

  #pumpOnce(): void {
    const { metadata, env, settings } = this.#options;
    const now = env.clock.monotonicMs();
    const byLeader = new Map<number, PartitionQueue[]>();
    for (const queue of this.#ready) {
      this.#expire(queue, now);
      if (queue.pendingCount === 0) {
        this.#ready.delete(queue);
        continue;
      }
      if (settings.isIdempotent && !this.#identities.isReadyFor(queue)) continue;
      const leaderId = metadata.leaderOf(queue.topic, queue.partition);
      if (leaderId < 0) {
        this.#refresher.refresh(queue.topic);
        const action = `Cannot produce to ${queue.topic}-${queue.partition}`;
        this.#noteFailure(queue, errorOfCode(ErrorCode.LeaderNotAvailable, action));
      } else if (queue.maySend(now, leaderId)) {
        const queues = byLeader.get(leaderId);
        if (queues === undefined) byLeader.set(leaderId, [queue]);
        else queues.push(queue);
      } else if (queue.notBeforeMs > now) {
        this.#wakeAt(queue.notBeforeMs);
      }
    }
    for (const [leaderId, queues] of byLeader) this.#sendTo(leaderId, queues, now);
  }

  #sendTo(leaderId: number, queues: readonly PartitionQueue[], now: number): void {
    const broker = this.#broker(leaderId);
    const connection = this.#options.pool.opened(leaderId);
    if (connection === undefined) {
      if (!broker.isConnecting) this.#connect(leaderId, broker, queues);
      return;
    }
    while (broker.inflightCount < INFLIGHT_COUNT_MAX && !this.#isStopped) {
      const batches = this.#collect(leaderId, queues, now);
      if (batches.length === 0) return;
      this.#send(connection, broker, batches);
    }
  }

  /** At most one batch per partition, and no more than a request may hold. */
  #collect(leaderId: number, queues: readonly PartitionQueue[], now: number): ProducerBatch[] {
    const { settings, env } = this.#options;
    const batches: ProducerBatch[] = [];
    let requestBytes = 0;
    for (const queue of queues) {
      if (!queue.maySend(now, leaderId)) continue;
      const bytes = queue.firstPending()?.bytes.length ?? 0;
      if (batches.length > 0 && requestBytes + bytes > settings.maxRequestBytes) continue;
      const batch = queue.take(settings.isIdempotent ? this.#identities.current : undefined);
      queue.inflightBrokerId = leaderId;
      const stamp = batch.stamp ?? NO_STAMP;
      if (batch.stamped !== stamp) stampBatch(batch.bytes, stamp, env.crc32c);
      batch.stamped = stamp;
      batches.push(batch);
      requestBytes += bytes;
      this.#ready.delete(queue); // to the end of the line
      if (queue.pendingCount > 0) this.#ready.add(queue);
    }
    return batches;
  }

  #send(connection: Connection, broker: Broker, batches: readonly ProducerBatch[]): void {
    const { settings, requestTimeoutMs } = this.#options;
    const request = produceRequest(batches, settings.acks, requestTimeoutMs);
    if (settings.acks === 0) {
      this.#sendUnanswered(connection, broker, request, batches);
      return;
    }
    broker.inflightCount++;
    connection.request(produce, request).then(
      (response) => {
        broker.inflightCount--;
        if (this.#isStopped) return; // all was reported
        this.#onAnswer(response, batches);
        this.pump();
      },
      (error: ClientError) => {
        broker.inflightCount--;
        if (this.#isStopped) return;
        for (const batch of batches) this.#onFailure(batch, error, true);
        this.pump();
      },
    );
  }

  /** acks=0: what has been handed to the connection counts as delivered. */
  #sendUnanswered(
    connection: Connection,
    broker: Broker,
    request: RequestInput<typeof produce>,
    batches: readonly ProducerBatch[],
  ): void {
    try {
      const keepsUp = connection.send(produce, request);
      for (const batch of batches) this.#onDelivered(batch, -1);
      if (keepsUp) return;
      broker.inflightCount += INFLIGHT_COUNT_MAX; // nothing more until it has left
      connection.drained().then(() => {
        broker.inflightCount -= INFLIGHT_COUNT_MAX;
        this.pump();
      });
    } catch (thrown) {
      const error = errorFrom(thrown, "Cannot produce");
      for (const batch of batches) this.#onFailure(batch, error, false);
    }
  }

  #onAnswer(response: ResponseOf<typeof produce>, batches: readonly ProducerBatch[]): void {
    const { pool, metadata } = this.#options;
    for (const { nodeId, host, port } of response.nodeEndpoints) {
      pool.addBroker(nodeId, { host, port });
    }
    const answerOf = produceAnswers(response);
    for (const batch of batches) {
      const { topic, partition } = batch.queue;
      const answer = answerOf(batch);
      if (answer === undefined) {
        const message =
          `Cannot produce to ${topic}-${partition}: the broker's answer leaves it out`;
        this.#onFailure(batch, new ClientError("PROTOCOL", message), true);
      } else if (answer.errorCode === ErrorCode.None) {
        this.#onDelivered(batch, answer.baseOffset);
      } else {
        const { leaderId, leaderEpoch } = answer.currentLeader;
        metadata.learnLeader(topic, partition, leaderId, leaderEpoch);
        this.#onRefused(batch, answer);
      }
    }
  }

  #onRefused(batch: ProducerBatch, answer: ProduceAnswer): void {
    const { settings, env } = this.#options;
    const { queue } = batch;
    const { errorCode } = answer;
    const action = `Cannot produce to ${queue.topic}-${queue.partition}`;
    const error = errorOfCode(errorCode, action, answer.errorMessage);
    if (errorCode === ErrorCode.DuplicateSequenceNumber) {
      this.#onDelivered(batch, -1); // it is there, and the broker has forgotten where
    } else if (isSequenceError(errorCode) && batch.stamp !== undefined) {
      if (queue.isOvertaken(batch)) {
        const message = `${action}: the broker has taken records behind these, and does not know ` +
          "whether it has these: they may be there or not";
        this.#giveUp(batch, new ClientError(error.code, message));
        return;
      }
      // Either a batch before it is missing, which is in line again or was given up; or the broker
      // has lost what it knew of this producer, and sequences begin anew.
      if (queue.isExpected(batch) || errorCode === ErrorCode.InvalidProducerEpoch) {
        env.trace.event("warn", "producer sequence is unknown to the broker", {
          partition: `${queue.topic}-${queue.partition}`,
          error: error.code,
        });
        queue.requestReset();
      }
      this.#retry(batch, error, false);
    } else if (errorCode === ErrorCode.MessageTooLarge && batch.recordCount > 1) {
      this.#split(batch);
    } else if (isRetriable(errorCode)) {
      if (errorCode !== ErrorCode.RequestTimedOut) this.#refresher.refresh(queue.topic);
      this.#retry(batch, error, settings.isIdempotent);
    } else {
      this.#giveUp(batch, error);
    }
  }

  #split(batch: ProducerBatch): void {
    const { settings, env } = this.#options;
    const { queue } = batch;
    queue.limitBatchBytes(Math.ceil(batch.bufferedBytes / 2));
    queue.replace(
      batch,
      splitBatch(batch, {
        compressionType: settings.compressionType,
        crc32c: () => 0, // it is stamped when it is sent
        compress: compressWith(env.compressors),
        decompress: decompressWith(env.compressors),
      }),
    );
    this.#ready.add(queue);
  }

  /** The request as a whole failed: the broker may have done what was asked or not. */
  #onFailure(batch: ProducerBatch, error: ClientError, isUncertain: boolean): void {
    if (!error.retriable) {
      this.#giveUp(batch, error);
      return;
    }
    this.#refresher.refresh(batch.queue.topic);
    this.#retry(batch, error, isUncertain);
  }

  #retry(batch: ProducerBatch, error: ClientError, isUncertain: boolean): void {
    const { env, signal } = this.#options;
    const now = env.clock.monotonicMs();
    const { queue } = batch;
    if (this.#isStopped || signal.aborted) {
      this.#giveUp(batch, error);
      return;
    }
    this.#noteFailure(queue, error);
    if (now >= batch.deadlineMs) {
      this.#giveUp(batch, this.#lateError(queue));
      return;
    }
    queue.retry(batch, isUncertain);
    queue.notBeforeMs = now + backoffMs(batch.attemptCount, env.random);
    this.#ready.add(queue);
    this.#wakeAt(queue.notBeforeMs);
  }

  #onDelivered(batch: ProducerBatch, baseOffset: number): void {
    this.#refresher.succeed(batch.queue.topic);
    batch.queue.lastFailure = undefined;
    batch.queue.complete(batch);
    this.#options.onReported(batch, baseOffset);
  }

  #giveUp(batch: ProducerBatch, error: ClientError): void {
    batch.queue.giveUp(batch);
    this.#options.onReported(batch, -1, error);
  }

  /** Gives up what has waited too long. What is under way is answered, or its request times out. */
  #expire(queue: PartitionQueue, now: number): void {
    for (;;) {
      const batch = queue.firstPending();
      if (batch === undefined) return;
      if (now < batch.deadlineMs) {
        this.#wakeAt(batch.deadlineMs);
        return;
      }
      this.#giveUp(batch, this.#lateError(queue));
    }
  }

  #lateError({ topic, partition, lastFailure }: PartitionQueue): ClientError {
    const { deliveryTimeoutMs } = this.#options.settings;
    const message = `Cannot produce to ${topic}-${partition}: not delivered within ` +
      `${deliveryTimeoutMs} ms${lastly(lastFailure)}`;
    const hint = lastFailure?.hint;
    return new ClientError("TIMEOUT", message, {
      retriable: true,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /**
   * Keeps why a partition does not work, and tells of it. A sequence that does not fit only follows
   * from the failure of the batch before, which is then the reason to tell.
   */
  #noteFailure(queue: PartitionQueue, error: ClientError): void {
    const { env, settings } = this.#options;
    const now = env.clock.monotonicMs();
    const { topic, partition, lastFailure } = queue;
    if (lastFailure === undefined) queue.failingSinceMs = now;
    if (lastFailure === undefined || error.code !== "OUT_OF_ORDER_SEQUENCE_NUMBER") {
      queue.lastFailure = error;
    }
    const failingForMs = now - queue.failingSinceMs;
    settings.onRetry?.({ topic, partition, error: queue.lastFailure ?? error, failingForMs });
  }

  #giveUpAll(error: ClientError): void {
    for (const queue of this.#ready) {
      for (const batch of queue.batches()) this.#giveUp(batch, error);
    }
  }

  /** The pool may refuse at once (a leader whose address is not known): time passes all the same. */
  #tryLater(queue: PartitionQueue, error: ClientError): void {
    const { clock, random } = this.#options.env;
    this.#noteFailure(queue, error);
    this.#refresher.refresh(queue.topic);
    const laterMs = clock.monotonicMs() + backoffMs(1, random);
    queue.notBeforeMs = Math.max(queue.notBeforeMs, laterMs);
  }

  #connect(leaderId: number, broker: Broker, queues: readonly PartitionQueue[]): void {
    broker.isConnecting = true;
    this.#options.pool.broker(leaderId).then(
      () => {
        broker.isConnecting = false;
        this.pump();
      },
      (error: ClientError) => {
        broker.isConnecting = false;
        for (const queue of queues) {
          if (error.retriable) this.#tryLater(queue, error);
          else for (const batch of queue.batches()) this.#giveUp(batch, error);
        }
        this.pump();
      },
    );
  }

  #broker(brokerId: number): Broker {
    let broker = this.#brokers.get(brokerId);
    if (broker === undefined) {
      broker = { inflightCount: 0, isConnecting: false };
      this.#brokers.set(brokerId, broker);
    }
    return broker;
  }

  #wakeAt(atMs: number): void {
    if (atMs >= this.#timerAtMs) return;
    const { clock } = this.#options.env;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = clock.after(Math.max(atMs - clock.monotonicMs(), 0), () => {
      this.#timerAtMs = Infinity;
      this.pump();
    });
  }
}

function isSequenceError(errorCode: number): boolean {
  return errorCode === ErrorCode.OutOfOrderSequenceNumber ||
    errorCode === ErrorCode.UnknownProducerId || errorCode === ErrorCode.InvalidProducerEpoch;
}

/** Both sentences begin with what could not be done; once is enough. */
function lastly(failure: ClientError | undefined): string {
  if (failure === undefined) return "";
  return `; the last try: ${failure.message.replace(/^Cannot produce to \S+: /, "")}`;
}
