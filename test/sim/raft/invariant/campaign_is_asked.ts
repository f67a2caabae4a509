/**
 * No term is spent unasked (Raft thesis §9.6): a node campaigns when a majority of every set of voters has
 * said that it would vote for it in that term, or when the leader told it to.
 */
import { type Configuration, findReplica, type Voter } from "../../../../src/raft/configuration.ts";
import type { ReplicaKey } from "../../../../src/raft/configuration.ts";
import type { Invariant, Verdict } from "./invariant.ts";

interface Asked {
  life: number;
  term: number;
  granted: ReplicaKey[];
}

export function campaignIsAsked(): Invariant {
  const asked: Asked[] = [];
  return {
    name: "a campaign is asked for",
    isObservable: false,
    afterInput(node, input): Verdict {
      if (input.kind !== "message" || input.message.kind !== "PreVoteReply") return undefined;
      const { isGranted, term, from } = input.message;
      if (!isGranted) return undefined;
      const mine = asked[node.index];
      const isOfNow = mine?.life === node.life;
      if (isOfNow && mine.term > term) return undefined; // late
      if (isOfNow && mine.term === term) mine.granted.push(from);
      else asked[node.index] = { life: node.life, term, granted: [from] };
      return undefined;
    },
    onSend(node, message): Verdict {
      if (message.kind !== "VoteRequest" || message.isTransfer) return undefined;
      const mine = asked[node.index];
      const isOfNow = mine?.life === node.life && mine.term === message.term;
      const granted = [node.key, ...(isOfNow ? mine.granted : [])];
      return isGrantedIn(node.configuration, granted)
        ? undefined
        : `node ${node.id} campaigns in term ${message.term} unasked`;
    },
  };
}

function isGrantedIn({ voters, outgoing }: Configuration, granted: readonly ReplicaKey[]): boolean {
  const isMajority = (set: readonly Voter[]): boolean =>
    set.filter((voter) => granted.some((key) => findReplica([voter], key) !== undefined)).length *
        2 > set.length;
  return isMajority(voters) && (outgoing === undefined || isMajority(outgoing));
}
