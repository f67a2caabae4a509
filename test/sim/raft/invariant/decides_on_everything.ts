/**
 * A leader decides, and changes voters, on a state that holds all that was committed before it: an entry of
 * its own term is committed and applied first (Raft §8; raft-dev 2015, the bug of single-server changes).
 */
import type { Invariant, Verdict } from "./invariant.ts";

export function decidesOnEverything(): Invariant {
  return {
    name: "a leader decides on everything",
    isObservable: false,
    afterStep({ soft, state, id }): Verdict {
      if (!soft.isReadyToDecide || state.appliedTerm === soft.term) return undefined;
      return `node ${id} is ready in term ${soft.term}: its state is of term ${state.appliedTerm}`;
    },
    onAppend(node, { entry }): Verdict {
      const isDecided = entry.configuration !== undefined && node.soft.role === "leader" &&
        node.soft.term === entry.term;
      // What a former leader began goes on from a committed joint state: every majority knows of it.
      if (!isDecided || node.configuration.outgoing !== undefined) return undefined;
      // The commit that lets a change go on comes in the same step as the change's next entry.
      const commitOffset = node.raft?.commitOffset() ?? 0;
      return node.log.termAtEnd(commitOffset) !== entry.term
        ? `node ${node.id} changes voters in term ${entry.term} before it committed anything in it`
        : undefined;
    },
  };
}
