/**
 * Committed is durable (etcd's CommittedIsDurableInv): what the leader has applied of the metadata log is
 * on the media of a majority of the voters, of both sets where two rule. Looked at when its applied offset
 * has moved. A disk that was lost since counts as what it held.
 */
import type { OpenMetadata } from "../../../src/runtime/quorum/metadata_view.ts";
import type { Voter } from "../../../src/raft/configuration.ts";
import type { SimNode } from "../sim_node.ts";
import type { Invariant } from "./invariant.ts";

export function committedMetadataIsDurable(nodes: readonly SimNode[]): Invariant {
  const applied = new WeakMap<OpenMetadata, number>();
  return {
    name: "committed metadata is durable",
    onNodeEvent({ quorum }): string | undefined {
      if (quorum === undefined) return undefined;
      const { appliedOffset } = quorum;
      if (applied.get(quorum) === appliedOffset) return undefined;
      applied.set(quorum, appliedOffset);
      const ends = nodes.map((node) => node.metadataEnd());
      // Who follows may not know yet who votes now.
      const isLeader = quorum.node.softState.role === "leader";
      if (!isLeader && ends.some((end) => end >= appliedOffset)) return undefined;
      const { voters, outgoing = voters } = quorum.node.status().configuration;
      const isCovered = (set: readonly Voter[]): boolean => {
        const count = set.filter(({ id }) => (ends[id - 1] ?? 0) >= appliedOffset).length;
        return 2 * count > set.length;
      };
      // A configuration that comes after it may be in force here already.
      const everybody = 2 * ends.filter((end) => end >= appliedOffset).length > voters.length;
      if ((isCovered(voters) && isCovered(outgoing)) || everybody) return undefined;
      return `applied up to ${appliedOffset}, and the media end at ${ends.join(", ")}`;
    },
  };
}
