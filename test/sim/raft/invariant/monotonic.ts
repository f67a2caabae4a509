/** Term and commit offset never go back in a life, and the term not below what the disk had at its start. */
import type { Invariant, Verdict } from "./invariant.ts";

export function monotonic(): Invariant {
  const seen: { life: number; term: number; commitOffset: number }[] = [];
  return {
    name: "monotonic term and commit",
    isObservable: false,
    afterStep(node): Verdict {
      const mine = seen[node.index] ??= { life: -1, term: 0, commitOffset: 0 };
      if (mine.life !== node.life) {
        mine.life = node.life;
        mine.term = node.disk.hardState.term;
        mine.commitOffset = 0;
      }
      if (node.term < mine.term) return `node ${node.id}: term ${mine.term} -> ${node.term}`;
      if (node.commitOffset < mine.commitOffset) {
        return `node ${node.id}: commit offset ${mine.commitOffset} -> ${node.commitOffset}`;
      }
      mine.term = node.term;
      mine.commitOffset = node.commitOffset;
      return undefined;
    },
  };
}
