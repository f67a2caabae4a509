/**
 * Sets of voters change only through a joint state, one change at a time (Raft §6): the set that rules
 * alone after a change was the incoming one of the joint state before it, and no change begins while
 * the configuration before it is not committed.
 */
import { type Configuration, findReplica, type Voter } from "../../../../src/raft/configuration.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function jointConsensus(): Invariant {
  return {
    name: "voters change through a joint state",
    isObservable: false,
    onAppend(node, stored, log): Verdict {
      const next = stored.entry.configuration;
      if (next === undefined || node.soft.role !== "leader") return undefined;
      if (log.lastTerm !== stored.entry.term) {
        return `node ${node.id}: a configuration before any other batch of term ${stored.entry.term}`;
      }
      return fault(node.configuration, next);
    },
  };
}

function fault(now: Configuration, next: Configuration): Verdict {
  if (now.outgoing === undefined) {
    if (next.outgoing === undefined) {
      return isSameSet(now.voters, next.voters)
        ? undefined
        : `voters ${set(now.voters)} -> ${set(next.voters)} without a joint state`;
    }
    return isSameSet(next.outgoing, now.voters)
      ? undefined
      : `joint state leaves ${set(next.outgoing)}, but ${set(now.voters)} ruled`;
  }
  if (next.outgoing !== undefined) {
    const isSame = isSameSet(now.voters, next.voters) && isSameSet(now.outgoing, next.outgoing);
    return isSame ? undefined : "a second joint state before the first has ended";
  }
  // Giving up goes back to the outgoing set; going on ends with the incoming one.
  return isSameSet(next.voters, now.voters) || isSameSet(next.voters, now.outgoing)
    ? undefined
    : `joint state of ${set(now.voters)} ends with ${set(next.voters)}`;
}

/** A directory id that was not known may become known without a change of voters. */
function isSameSet(one: readonly Voter[], other: readonly Voter[]): boolean {
  return one.length === other.length &&
    one.every((voter) => findReplica(other, voter) !== undefined);
}

function set(voters: readonly Voter[]): string {
  return voters.map(({ id, directoryId }) => `${id}.${directoryId.slice(0, 3)}`).sort().join(",");
}
