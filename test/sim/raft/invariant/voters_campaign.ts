/**
 * Who asks for votes is a voter, by node id and directory id (KIP-853): of the configuration in force, or of
 * one that it would fall back to, as long as the newer ones are not committed (Raft thesis §4.2.2).
 */
import { type Configuration, isVoter } from "../../../../src/raft/configuration.ts";
import type { SimNode } from "../sim_node.ts";
import type { World } from "../world.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function votersCampaign(): Invariant {
  return {
    name: "only voters campaign",
    isObservable: false,
    onSend(node, { kind }, world): Verdict {
      // A request that waited for the disk may leave when the candidate is none any more.
      if (kind !== "VoteRequest" || node.soft.role !== "candidate") return undefined;
      return openConfigurations(node, world).some((each) => isVoter(each, node.key))
        ? undefined
        : `node ${node.id} is no voter and campaigns`;
    },
  };
}

/** From the newest in the log back to the last one that the node knows to be committed. */
function openConfigurations(node: SimNode, world: World): readonly Configuration[] {
  const found: Configuration[] = [];
  for (let at = node.log.entries.length - 1; at >= 0; at--) {
    const entry = node.log.entries[at]?.entry;
    if (entry?.configuration === undefined) continue;
    found.push(entry.configuration);
    if (entry.nextOffset <= node.commitOffset) return found;
  }
  found.push(node.disk.newestSnapshot()?.configuration ?? world.bootstrap);
  return found;
}
