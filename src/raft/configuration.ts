/**
 * Who votes: the sets of replicas that rule, and how a replica is matched with its place in them.
 *
 * A replica is its node id *and* the id of its metadata directory (KIP-853): a node that lost its disk
 * comes back under the same node id as somebody else, who has promised nothing and may not vote for
 * the one who had.
 */
import { type Uuid, ZERO_UUID } from "../ground/uuid.ts";

export interface ReplicaKey {
  readonly id: number;
  /** `ZERO_UUID`: not known yet (a configuration typed in by a person); matches any. */
  readonly directoryId: Uuid;
}

export interface Voter extends ReplicaKey {
  readonly host: string;
  readonly port: number;
}

export interface Configuration {
  readonly voters: readonly Voter[];
  /** While both sets rule (Raft §6, joint consensus): the one that goes. */
  readonly outgoing?: readonly Voter[];
  /** They copy the log and count for nothing. */
  readonly learners: readonly Voter[];
}

/** More voters than this buy no safety and cost every commit. */
export const VOTER_COUNT_MAX = 15;

/** Whether both mean the same replica; a directory that is not known matches any. */
export function isSameReplica(one: ReplicaKey, other: ReplicaKey): boolean {
  return one.id === other.id &&
    (one.directoryId === other.directoryId || one.directoryId === ZERO_UUID ||
      other.directoryId === ZERO_UUID);
}

export function findReplica(
  voters: readonly Voter[],
  key: ReplicaKey,
): Voter | undefined {
  for (const voter of voters) if (isSameReplica(voter, key)) return voter;
  return undefined;
}

/** Whether the replica has a vote in either of the ruling sets. */
export function isVoter(configuration: Configuration, key: ReplicaKey): boolean {
  return findReplica(configuration.voters, key) !== undefined ||
    (configuration.outgoing !== undefined &&
      findReplica(configuration.outgoing, key) !== undefined);
}
