/**
 * Nobody acts in the name of a directory that was lost: a voter without its disk has another identity.
 * That only who is in the configuration by that identity campaigns is looked at in `raft/`.
 */
import type { SimNode } from "../sim_node.ts";
import type { Invariant } from "./invariant.ts";

export function identityIsOfTheDisk(nodes: readonly SimNode[]): Invariant {
  return {
    name: "identity is of the disk",
    onQuorum({ node: { lostDirectoryIds }, quorum, before }): string | undefined {
      if (before !== undefined) return undefined;
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
