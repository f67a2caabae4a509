/** A replica votes once in a term (Raft §5.2), itself included, over restarts too. */
import type { ReplicaKey } from "../../../../src/raft/configuration.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function voteOnce(): Invariant {
  const votes = new Map<string, number>();
  function voted(voter: ReplicaKey, term: number, candidate: number): Verdict {
    const key = `${voter.id}/${voter.directoryId}/${term}`;
    const before = votes.get(key);
    if (before !== undefined && before !== candidate) {
      return `node ${voter.id} votes for ${before} and ${candidate} in term ${term}`;
    }
    votes.set(key, candidate);
    return undefined;
  }
  return {
    name: "vote once",
    isObservable: false,
    onSend(node, message): Verdict {
      if (message.kind === "VoteReply" && message.isGranted) {
        return voted(node.key, message.term, message.to.id);
      }
      return message.kind === "VoteRequest" ? voted(node.key, message.term, node.id) : undefined;
    },
  };
}
