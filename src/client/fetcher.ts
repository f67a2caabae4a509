/**
 * Fetches the assigned partitions: one request under way per broker, while the answers before it are
 * being read.
 *
 *     fill ─► request ─► answer ─► held (at most two per broker) ─► take ─► fill
 *
 * Reading is what pulls: a broker of which two answers are held is not asked again until one of them
 * is used up, so memory is bounded by three answers per broker. The partitions that gave data go to
 * the end of the line, so that a busy one does not starve the others (KIP-74). No fetch sessions: a
 * request names all its partitions. A partition that is added while a long poll is under way is fetched
 * beside it the first time. Long because the life of a fetch is told in one piece.
 *
 * A partition that fails is tried again, alone responsible for its own delay, until it has failed for
 * `retryTimeoutMs` in a row; then the consumer fails. Not here: what is inside an answer (`handout.ts`),
 * and where to go on when an offset is not there (`fetch_resets.ts`).
 */
import { ErrorCode, isRetriable } from "../api/error_code.ts";
import { fetch } from "../api/fetch.ts";
import type { ResponseOf } from "../api/schema.ts";
import type { Timer } from "../env/clock.ts";
import { BatchWalk } from "../record/batch_walk.ts";
import { abortedError, ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Lane } from "./connection_pool.ts";
import type { Assignment, ConsumerSettings } from "./consumer_options.ts";
import {
  actionOf,
  type FetchPosition,
  mustFetch,
  newPosition,
  NO_EPOCH,
} from "./fetch_position.ts";
import {
  type FetchAnswer,
  fetchAnswers,
  type FetchedBytes,
  fetchRequest,
} from "./fetch_request.ts";
import { FetchResets, type OffsetReset } from "./fetch_resets.ts";
import { backoffMs } from "./retry.ts";
import { UNREADABLE_MS_MAX } from "./retry_report.ts";
import { TopicRefresher } from "./topic_refresher.ts";

const HELD_COUNT_MAX = 2;
/** Where less patience than `retryTimeoutMs` tells as much: a topic that is unknown so long is gone. */
const FAILING_MS_MAX: ReadonlyMap<string, number> = new Map([
  ["UNKNOWN_TOPIC_OR_PARTITION", 3000],
  ["UNKNOWN_TOPIC_ID", 3000],
  ["KAFKA_STORAGE_ERROR", UNREADABLE_MS_MAX],
]);

interface Answer {
  readonly leaderId: number;
  readonly parts: FetchedBytes[];
}

interface Broker {
  /** By lane: a question is under way. */
  readonly isAsked: Set<Lane>;
  heldCount: number;
}

/** How a member of a group fetches, where it differs. */
export interface FetcherOptions {
  /** For lanes of its own: what others wait for does not delay it. */
  readonly laneName?: string;
  /** Never gives up a partition that may work again: somebody else decides whose it is. */
  readonly isPatient?: boolean;
  /** What it reads to an end is read to where its log ends, wherever that is by then. */
  readonly isToEnd?: boolean;
  /** Hears of every partition that is read on from somewhere else than where it stood. */
  onReset?(reset: OffsetReset): void;
}

export class Fetcher {
  readonly #tools: ClientTools;
  readonly #settings: ConsumerSettings;
  readonly #lane: Lane;
  readonly #freshLane: Lane;
  readonly #isPatient: boolean;
  /** In the order of their turn; those that are fetched to their end are gone. */
  readonly #positions: Set<FetchPosition>;
  readonly #brokers = new Map<number, Broker>();
  readonly #answers: Answer[] = [];
  readonly #refresher: TopicRefresher;
  readonly #resets: FetchResets;
  #arrival: PromiseWithResolvers<void> | undefined;
  #failure: ClientError | undefined;
  #timer: Timer | undefined;

  constructor(
    tools: ClientTools,
    settings: ConsumerSettings,
    assignments: readonly Assignment[],
    options: FetcherOptions = {},
  ) {
    this.#tools = tools;
    this.#settings = settings;
    const { laneName } = options;
    this.#lane = laneName === undefined ? "fetch" : `fetch ${laneName}`;
    this.#freshLane = `fetch fresh ${laneName ?? ""}`;
    this.#isPatient = options.isPatient ?? false;
    this.#refresher = new TopicRefresher({
      tools,
      onRefreshed: () => this.#fill(),
      onFailed: (error) => {
        if (!error.retriable) this.fail(error);
      },
    });
    this.#resets = new FetchResets({
      tools,
      settings,
      isToEnd: options.isToEnd ?? false,
      onReset: options.onReset?.bind(options),
      onLater: (position) => this.#postpone(position),
      onFailed: (position, error) => this.#onFailed(position, error),
      fail: (error) => this.fail(error),
    });
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
      const message =
        `Cannot consume ${topic}-${partition}: it has ${count} partition(s), counted from 0`;
      throw new ClientError("UNKNOWN_TOPIC_OR_PARTITION", message);
    }
    this.#fill();
  }

  /**
   * One more partition; its topic was looked up. It does not wait for the end of a long poll that is
   * under way.
   */
  add(assignment: Assignment): FetchPosition {
    const position = newPosition(assignment);
    if (mustFetch(position)) this.#positions.add(position);
    this.#fill();
    return position;
  }

  /** Nothing more of this partition is given, whatever was fetched. */
  remove(position: FetchPosition): void {
    position.isRemoved = true;
    this.#positions.delete(position);
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
      if (part?.position.isRemoved === true) continue;
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

  /** Ends its connections; only for who has lanes of his own. */
  closeLanes(): void {
    this.#tools.pool.closeLane(this.#lane);
    this.#tools.pool.closeLane(this.#freshLane);
  }

  /** Lets `arrival` resolve. */
  wake(): void {
    this.#arrival?.resolve();
    this.#arrival = undefined;
  }

  /** `take` throws this behind what it still has. */
  fail(error: ClientError): void {
    this.#failure ??= error;
    this.#timer?.cancel();
    this.wake();
  }

  /** Fetches nothing more; what was not taken yet is lost. */
  stop(): void {
    this.fail(abortedError("Cannot consume"));
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
      if (position.isFetching || position.isMoving) continue;
      if (position.notBeforeMs > now) {
        wakeAtMs = Math.min(wakeAtMs, position.notBeforeMs);
        continue;
      }
      if (this.#isMovedAnew(position)) continue;
      const leaderId = metadata.leaderOf(position.topic, position.partition);
      if (leaderId < 0) {
        const code = metadata.known(position.topic) === undefined
          ? ErrorCode.UnknownTopicOrPartition
          : ErrorCode.LeaderNotAvailable;
        this.#onFailed(position, errorOfCode(code, actionOf(position)));
        wakeAtMs = Math.min(wakeAtMs, position.notBeforeMs);
        continue;
      }
      const positions = byLeader.get(leaderId);
      if (positions === undefined) byLeader.set(leaderId, [position]);
      else positions.push(position);
    }
    this.#askAll(byLeader);
    if (wakeAtMs < Infinity) this.#wakeIn(wakeAtMs - now);
  }

  #askAll(byLeader: ReadonlyMap<number, readonly FetchPosition[]>): void {
    for (const [leaderId, positions] of byLeader) {
      const { isAsked, heldCount } = this.#broker(leaderId);
      if (heldCount >= HELD_COUNT_MAX) continue;
      if (!isAsked.has(this.#lane)) {
        this.#ask(leaderId, positions, this.#lane);
      } else if (!isAsked.has(this.#freshLane)) {
        const fresh = positions.filter(({ isFresh }) => isFresh);
        if (fresh.length > 0) this.#ask(leaderId, fresh, this.#freshLane);
      }
    }
  }

  async #ask(leaderId: number, positions: readonly FetchPosition[], lane: Lane): Promise<void> {
    const { pool, requestTimeoutMs } = this.#tools;
    const { isAsked } = this.#broker(leaderId);
    isAsked.add(lane);
    for (const position of positions) {
      position.isFetching = true;
      position.isFresh = false;
    }
    try {
      const connection = await pool.broker(leaderId, lane);
      const { metadata } = this.#tools;
      const question = { positions, settings: this.#settings, metadata };
      const { body, version } = fetchRequest(connection, question);
      const timeoutMs = this.#settings.maxWaitMs + requestTimeoutMs;
      const response = await connection.requestAt(fetch, version, body, { timeoutMs });
      if (response.errorCode !== ErrorCode.None) {
        throw errorOfCode(response.errorCode, "Cannot consume");
      }
      this.#onAnswer(leaderId, positions, response);
    } catch (thrown) {
      for (const position of positions) this.#onFailed(position, thrown as ClientError);
    }
    for (const position of positions) {
      position.isFetching = false;
      if (!mustFetch(position)) this.#positions.delete(position);
    }
    isAsked.delete(lane);
    if (this.isDone()) this.wake();
    this.#fill();
  }

  #onAnswer(
    leaderId: number,
    positions: readonly FetchPosition[],
    response: ResponseOf<typeof fetch>,
  ): void {
    const { pool } = this.#tools;
    for (const { nodeId, host, port } of response.nodeEndpoints) {
      pool.addBroker(nodeId, { host, port });
    }
    const answerOf = fetchAnswers(response);
    const parts: FetchedBytes[] = [];
    for (const position of positions) {
      const answer = answerOf(position);
      if (position.isRemoved) continue;
      if (answer === undefined) continue; // an older broker leaves out what has nothing new
      const { divergingEpoch } = answer;
      if (answer.errorCode === ErrorCode.OffsetOutOfRange) {
        this.#moveBeside(position, this.#resets.outOfRange(position));
      } else if (divergingEpoch.endOffset >= 0) {
        this.#moveBeside(position, this.#resets.diverging(position, divergingEpoch));
      } else if (answer.errorCode === ErrorCode.None) {
        this.#onFetched(position, answer, parts);
      } else {
        this.#onRefused(position, answer);
      }
    }
    if (parts.length === 0 || this.#failure !== undefined) return;
    this.#answers.push({ leaderId, parts });
    this.#broker(leaderId).heldCount++;
    this.wake();
  }

  #onFetched(position: FetchPosition, answer: FetchAnswer, parts: FetchedBytes[]): void {
    position.failureCount = 0;
    position.isDoubted = false;
    this.#refresher.succeed(position.topic);
    const bytes = answer.records;
    if (bytes === null || bytes.length === 0) return;
    const walk = new BatchWalk(bytes);
    let nextOffset = -1;
    let leaderEpoch = NO_EPOCH;
    while (walk.next()) {
      nextOffset = walk.batch.nextOffset();
      leaderEpoch = walk.batch.partitionLeaderEpoch();
    }
    if (nextOffset <= position.fetchOffset) {
      const message = `${actionOf(position)}: no whole batch in ${bytes.length} bytes`;
      this.fail(new ClientError("CORRUPT_MESSAGE", message));
      return;
    }
    position.fetchOffset = nextOffset;
    position.fetchLeaderEpoch = leaderEpoch;
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

  #onRefused(position: FetchPosition, answer: FetchAnswer): void {
    const { topic, partition } = position;
    const { leaderId, leaderEpoch } = answer.currentLeader;
    this.#tools.metadata.learnLeader(topic, partition, leaderId, leaderEpoch);
    if (answer.errorCode === ErrorCode.CorruptMessage) {
      this.fail(damagedError(position));
      return;
    }
    const error = errorOfCode(answer.errorCode, actionOf(position));
    if (isRetriable(answer.errorCode)) this.#onFailed(position, error);
    else this.fail(error);
  }

  /** To be fetched once more, behind a pause and from whom the topic is led by then. */
  #postpone(position: FetchPosition): void {
    const { clock, random } = this.#tools.env;
    const now = clock.monotonicMs();
    if (position.failureCount === 0) position.failingSinceMs = now;
    position.failureCount++;
    position.notBeforeMs = now + backoffMs(position.failureCount, random);
    this.#refresher.refresh(position.topic);
  }

  /** Whether the topic has become another one; it is then seen to beside. */
  #isMovedAnew(position: FetchPosition): boolean {
    const topicId = this.#tools.metadata.known(position.topic)?.topicId;
    if (topicId === undefined) return false;
    position.topicId ??= topicId;
    if (!this.#resets.isMadeAnew(position, topicId)) return false;
    this.#moveBeside(position, this.#resets.madeAnew(position, topicId));
    return true;
  }

  /** What is looked up for one partition keeps no other one waiting. */
  async #moveBeside(position: FetchPosition, moving: Promise<void>): Promise<void> {
    position.isMoving = true;
    try {
      await moving;
    } catch (thrown) {
      this.#onFailed(position, thrown as ClientError);
    }
    position.isMoving = false;
    if (!mustFetch(position)) this.#positions.delete(position);
    if (this.isDone()) this.wake();
    this.#fill();
  }

  /** Sets the next try, or ends the consumer where there were enough. */
  #onFailed(position: FetchPosition, error: ClientError): void {
    if (position.isRemoved || this.#failure !== undefined) return;
    const { env } = this.#tools;
    const now = env.clock.monotonicMs();
    if (position.failureCount === 0) position.failingSinceMs = now;
    position.failureCount++;
    position.notBeforeMs = now + backoffMs(position.failureCount, env.random);
    const { retryTimeoutMs, onRetry } = this.#settings;
    const limitMs = this.#isPatient
      ? Infinity
      : Math.min(retryTimeoutMs, FAILING_MS_MAX.get(error.code) ?? Infinity);
    const failingForMs = now - position.failingSinceMs;
    if (!error.retriable || failingForMs >= limitMs) {
      this.fail(error);
      return;
    }
    this.#refresher.refresh(position.topic);
    onRetry?.({ topic: position.topic, partition: position.partition, error, failingForMs });
  }

  #wakeIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#tools.env.clock.after(delayMs, () => this.#fill());
  }

  #broker(leaderId: number): Broker {
    let broker = this.#brokers.get(leaderId);
    if (broker === undefined) {
      broker = { isAsked: new Set(), heldCount: 0 };
      this.#brokers.set(leaderId, broker);
    }
    return broker;
  }
}

/** Asking again does not help: it lies on the disk like that (Java's consumer does not ask either). */
function damagedError(position: FetchPosition): ClientError {
  const message = `${actionOf(position)}: the batch at offset ${position.fetchOffset} is damaged ` +
    "on the disk of its broker";
  return new ClientError("CORRUPT_MESSAGE", message, {
    hint: "Read from an offset behind it on; the broker's log names what is damaged",
  });
}
