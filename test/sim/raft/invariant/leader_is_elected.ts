/**
 * Who leads a term has the votes of that very term, of a majority of every set of voters that ruled when
 * it won (Raft §5.2): a vote is no use in another term, to somebody else, or from somebody without one.
 */
import { type Configuration, findReplica, type Voter } from "../../../../src/raft/configuration.ts";
import type { ReplicaKey } from "../../../../src/raft/configuration.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function leaderIsElected(): Invariant {
  /** By term and candidate: who voted. */
  const votes = new Map<number, ReplicaKey[]>();
  const votesOf = (term: number, candidate: number): ReplicaKey[] => {
    const key = term * 1_024 + candidate;
    const known = votes.get(key) ?? [];
    if (known.length === 0) votes.set(key, known);
    return known;
  };
  return {
    name: "a leader is elected",
    isObservable: false,
    onSend(node, message): Verdict {
      const isVote = message.kind === "VoteReply" && message.isGranted;
      if (isVote) votesOf(message.term, message.to.id).push(node.key);
      return undefined;
    },
    onLead(node): Verdict {
      const { term } = node.soft;
      const having = [...votesOf(term, node.id), node.key];
      // In the step in which it wins it may append a configuration at once.
      return isMajority(node.configurationBefore, having) || isMajority(node.configuration, having)
        ? undefined
        : `node ${node.id} leads term ${term} with the votes of ` +
          having.map(({ id }) => id).join(", ");
    },
  };
}

function isMajority({ voters, outgoing }: Configuration, having: readonly ReplicaKey[]): boolean {
  const has = (set: readonly Voter[]): boolean =>
    set.filter((voter) => having.some((key) => findReplica([voter], key) !== undefined)).length *
        2 > set.length;
  return has(voters) && (outgoing === undefined || has(outgoing));
}
