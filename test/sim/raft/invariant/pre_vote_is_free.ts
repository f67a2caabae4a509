/** Being asked for a pre-vote costs nothing: neither term nor vote change (Raft thesis §9.6). */
import type { Invariant, Verdict } from "./invariant.ts";

export function preVoteIsFree(): Invariant {
  return {
    name: "a pre-vote changes nothing",
    isObservable: false,
    afterInput(node, input): Verdict {
      if (input.kind !== "message" || input.message.kind !== "PreVoteRequest") return undefined;
      const term = node.raft?.term();
      return term === undefined || term === node.term
        ? undefined
        : `node ${node.id}: term ${node.term} -> ${term}`;
    },
  };
}
