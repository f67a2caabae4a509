/** The phases of the protocol that a node is in, for the table of what was met in which. */
import type { SimNode } from "./sim_node.ts";

export const phases = [
  "down",
  "follower",
  "prospective",
  "candidate",
  "leader, term open",
  "leader",
  "writing",
  "fetching snapshot",
  "joint",
  "learners",
  "handing over",
] as const;
export type Phase = (typeof phases)[number];

export function phasesOf(node: SimNode): readonly Phase[] {
  const status = node.raft?.status();
  if (status === undefined) return ["down"];
  const { role, isReadyToDecide, transferTo, configuration } = status;
  const found: Phase[] = [role === "leader" && !isReadyToDecide ? "leader, term open" : role];
  if (node.disk.pendingCount > 0) found.push("writing");
  if (node.isFetching) found.push("fetching snapshot");
  if (configuration.outgoing !== undefined) found.push("joint");
  if (configuration.learners.length > 0) found.push("learners");
  if (transferTo !== undefined) found.push("handing over");
  return found;
}
