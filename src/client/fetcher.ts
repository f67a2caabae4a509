/**
 * Fetches the assigned partitions: one request under way per broker, while the answers before it are
 * being read.
 *
 *     fill ─► request ─► answer ─► held (at most two per broker) ─► take ─► fill
 *
 * Reading is what pulls: a broker of which two answers are held is not asked again until one of them
 * is used up, so memory is bounded by three answers per broker. The partitions that gave data go to
 * the end of the line, so that a busy one does not starve the others (KIP-74). No fetch sessions: a
 * request names all its partitions.
 *
 * A partition that fails is tried again, alone responsible for its own delay, until it has failed for
 * `retryTimeoutMs` in a row; then the consumer fails. Not here: what is inside an answer (`handout.ts`).
 */
import { ErrorCode, isRetriable } from "../api/error_code.ts";
import { fetch } from "../api/fetch.ts";
import type { RequestInput, ResponseOf } from "../api/schema.ts";
import type { Timer } from "../env/clock.ts";
import { type Uuid, ZERO_UUID } from "../ground/uuid.ts";
import { BatchWalk } from "../record/batch_walk.ts";
import { abortedError, ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Connection } from "./connection.ts";
import type { Assignment, ConsumerSettings } from "./consumer_options.ts";
import { listOffsetsOf } from "./list_offsets_call.ts";
import { backoffMs } from "./retry.ts";

/** The last version that names topics by name. */
const VERSION_WITH_NAMES = 12;
const HELD_COUNT_MAX = 2;
/** A topic that is said to be unknown for so long is gone. */
const UNKNOWN_MS_MAX = 3000;

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** Whole batches of one partition, as they came. */
export interface FetchedBytes {
  readonly position: FetchPosition;
  readonly bytes: Uint8Array;
  readonly highWatermark: number;
  /** In the order of their first offsets. */
  readonly aborted: readonly AbortedTransaction[];
}

/** How far a partition has been fetched, and how far it has been handed out. */
export interface FetchPosition {
  readonly topic: string;
  readonly partition: number;
  /** Infinity = follow. */
  readonly until: number;
  fetchOffset: number;
  /** The first offset that was not handed out. */
  readOffset: number;
  isFetching: boolean;
  failureCount: number;
  failingSinceMs: number;
  notBeforeMs: number;
}

interface Answer {
  readonly leaderId: number;
  readonly parts: FetchedBytes[];
}

interface Broker {
  isAsked: boolean;
  heldCount: number;
}

type PartitionAnswer = ResponseOf<typeof fetch>["responses"][number]["partitions"][number];

export class Fetcher {
  readonly #tools: ClientTools;
  readonly #settings: ConsumerSettings;
  /** In the order of their turn; those that are fetched to their end are gone. */
  readonly #positions: Set<FetchPosition>;
  readonly #brokers = new Map<number, Broker>();
  readonly #answers: Answer[] = [];
  readonly #refreshing = new Set<string>();
  #arrival: PromiseWithResolvers<void> | undefined;
  #failure: ClientError | undefined;
  #timer: Timer | undefined;

  constructor(
    tools: ClientTools,
    settings: ConsumerSettings,
    assignments: readonly Assignment[],
  ) {
    this.#tools = tools;
    this.#settings = settings;
    this.#positions = new Set(assignments.map(newPosition).filter(mustFetch));
  }

  /** Looks the topics up, and begins. Throws a `ClientError` where a partition is not there. */
  async start(): Promise<void> {
    const { metadata } = this.#tools;
    const topics = new Set([...this.#positions].map(({ topic }) => topic));
    await Promise.all([...topics].map((topic) => metadata.topic(topic)));
    for (const { topic, partition } of this.#positions) {
      const count = metadata.known(topic)?.partitions.length ?? 0;
      if (partition < count) continue;
      const message = `Cannot consume ${topic}-${partition}: it has ${count} partitions`;
      throw new ClientError("UNKNOWN_TOPIC_OR_PARTITION", message);
    }
    this.#fill();
  }

  /** The next part of an answer; undefined where none is there yet, or none will come (`isDone`). */
  take(): FetchedBytes | undefined {
    for (;;) {
      const answer = this.#answers[0];
      if (answer === undefined) {
        if (this.#failure !== undefined) throw this.#failure;
        return undefined;
      }
      const part = answer.parts.shift();
      if (part !== undefined) return part;
      this.#answers.shift();
      this.#broker(answer.leaderId).heldCount--;
      this.#fill();
    }
  }

  /** Whether every partition has been fetched to its end, and all of it was taken. */
  isDone(): boolean {
    return this.#positions.size === 0 && this.#answers.length === 0;
  }

  /** Resolves when `take` is worth another try. */
  arrival(): Promise<void> {
    if (this.#answers.length > 0 || this.#failure !== undefined) return Promise.resolve();
    this.#arrival ??= Promise.withResolvers<void>();
    return this.#arrival.promise;
  }

  /** Fetches nothing more; what was not taken yet is lost. */
  stop(): void {
    this.#fail(abortedError("Cannot consume"));
    this.#answers.length = 0;
    this.#positions.clear();
  }

  #fill(): void {
    if (this.#failure !== undefined) return;
    const { metadata, env } = this.#tools;
    const now = env.clock.monotonicMs();
    const byLeader = new Map<number, FetchPosition[]>();
    let wakeAtMs = Infinity;
    for (const position of this.#positions) {
      if (position.isFetching) continue;
      if (position.notBeforeMs > now) {
        wakeAtMs = Math.min(wakeAtMs, position.notBeforeMs);
        continue;
      }
      const leaderId = metadata.leaderOf(position.topic, position.partition);
      if (leaderId < 0) {
        this.#onFailed(position, errorOfCode(ErrorCode.LeaderNotAvailable, actionOf(position)));
        wakeAtMs = Math.min(wakeAtMs, position.notBeforeMs);
        continue;
      }
      const positions = byLeader.get(leaderId);
      if (positions === undefined) byLeader.set(leaderId, [position]);
      else positions.push(position);
    }
    for (const [leaderId, positions] of byLeader) {
      const broker = this.#broker(leaderId);
      if (broker.isAsked || broker.heldCount >= HELD_COUNT_MAX) continue;
      broker.isAsked = true;
      for (const position of positions) position.isFetching = true;
      this.#ask(leaderId, positions);
    }
    if (wakeAtMs < Infinity) this.#wakeIn(wakeAtMs - now);
  }

  async #ask(leaderId: number, positions: readonly FetchPosition[]): Promise<void> {
    const { pool, requestTimeoutMs } = this.#tools;
    try {
      const connection = await pool.broker(leaderId, "fetch");
      const { body, version } = this.#request(connection, positions);
      const timeoutMs = this.#settings.maxWaitMs + requestTimeoutMs;
      const response = await connection.requestAt(fetch, version, body, { timeoutMs });
      if (response.errorCode !== ErrorCode.None) {
        throw errorOfCode(response.errorCode, "Cannot consume");
      }
      await this.#onAnswer(leaderId, positions, response);
    } catch (thrown) {
      for (const position of positions) this.#onFailed(position, thrown as ClientError);
    }
    for (const position of positions) position.isFetching = false;
    this.#broker(leaderId).isAsked = false;
    if (this.isDone()) this.#wake();
    this.#fill();
  }

  #request(
    connection: Connection,
    positions: readonly FetchPosition[],
  ): { readonly version: number; readonly body: RequestInput<typeof fetch> } {
    const { metadata } = this.#tools;
    const { maxWaitMs, minBytes, maxBytes, partitionMaxBytes, isReadCommitted } = this.#settings;
    const topics = new Map<string, FetchPosition[]>();
    for (const position of positions) {
      const others = topics.get(position.topic);
      if (others === undefined) topics.set(position.topic, [position]);
      else others.push(position);
    }
    const topicIdOf = (topic: string): Uuid => metadata.known(topic)?.topicId ?? ZERO_UUID;
    const hasIds = [...topics.keys()].every((topic) => topicIdOf(topic) !== ZERO_UUID);
    const version = connection.versionOf(fetch, hasIds ? fetch.versions[1] : VERSION_WITH_NAMES);
    if (version === undefined) {
      throw new ClientError("UNSUPPORTED_VERSION", "Cannot consume: the broker has no common Fetch");
    }
    const body = {
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel: isReadCommitted ? 1 : 0,
      topics: [...topics].map(([topic, ofTopic]) => ({
        topic,
        topicId: topicIdOf(topic),
        partitions: ofTopic.map(({ partition, fetchOffset }) => ({
          partition,
          currentLeaderEpoch: metadata.known(topic)?.partitions[partition]?.leaderEpoch ?? -1,
          fetchOffset,
          partitionMaxBytes,
        })),
      })),
    };
    return { version, body };
  }

  async #onAnswer(
    leaderId: number,
    positions: readonly FetchPosition[],
    response: ResponseOf<typeof fetch>,
  ): Promise<void> {
    const { pool, metadata } = this.#tools;
    for (const { nodeId, host, port } of response.nodeEndpoints) {
      pool.addBroker(nodeId, { host, port });
    }
    const answers = new Map<string, PartitionAnswer>();
    for (const { topic, topicId, partitions } of response.responses) {
      const key = topic === "" ? topicId : topic;
      for (const answer of partitions) answers.set(`${answer.partitionIndex} ${key}`, answer);
    }
    const parts: FetchedBytes[] = [];
    for (const position of positions) {
      const { topic, partition } = position;
      const topicId = metadata.known(topic)?.topicId ?? "";
      const answer = answers.get(`${partition} ${topic}`) ??
        answers.get(`${partition} ${topicId}`);
      if (answer === undefined) continue; // an older broker leaves out what has nothing new
      if (answer.errorCode === ErrorCode.None) this.#onFetched(position, answer, parts);
      else if (answer.errorCode === ErrorCode.OffsetOutOfRange) await this.#onOutOfRange(position);
      else this.#onRefused(position, answer);
    }
    if (parts.length === 0 || this.#failure !== undefined) return;
    this.#answers.push({ leaderId, parts });
    this.#broker(leaderId).heldCount++;
    this.#wake();
  }

  #onFetched(position: FetchPosition, answer: PartitionAnswer, parts: FetchedBytes[]): void {
    position.failureCount = 0;
    const bytes = answer.records;
    if (bytes === null || bytes.length === 0) return;
    const walk = new BatchWalk(bytes);
    let nextOffset = -1;
    while (walk.next()) nextOffset = walk.batch.nextOffset();
    if (nextOffset <= position.fetchOffset) {
      const message = `${actionOf(position)}: no whole batch in ${bytes.length} bytes`;
      this.#fail(new ClientError("CORRUPT_MESSAGE", message));
      return;
    }
    position.fetchOffset = nextOffset;
    this.#positions.delete(position);
    if (mustFetch(position)) this.#positions.add(position); // at the end of the line
    parts.push({
      position,
      bytes: bytes.subarray(0, walk.wholeEnd()),
      highWatermark: answer.highWatermark,
      aborted: (answer.abortedTransactions ?? []).toSorted((left, right) =>
        left.firstOffset - right.firstOffset
      ),
    });
  }

  #onRefused(position: FetchPosition, answer: PartitionAnswer): void {
    const { topic, partition } = position;
    const { leaderId, leaderEpoch } = answer.currentLeader;
    this.#tools.metadata.learnLeader(topic, partition, leaderId, leaderEpoch);
    const error = errorOfCode(answer.errorCode, actionOf(position));
    if (isRetriable(answer.errorCode)) this.#onFailed(position, error);
    else this.#fail(error);
  }

  async #onOutOfRange(position: FetchPosition): Promise<void> {
    const { onOutOfRange } = this.#settings;
    const { topic, partition, fetchOffset } = position;
    if (onOutOfRange === "error") {
      this.#fail(
        errorOfCode(
          ErrorCode.OffsetOutOfRange,
          actionOf(position),
          `offset ${fetchOffset} is not, or no longer, there`,
        ),
      );
      return;
    }
    const [found] = await listOffsetsOf(this.#tools, topic, onOutOfRange, {
      partitions: [partition],
    });
    if (found === undefined || found.error !== undefined) {
      this.#onFailed(position, found?.error ?? abortedError(actionOf(position)));
      return;
    }
    this.#tools.env.trace.event("warn", "offset is out of range", {
      partition: `${topic}-${partition}`,
      offset: fetchOffset,
      newOffset: found.offset,
    });
    position.fetchOffset = found.offset;
    position.readOffset = found.offset;
    if (!mustFetch(position)) this.#positions.delete(position);
  }

  /** Sets the next try, or ends the consumer where there were enough. */
  #onFailed(position: FetchPosition, error: ClientError): void {
    const { env } = this.#tools;
    const now = env.clock.monotonicMs();
    if (position.failureCount === 0) position.failingSinceMs = now;
    position.failureCount++;
    position.notBeforeMs = now + backoffMs(position.failureCount, env.random);
    const { retryTimeoutMs } = this.#settings;
    const isUnknown = error.code === "UNKNOWN_TOPIC_OR_PARTITION" ||
      error.code === "UNKNOWN_TOPIC_ID";
    const limitMs = isUnknown ? Math.min(retryTimeoutMs, UNKNOWN_MS_MAX) : retryTimeoutMs;
    if (!error.retriable || now - position.failingSinceMs >= limitMs) this.#fail(error);
    else this.#refresh(position);
  }

  #refresh(position: FetchPosition): void {
    const { topic } = position;
    if (this.#refreshing.has(topic)) return;
    this.#refreshing.add(topic);
    this.#tools.metadata.refresh(topic).catch((error: ClientError) => {
      if (!error.retriable) this.#fail(error);
    }).then(() => {
      this.#refreshing.delete(topic);
      this.#fill();
    });
  }

  #fail(error: ClientError): void {
    this.#failure ??= error;
    this.#timer?.cancel();
    this.#wake();
  }

  #wake(): void {
    this.#arrival?.resolve();
    this.#arrival = undefined;
  }

  #wakeIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#tools.env.clock.after(delayMs, () => this.#fill());
  }

  #broker(leaderId: number): Broker {
    let broker = this.#brokers.get(leaderId);
    if (broker === undefined) {
      broker = { isAsked: false, heldCount: 0 };
      this.#brokers.set(leaderId, broker);
    }
    return broker;
  }
}

function newPosition(assignment: Assignment): FetchPosition {
  const { topic, partition, from } = assignment;
  return {
    topic,
    partition,
    until: assignment.until ?? Infinity,
    fetchOffset: from,
    readOffset: from,
    isFetching: false,
    failureCount: 0,
    failingSinceMs: 0,
    notBeforeMs: 0,
  };
}

function mustFetch({ fetchOffset, until }: FetchPosition): boolean {
  return fetchOffset < until;
}

function actionOf({ topic, partition }: FetchPosition): string {
  return `Cannot consume ${topic}-${partition}`;
}
