/**
 * Looks at every decision in the moment it is appended: in each term one node decides, and only when its
 * image has an entry of that very term, and with it all that earlier leaders have decided.
 */
import type { Offset } from "../../src/ground/numbers.ts";
import { RaftNode } from "../../src/runtime/quorum/raft_node.ts";
import type { SimNode } from "./sim_node.ts";

/** Until the function that it gives back is called. */
export function watchDecisions(
  nodes: readonly SimNode[],
  onBroken: (what: string, message: string) => void,
): () => void {
  const deciders = new Map<number, string>();
  const { prototype } = RaftNode;
  const { proposeRecords } = prototype;
  prototype.proposeRecords = function (this: RaftNode, records): Promise<Offset> {
    const node = nodes.find(({ quorum }) => quorum?.node === this);
    if (node?.quorum !== undefined) {
      const { name } = node.process;
      const { term, isReadyToDecide } = this.status();
      const { lastTerm } = node.quorum.state;
      const before = deciders.get(term);
      if (isReadyToDecide) deciders.set(term, name);
      if (isReadyToDecide && before !== undefined && before !== name) {
        onBroken("one node decides in a term", `${name} decides in term ${term}, as ${before} did`);
      }
      if (isReadyToDecide && lastTerm !== term) {
        onBroken(
          "decides behind its own entry",
          `${name} decides in term ${term}, and its image is of term ${lastTerm}`,
        );
      }
    }
    return proposeRecords.call(this, records);
  };
  return () => Object.assign(prototype, { proposeRecords });
}
