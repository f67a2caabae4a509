/** Election safety: at most one node leads the quorum in a term (Raft, section 5.2). */
import type { Invariant } from "./invariant.ts";

export function oneLeaderPerTerm(): Invariant {
  const leaderOf = new Map<number, string>();
  return {
    name: "one leader per term",
    onQuorum({ node: { process }, now: { role, term }, before }): string | undefined {
      if (term < (before?.term ?? 0)) return `its term went from ${before?.term} to ${term}`;
      if (role !== "leader") return undefined;
      const leader = leaderOf.get(term);
      leaderOf.set(term, process.name);
      return leader === undefined || leader === process.name
        ? undefined
        : `leads term ${term}, and so does ${leader}`;
    },
  };
}
