/** One kind of thing that somebody does to groups without being a member. */
import type { Client } from "../../../../src/client/client.ts";
import type { ClientError } from "../../../../src/client/client_error.ts";
import type { PartitionResult } from "../../../../src/client/group_results.ts";
import type { Clock } from "../../../../src/env/clock.ts";
import type { Prng } from "../../../../src/ground/prng.ts";
import type { Shadow } from "../../shadow.ts";
import type { GroupShadow } from "../group_shadow.ts";
import type { GroupOperationName } from "./group_operation_names.ts";

export interface GroupOperationContext {
  readonly client: Client;
  readonly shadow: Shadow;
  readonly groups: GroupShadow;
  readonly chance: Prng;
  readonly clock: Clock;
  /** Several nodes: a coordinator may not have heard yet of what another has decided. */
  readonly mayBeStale: boolean;
  /** Groups with members. */
  readonly groupIds: readonly string[];
  /** Groups of consumers that are nobody's member; nobody else names them. */
  readonly alone: Set<string>;
  /** A name for such a group that nobody has used, in no life of this machine. */
  nextGroupId(): string;
  /** The members of the group leave, and stay away until they are told to come back. */
  rest(groupId: string, isResting: boolean): void;
}

export interface GroupOperation {
  readonly name: GroupOperationName;
  /** Throws a `ClientError` where the world would not; `PromiseBroken` where it was wrong. */
  run(context: GroupOperationContext): Promise<void>;
}

const REST_MS_MAX = 9000;

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** Two times in three its members are away, as far as they had the time to leave. */
export async function whileResting(
  { chance, clock, rest }: GroupOperationContext,
  groupId: string,
  work: () => Promise<void>,
): Promise<void> {
  if (chance.oneIn(3)) return await work();
  rest(groupId, true);
  try {
    await sleep(clock, chance.below(REST_MS_MAX));
    await work();
  } finally {
    rest(groupId, false);
  }
}

export function pick<T>(chance: Prng, values: readonly T[]): T | undefined {
  return values[chance.below(Math.max(1, values.length))];
}

export function throwFirst(results: readonly { readonly error?: ClientError }[]): void {
  const error = results.find((result): result is PartitionResult => result.error !== undefined);
  if (error?.error !== undefined) throw error.error;
}

/** Somewhere within a partition that is there, for all that is known of it. */
export function pickPlace(
  { shadow, chance }: GroupOperationContext,
): { readonly topic: string; readonly partition: number; readonly offset: number } | undefined {
  const topic = pick(chance, shadow.there());
  if (topic === undefined) return undefined;
  const partition = chance.below(topic.partitions.length);
  const { startMin, endMin } = topic.partition(partition);
  return { topic: topic.name, partition, offset: startMin + chance.below(endMin - startMin + 1) };
}
