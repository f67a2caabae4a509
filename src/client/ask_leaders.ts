/**
 * Something asked about partitions of one topic: each leader is asked about its own, all at once, and
 * asked again where leadership has moved or the answer was lost, until the time of a request is up.
 *
 * So what is asked must do no harm when it is asked twice.
 */
import { ErrorCode } from "../api/error_code.ts";
import { ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Connection } from "./connection.ts";
import type { PartitionMetadata } from "./metadata_cache.ts";
import { backoffMs, sleep } from "./retry.ts";
import { type RetryReport, UNREADABLE_MS_MAX } from "./retry_report.ts";

export interface PartitionAnswer {
  readonly partition: number;
  readonly error?: ClientError;
}

export interface LeaderQuestion<T extends PartitionAnswer> {
  readonly topic: string;
  /** "Cannot look up offsets of": for the errors. */
  readonly action: string;
  ask(connection: Connection, partitions: readonly PartitionMetadata[]): Promise<readonly T[]>;
  failed(partition: number, error: ClientError): T;
  /** Hears of every failure behind which a partition is asked about again. */
  readonly onRetry?: ((report: RetryReport) => void) | undefined;
}

/** One answer for each of `partitions`, in their order; for all of the topic where left out. */
export async function askLeaders<T extends PartitionAnswer>(
  tools: ClientTools,
  question: LeaderQuestion<T>,
  partitions?: readonly number[],
): Promise<readonly T[]> {
  const { metadata, env, requestTimeoutMs, signal } = tools;
  let found = await metadata.topic(question.topic);
  const wanted = partitions ?? found.partitions.map(({ partition }) => partition);
  const results = new Map<number, T>();
  const startedAtMs = env.clock.monotonicMs();
  let missing = wanted;
  for (let attempt = 1;; attempt++) {
    for (const answer of await askOnce(tools, question, missing, found.partitions)) {
      results.set(answer.partition, answer);
    }
    const failingForMs = env.clock.monotonicMs() - startedAtMs;
    missing = missing.filter((partition) => {
      const error = results.get(partition)?.error;
      if (error === undefined || !isWorthAnother(error, failingForMs, requestTimeoutMs)) {
        return false;
      }
      question.onRetry?.({ topic: question.topic, partition, error, failingForMs });
      return true;
    });
    if (missing.length === 0) break;
    await sleep(env.clock, backoffMs(attempt, env.random), signal);
    found = await metadata.refresh(question.topic).catch(() => found); // the deadline ends it
  }
  return wanted.map((partition) => results.get(partition) ?? leftOut(question, partition));
}

function isWorthAnother(
  { code, retriable }: ClientError,
  failingForMs: number,
  requestTimeoutMs: number,
): boolean {
  const isUnreadable = code === "KAFKA_STORAGE_ERROR" && failingForMs > UNREADABLE_MS_MAX;
  return retriable && !isUnreadable && failingForMs <= requestTimeoutMs;
}

/** "Cannot look up offsets of orders-3" */
export function actionOn(
  { action, topic }: { readonly action: string; readonly topic: string },
  partition: number,
): string {
  return `${action} ${topic}-${partition}`;
}

async function askOnce<T extends PartitionAnswer>(
  tools: ClientTools,
  question: LeaderQuestion<T>,
  wanted: readonly number[],
  known: readonly PartitionMetadata[],
): Promise<readonly T[]> {
  const failures: T[] = [];
  const byLeader = new Map<number, PartitionMetadata[]>();
  for (const partition of wanted) {
    const leader = known[partition];
    if (leader === undefined || leader.leaderId < 0) {
      const code = leader === undefined
        ? ErrorCode.UnknownTopicOrPartition
        : ErrorCode.LeaderNotAvailable;
      const error = errorOfCode(code, actionOn(question, partition));
      failures.push(question.failed(partition, leader === undefined ? final(error) : error));
      continue;
    }
    const partitions = byLeader.get(leader.leaderId);
    if (partitions === undefined) byLeader.set(leader.leaderId, [leader]);
    else partitions.push(leader);
  }
  const answers = await Promise.all(
    [...byLeader].map(async ([leaderId, partitions]) => {
      try {
        return await question.ask(await tools.pool.broker(leaderId), partitions);
      } catch (thrown) {
        const error = thrown as ClientError;
        if (error.code === "ABORTED") throw error;
        return partitions.map(({ partition }) => question.failed(partition, error));
      }
    }),
  );
  return [...failures, ...answers.flat()];
}

function leftOut<T extends PartitionAnswer>(question: LeaderQuestion<T>, partition: number): T {
  const message = `${actionOn(question, partition)}: the broker's answer leaves it out`;
  return question.failed(partition, new ClientError("PROTOCOL", message));
}

function final({ code, message, hint }: ClientError): ClientError {
  return new ClientError(code, message, hint === undefined ? {} : { hint });
}
