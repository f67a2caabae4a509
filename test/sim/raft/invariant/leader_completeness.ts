/** A new leader's log holds every batch that was committed in an earlier term (Raft §5.4). */
import type { Invariant, Verdict } from "./invariant.ts";

export function leaderCompleteness(): Invariant {
  return {
    name: "leader completeness",
    isObservable: true,
    onLead(node, { history }): Verdict {
      const { log } = node;
      for (let at = history.batches.length - 1; at >= 0; at--) {
        const committed = history.batches[at];
        if (committed === undefined || committed.entry.baseOffset < log.startOffset) {
          return undefined;
        }
        // One that was paused may take up an old term that is long over.
        if ((history.committedInTerm[at] as number) >= node.soft.term) continue;
        const own = log.at(committed.entry.baseOffset);
        if (own === undefined || own.payload !== committed.payload) {
          return `node ${node.id} leads term ${node.soft.term} without the committed batch at ` +
            `${committed.entry.baseOffset} of term ${committed.entry.term}`;
        }
        // Log matching holds the rest, once a batch of the same term stands at the same place.
        if (own.entry.term === committed.entry.term) return undefined;
      }
      return undefined;
    },
  };
}
