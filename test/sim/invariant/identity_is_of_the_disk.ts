/**
 * Nobody acts in the name of a directory that was lost: a voter without its disk has another identity.
 * That only who is in the configuration by that identity campaigns is looked at in `raft/`.
 */
import type { MetadataQuorum } from "../../../src/runtime/quorum/metadata_quorum.ts";
import type { SimNode } from "../sim_node.ts";
import type { Invariant } from "./invariant.ts";

export function identityIsOfTheDisk(nodes: readonly SimNode[]): Invariant {
  const seen = new WeakSet<MetadataQuorum>();
  return {
    name: "identity is of the disk",
    onNodeEvent({ quorum, lostDirectoryIds }): string | undefined {
      if (quorum === undefined) return undefined;
      if (seen.has(quorum)) return undefined;
      seen.add(quorum);
      const { self } = quorum.node.status();
      if (lostDirectoryIds.has(self.directoryId)) {
        return `acts as ${self.directoryId}, which is lost`;
      }
      const other = nodes.find((node) => node.lostDirectoryIds.has(self.directoryId));
      return other === undefined
        ? undefined
        : `acts as ${self.directoryId} of ${other.process.name}`;
    },
  };
}
