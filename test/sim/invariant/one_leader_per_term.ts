/** Election safety: at most one node leads the quorum in a term (Raft, section 5.2). */
import type { MetadataQuorum } from "../../../src/runtime/quorum/metadata_quorum.ts";
import type { SoftState } from "../../../src/raft/ready.ts";
import type { Invariant } from "./invariant.ts";

export function oneLeaderPerTerm(): Invariant {
  const leaderOf = new Map<number, string>();
  const seen = new WeakMap<MetadataQuorum, SoftState>();
  return {
    name: "one leader per term",
    onNodeEvent({ quorum, process }): string | undefined {
      if (quorum === undefined) return undefined;
      const { softState } = quorum.node;
      const before = seen.get(quorum);
      if (before === softState) return undefined;
      seen.set(quorum, softState);
      const { role, term } = softState;
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
