/** At most one leader in a term (Raft §5.2), over restarts too. */
import type { Invariant, Verdict } from "./invariant.ts";

export function electionSafety(): Invariant {
  const leaders = new Map<number, string>();
  return {
    name: "election safety",
    isObservable: true,
    onLead(node): Verdict {
      const { term } = node.soft;
      const self = `node ${node.id} life ${node.disk.leadingLife}`;
      const other = leaders.get(term);
      if (other !== undefined && other !== self) return `term ${term}: ${other} and ${self}`;
      leaders.set(term, self);
      return undefined;
    },
  };
}
