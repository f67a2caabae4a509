/**
 * Committed is durable (etcd's CommittedIsDurableInv): what the leader has applied of the metadata log is
 * on the media of a majority of the voters, of both sets where two rule. Looked at when its applied offset
 * has moved. A disk that was lost since counts as what it held.
 */
import type { Voter } from "../../../src/raft/configuration.ts";
import type { SimNode } from "../sim_node.ts";
import type { Invariant } from "./invariant.ts";

export function committedMetadataIsDurable(nodes: readonly SimNode[]): Invariant {
  return {
    name: "committed metadata is durable",
    onMetadata({ quorum }, { appliedOffset }, before): string | undefined {
      if (quorum === undefined || before?.appliedOffset === appliedOffset) return undefined;
      const ends = nodes.map((node) => node.metadataEnd());
      // Who follows may not know yet who votes now.
      const isLeader = quorum.node.softState.role === "leader";
      if (!isLeader && ends.some((end) => end >= appliedOffset)) return undefined;
      const { configuration, isConfigurationCommitted } = quorum.node.status();
      const { voters, outgoing = voters } = configuration;
      const isCovered = (set: readonly Voter[]): boolean => {
        const count = set.filter(({ id }) => (ends[id - 1] ?? 0) >= appliedOffset).length;
        return 2 * count > set.length;
      };
      // A configuration that comes after it may be in force here already.
      const everybody = 2 * ends.filter((end) => end >= appliedOffset).length > voters.length;
      const isEnough = isConfigurationCommitted
        ? isCovered(voters) && isCovered(outgoing)
        : isCovered(outgoing);
      if (isEnough || everybody) return undefined;
      return `applied up to ${appliedOffset}, and the media end at ${ends.join(", ")}`;
    },
  };
}
