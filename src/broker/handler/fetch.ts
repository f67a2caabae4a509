/**
 * Fetch: committed batches from the offsets asked for, whole and as they lie in the log.
 *
 * Long poll: where less than `minBytes` is there, the answer waits for it, `maxWaitMs` at most.
 * Sessions (KIP-227) are answered with id 0, which tells the client to send every partition each time.
 * There are no transactions yet, so the last stable offset is the high watermark.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { fetch } from "../../api/fetch.ts";
import type { RequestOf } from "../../api/schema.ts";
import type { BrokerContext, Call } from "../broker_context.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { partitionOf } from "../partition_of.ts";
import { type FetchedPartition, FetchTarget, releaseFetched } from "./fetch_target.ts";
import { Arrivals } from "./fetch_arrivals.ts";
import { waitForMove } from "./fetch_wait.ts";

type Request = RequestOf<typeof fetch>;
type FetchAnswer = Answer<typeof fetch>;

/** From this version on topics have ids instead of names. */
const TOPIC_ID_FROM_VERSION = 13;

/** One look at all partitions of a request. */
interface Round {
  readonly byteCount: number;
  readonly hasError: boolean;
  readonly partitions: readonly FetchedPartition[];
}

export const fetchHandler = defineHandler({
  api: fetch,
  hasFiles: true,
  handle(broker, request, call): FetchAnswer | Promise<FetchAnswer> {
    const refusal = refuse(request);
    if (refusal !== undefined) return { errorCode: refusal, sessionId: 0, responses: [] };
    const targets = targetsOf(broker, request, call);
    const bytesMax = Math.min(request.maxBytes, broker.settings.get("fetch.max.bytes"));
    // More than `bytesMax` never comes, so nobody waits for it (as Kafka, ReplicaManager.fetchParams).
    const bytesMin = Math.min(request.minBytes, bytesMax);
    const poll: Poll = {
      ...{ broker, request, call, targets, bytesMax, bytesMin },
      arrivals: new Arrivals(targets, bytesMin),
      deadlineMs: broker.env.clock.monotonicMs() + Math.max(request.maxWaitMs, 0),
    };
    const first = settle(poll, readRound(targets, bytesMax));
    return first instanceof Promise || first === undefined ? wait(poll, first) : first;
  },
});

interface Poll {
  readonly broker: BrokerContext;
  readonly request: Request;
  readonly call: Call;
  readonly targets: readonly FetchTarget[];
  readonly bytesMax: number;
  readonly bytesMin: number;
  readonly arrivals: Arrivals;
  readonly deadlineMs: number;
}

/** The answer, or undefined where it is worth to wait for more. */
type Settled = FetchAnswer | undefined;

/**
 * Nothing of a round outlives this: it names every batch that there is, and thousands of fetches may
 * be parked.
 */
function settle(poll: Poll, round: Round | Promise<Round>): Settled | Promise<Settled> {
  if (round instanceof Promise) return round.then((read) => settle(poll, read));
  const { broker, request, call, targets, bytesMin, arrivals, deadlineMs } = poll;
  const isLate = broker.env.clock.monotonicMs() >= deadlineMs;
  if (round.hasError || round.byteCount >= bytesMin || isLate || call.connection.isGoing) {
    return answer(broker, request, targets, round);
  }
  round.partitions.forEach(releaseFetched);
  arrivals.found(round.byteCount);
  return undefined;
}

async function wait(poll: Poll, first: Settled | Promise<Settled>): Promise<FetchAnswer> {
  const { broker: { env: { clock } }, call, targets, bytesMax, arrivals, deadlineMs } = poll;
  const move = waitForMove(clock, targets, call.connection, arrivals);
  try {
    let settled = await first;
    while (settled === undefined) {
      // deno-lint-ignore no-await-in-loop -- it waits for the world, not for work
      await move.untilMoved(deadlineMs - clock.monotonicMs());
      arrivals.restart();
      // Nothing is read for a client that goes: thousands of its fetches may have been parked.
      const round = call.connection.isGoing ? emptyRound(targets) : readRound(targets, bytesMax);
      // deno-lint-ignore no-await-in-loop
      settled = await settle(poll, round);
    }
    return settled;
  } finally {
    move.stop();
  }
}

function refuse(request: Request): ErrorCode | undefined {
  // Replicas fetch over connections of the cluster; -2 is Kafka's debugging consumer.
  if (request.replicaId >= 0 || request.replicaState.replicaId >= 0) {
    return ErrorCode.ClusterAuthorizationFailed;
  }
  // Epoch 0 asks for a new session and -1 for none. No session was ever given out, so a request that
  // goes on with one is from another time.
  return request.sessionEpoch === 0 || request.sessionEpoch === -1
    ? undefined
    : ErrorCode.FetchSessionIdNotFound;
}

function targetsOf(
  broker: BrokerContext,
  request: Request,
  call: Call,
): readonly FetchTarget[] {
  const hasIds = call.apiVersion >= TOPIC_ID_FROM_VERSION;
  return request.topics.flatMap((topic) => {
    const name = hasIds ? broker.image.topicById(topic.topicId)?.name : topic.topic;
    return topic.partitions.map((asked) =>
      new FetchTarget(
        name,
        asked,
        name === undefined
          ? hasIds ? ErrorCode.UnknownTopicId : ErrorCode.UnknownTopicOrPartition
          : partitionOf(broker, name, asked.partition),
      )
    );
  });
}

/** Reads in the order of the request until `bytesMax` is reached; the first batch goes in any case. */
function readRound(targets: readonly FetchTarget[], bytesMax: number): Round | Promise<Round> {
  const partitions: FetchedPartition[] = [];
  let byteCount = 0;
  let hasError = false;
  const take = (target: FetchTarget, fetched: FetchedPartition): void => {
    let taken = fetched;
    if (byteCount > 0 && byteCount + bytesOf(fetched) > bytesMax) {
      releaseFetched(fetched);
      taken = target.withoutRecords();
    }
    byteCount += bytesOf(taken);
    hasError ||= taken.errorCode !== ErrorCode.None;
    partitions.push(taken);
  };
  const readFrom = (at: number): Round | Promise<Round> => {
    for (let next = at; next < targets.length; next++) {
      const target = targets[next] as FetchTarget;
      const read = byteCount > 0 && byteCount >= bytesMax
        ? target.withoutRecords()
        : target.read(bytesMax - byteCount);
      if (read instanceof Promise) {
        return read.then((fetched) => {
          take(target, fetched);
          return readFrom(next + 1);
        });
      }
      take(target, read);
    }
    return { byteCount, hasError, partitions };
  };
  return readFrom(0);
}

function emptyRound(targets: readonly FetchTarget[]): Round {
  const partitions = targets.map((target) => target.withoutRecords());
  return { byteCount: 0, hasError: false, partitions };
}

function bytesOf({ records }: FetchedPartition): number {
  if (records === null) return 0;
  if (records instanceof Uint8Array) return records.length;
  return records.reduce((sum, part) => sum + part.byteLength, 0);
}

function answer(
  broker: BrokerContext,
  request: Request,
  targets: readonly FetchTarget[],
  round: Round,
): FetchAnswer {
  let next = 0;
  const responses = request.topics.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map(() => round.partitions[next++] as FetchedPartition),
  }));
  targets.forEach(({ topic, asked, nextOffset }, index) => {
    const byteCount = bytesOf(round.partitions[index] as FetchedPartition);
    if (topic === undefined || byteCount === 0) return;
    const counters = broker.metrics.topic(topic);
    counters.bytesOut.add(byteCount);
    counters.messagesOut.add(nextOffset - asked.fetchOffset);
  });
  return { errorCode: ErrorCode.None, sessionId: 0, responses };
}
