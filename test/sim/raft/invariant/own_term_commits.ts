/**
 * A leader commits by counting only what is of its own term (Raft §5.4.2, fig. 8): its commit offset, when
 * it moves, moves to the end of a batch of that term.
 */
import type { Invariant, Verdict } from "./invariant.ts";

export function ownTermCommits(): Invariant {
  const seen: { life: number; term: number; commitOffset: number }[] = [];
  return {
    name: "a leader commits by its own term",
    isObservable: false,
    afterStep(node): Verdict {
      const mine = seen[node.index] ??= { life: -1, term: 0, commitOffset: 0 };
      const { life, term, commitOffset, soft } = node;
      const isLeading = soft.role === "leader" && soft.term === term;
      const hasMoved = mine.life === life && mine.term === term &&
        commitOffset > mine.commitOffset;
      mine.life = life;
      mine.term = isLeading ? term : -1;
      mine.commitOffset = commitOffset;
      if (!isLeading || !hasMoved) return undefined;
      const reached = node.log.termAtEnd(commitOffset);
      return reached === term
        ? undefined
        : `node ${node.id} leads term ${term} and commits up to ${commitOffset} of term ${reached}`;
    },
  };
}
