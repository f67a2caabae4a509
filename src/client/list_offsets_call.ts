/**
 * ListOffsets over all partitions of a topic: each leader is asked about its own, all at once, and
 * asked again where leadership has moved.
 */
import { ErrorCode } from "../api/error_code.ts";
import { listOffsets } from "../api/list_offsets.ts";
import type { ListedOffset, OffsetSpec } from "./admin_results.ts";
import { ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Isolation } from "./consumer_options.ts";
import type { PartitionMetadata } from "./metadata_cache.ts";
import { backoffMs, sleep } from "./retry.ts";

export interface ListOffsetsOptions {
  /** All where left out. */
  readonly partitions?: readonly number[];
  /** With "read_committed", "end" is the last stable offset. */
  readonly isolation?: Isolation;
}

export async function listOffsetsOf(
  tools: ClientTools,
  topic: string,
  spec: OffsetSpec,
  options: ListOffsetsOptions = {},
): Promise<readonly ListedOffset[]> {
  const { metadata, env, requestTimeoutMs, signal } = tools;
  let found = await metadata.topic(topic);
  const wanted = options.partitions ?? found.partitions.map(({ partition }) => partition);
  const results = new Map<number, ListedOffset>();
  const deadlineMs = env.clock.monotonicMs() + requestTimeoutMs;
  const question: Question = { tools, topic, spec, isolation: options.isolation };
  let missing = wanted;
  for (let attempt = 1;; attempt++) {
    for (const offset of await askLeaders(question, missing, found.partitions)) {
      results.set(offset.partition, offset);
    }
    missing = missing.filter((partition) => results.get(partition)?.error?.retriable === true);
    if (missing.length === 0 || env.clock.monotonicMs() > deadlineMs) break;
    await sleep(env.clock, backoffMs(attempt, env.random), signal);
    found = await metadata.refresh(topic).catch(() => found); // the deadline ends it
  }
  return wanted.map((partition) => results.get(partition) as ListedOffset);
}

interface Question {
  readonly tools: ClientTools;
  readonly topic: string;
  readonly spec: OffsetSpec;
  readonly isolation: Isolation | undefined;
}

async function askLeaders(
  question: Question,
  wanted: readonly number[],
  known: readonly PartitionMetadata[],
): Promise<readonly ListedOffset[]> {
  const failures: ListedOffset[] = [];
  const byLeader = new Map<number, PartitionMetadata[]>();
  for (const partition of wanted) {
    const leader = known[partition];
    if (leader === undefined || leader.leaderId < 0) {
      const code = leader === undefined
        ? ErrorCode.UnknownTopicOrPartition
        : ErrorCode.LeaderNotAvailable;
      const error = errorOfCode(code, actionOf(question, partition));
      failures.push(failed(partition, leader === undefined ? final(error) : error));
      continue;
    }
    const partitions = byLeader.get(leader.leaderId);
    if (partitions === undefined) byLeader.set(leader.leaderId, [leader]);
    else partitions.push(leader);
  }
  const answers = await Promise.all(
    [...byLeader].map(async ([leaderId, partitions]) => {
      try {
        return await askLeader(question, leaderId, partitions);
      } catch (thrown) {
        const error = thrown as ClientError;
        if (error.code === "ABORTED") throw error;
        return partitions.map(({ partition }) => failed(partition, error));
      }
    }),
  );
  return [...failures, ...answers.flat()];
}

async function askLeader(
  question: Question,
  leaderId: number,
  partitions: readonly PartitionMetadata[],
): Promise<readonly ListedOffset[]> {
  const { tools, topic, spec, isolation } = question;
  const connection = await tools.pool.broker(leaderId);
  const timestamp = timestampOf(spec);
  const answer = await connection.request(listOffsets, {
    replicaId: -1,
    isolationLevel: isolation === "read_committed" ? 1 : 0,
    topics: [{
      name: topic,
      partitions: partitions.map(({ partition, leaderEpoch }) => {
        return { partitionIndex: partition, currentLeaderEpoch: leaderEpoch, timestamp };
      }),
    }],
    timeoutMs: tools.requestTimeoutMs,
  });
  return answer.topics.flatMap((answered) => answered.partitions).map((result) => {
    const { partitionIndex: partition, offset, leaderEpoch, errorCode } = result;
    if (errorCode !== ErrorCode.None) {
      return failed(partition, errorOfCode(errorCode, actionOf(question, partition)));
    }
    return { partition, offset, timestamp: result.timestamp, leaderEpoch };
  });
}

/** Kafka's reserved timestamps stand for the special offsets. */
function timestampOf(spec: OffsetSpec): number {
  if (spec === "end") return -1;
  if (spec === "start") return -2;
  return spec === "max-timestamp" ? -3 : spec.timestamp;
}

function failed(partition: number, error: ClientError): ListedOffset {
  return { partition, offset: -1, timestamp: -1, leaderEpoch: -1, error };
}

function final({ code, message, hint }: ClientError): ClientError {
  return new ClientError(code, message, hint === undefined ? {} : { hint });
}

function actionOf({ topic }: Question, partition: number): string {
  return `Cannot look up offsets of ${topic}-${partition}`;
}
