/**
 * Something asked about groups: each coordinator is asked about its own, all at once, and asked again
 * where a group has moved, is being loaded, or the answer was lost, until the time of a request is up.
 */
import { ClientError } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Connection } from "./connection.ts";
import { findCoordinators } from "./find_coordinators.ts";
import { backoffMs, sleep } from "./retry.ts";

export interface GroupQuestion<T> {
  /** "Cannot describe group": for the errors. */
  readonly action: string;
  /** One answer, or why there is none, for each group. */
  ask(
    connection: Connection,
    groupIds: readonly string[],
    coordinatorId: number,
  ): Promise<ReadonlyMap<string, T | ClientError>>;
  /** Comes to the same however often it is done: also asked again when the answer was lost. */
  readonly isIdempotent: boolean;
}

/** The coordinator did nothing, and will later, or another one will. */
const NOTHING_DONE: ReadonlySet<string> = new Set([
  "COORDINATOR_LOAD_IN_PROGRESS",
  "COORDINATOR_NOT_AVAILABLE",
  "NOT_COORDINATOR",
]);
const ANSWER_LOST: ReadonlySet<string> = new Set(["UNREACHABLE", "TIMEOUT"]);

/** An answer, or why there is none, for each group. Throws ABORTED where the client is closed. */
export async function askCoordinators<T>(
  tools: ClientTools,
  groupIds: readonly string[],
  question: GroupQuestion<T>,
): Promise<ReadonlyMap<string, T | ClientError>> {
  const { env, requestTimeoutMs, signal } = tools;
  const deadlineMs = env.clock.monotonicMs() + requestTimeoutMs;
  const results = new Map<string, T | ClientError>();
  let missing = [...new Set(groupIds)];
  for (let attempt = 1; missing.length > 0; attempt++) {
    const again = new Set<string>();
    for (const [groupId, answer] of await askOnce(tools, missing, question, again)) {
      results.set(groupId, answer);
    }
    missing = missing.filter((groupId) => again.has(groupId));
    const delayMs = backoffMs(attempt, env.random);
    if (missing.length === 0 || env.clock.monotonicMs() + delayMs > deadlineMs) break;
    await sleep(env.clock, delayMs, signal);
  }
  return results;
}

/** The answer about one group. Throws a `ClientError` where there is none. */
export async function askCoordinator<T>(
  tools: ClientTools,
  groupId: string,
  question: GroupQuestion<T>,
): Promise<T> {
  const answer = (await askCoordinators(tools, [groupId], question)).get(groupId);
  if (answer instanceof ClientError) throw answer;
  return answer as T;
}

async function askOnce<T>(
  tools: ClientTools,
  groupIds: readonly string[],
  question: GroupQuestion<T>,
  again: Set<string>,
): Promise<ReadonlyMap<string, T | ClientError>> {
  const results = new Map<string, T | ClientError>();
  const take = (groupId: string, answer: T | ClientError, mayHaveBeenDone: boolean): void => {
    results.set(groupId, answer);
    if (!(answer instanceof ClientError)) return;
    const isLost = ANSWER_LOST.has(answer.code) && !mayHaveBeenDone;
    if (isLost || NOTHING_DONE.has(answer.code)) again.add(groupId);
  };
  const byCoordinator = new Map<number, string[]>();
  const found = await findCoordinators(tools, groupIds).catch((error: ClientError) => {
    if (error.code === "ABORTED") throw error;
    return new Map(groupIds.map((groupId) => [groupId, error]));
  });
  for (const groupId of groupIds) {
    const coordinatorId = found.get(groupId) ??
      new ClientError("PROTOCOL", `${question.action} ${groupId}: no coordinator is told`);
    if (typeof coordinatorId !== "number") take(groupId, coordinatorId, false);
    else byCoordinator.set(coordinatorId, [...byCoordinator.get(coordinatorId) ?? [], groupId]);
  }
  await Promise.all([...byCoordinator].map(async ([coordinatorId, ofCoordinator]) => {
    let isAsked = false;
    try {
      const connection = await tools.pool.broker(coordinatorId);
      isAsked = true;
      const answers = await question.ask(connection, ofCoordinator, coordinatorId);
      for (const groupId of ofCoordinator) {
        const leftOut = `${question.action} ${groupId}: the broker's answer leaves it out`;
        take(groupId, answers.get(groupId) ?? new ClientError("PROTOCOL", leftOut), false);
      }
    } catch (thrown) {
      const error = thrown as ClientError;
      if (error.code === "ABORTED") throw error;
      for (const groupId of ofCoordinator) take(groupId, error, isAsked && !question.isIdempotent);
    }
  }));
  return results;
}
