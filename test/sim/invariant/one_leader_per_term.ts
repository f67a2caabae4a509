/** Election safety: at most one node leads the quorum in a term (Raft, section 5.2). */
import { MetadataQuorum } from "../../../src/runtime/quorum/metadata_quorum.ts";
import type { LogManager } from "../../../src/runtime/log_manager.ts";
import type { Invariant } from "./invariant.ts";

export function oneLeaderPerTerm(): Invariant {
  const leaderOf = new Map<number, string>();
  const terms = new WeakMap<LogManager, number>();
  return {
    name: "one leader per term",
    onNodeEvent({ logs, process }): string | undefined {
      const metadata = logs?.metadata;
      if (logs === undefined || !(metadata instanceof MetadataQuorum)) return undefined;
      const { role, term } = metadata.node.softState;
      const before = terms.get(logs) ?? 0;
      if (term < before) return `its term went from ${before} to ${term}`;
      terms.set(logs, term);
      if (role !== "leader") return undefined;
      const leader = leaderOf.get(term);
      leaderOf.set(term, process.name);
      return leader === undefined || leader === process.name
        ? undefined
        : `leads term ${term}, and so does ${leader}`;
    },
  };
}
