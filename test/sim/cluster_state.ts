/** Whether a healed cluster is as it should be: all serve, nobody is fenced, all images are the same. */
import type { SimNode } from "./sim_node.ts";

/** Undefined where it is. */
export function whyClusterIsNotWell(nodes: readonly SimNode[]): string | undefined {
  if (nodes.length === 1) return undefined;
  const [first] = nodes;
  for (const node of nodes) {
    const { name } = node.process;
    const { metadata } = node;
    if (metadata === undefined || node.phase !== "serving") return `${name} is ${node.phase}`;
    for (const [index, { isBroker }] of nodes.entries()) {
      if (!isBroker || metadata.image.isUnfenced(index + 1)) continue;
      return `${name} has it that broker ${index + 1} is fenced`;
    }
    const other = first?.metadata;
    if (other === undefined || metadata.appliedOffset !== other.appliedOffset) {
      return `${name} has applied up to ${metadata.appliedOffset}, not ${other?.appliedOffset}`;
    }
    // Removed topics are remembered by each node for itself.
    if (![...metadata.image.topics()].every(({ name }) => other.image.topic(name) !== undefined)) {
      return `${name} has other topics`;
    }
  }
  const leaders = nodes.filter(({ isActiveController }) => isActiveController);
  return leaders.length === 1 ? undefined : `${leaders.length} nodes lead`;
}

/** Who leads, votes and follows, for the report of a world that does not get well. */
export function describeQuorums(nodes: readonly SimNode[]): string {
  return nodes.map(({ process: { name }, quorum, metadata }) => {
    if (quorum === undefined) return `${name} applied ${metadata?.appliedOffset}`;
    const { role, term, leader, self, configuration, logEndOffset, commitOffset, change } = quorum
      .node.status();
    const ids = (
      voters: readonly { readonly id: number; readonly directoryId: string }[],
    ): string => voters.map(({ id, directoryId }) => `${id}:${directoryId.slice(0, 4)}`).join("+");
    const { voters, outgoing = [], learners } = configuration;
    return `${name} (${
      self.directoryId.slice(0, 4)
    }) ${role} in ${term} under ${leader?.id}, log to ` +
      `${logEndOffset}, committed ${commitOffset}, voters ${ids(voters)}, going ${
        ids(outgoing)
      }, ` +
      `learners ${ids(learners)}, change ${change?.phase}`;
  }).join("; ");
}

export function isAnyDiskInHands(nodes: readonly SimNode[]): boolean {
  return nodes.some(({ isHeld, isRefusing }) => isHeld || isRefusing);
}

/** Every voter is in the quorum with the disk that it has: another one may be spared. */
export function isQuorumWhole(nodes: readonly SimNode[]): boolean {
  if (isAnyDiskInHands(nodes)) return false;
  const leader = nodes.find(({ isActiveController, process: { isUp } }) => {
    return isUp && isActiveController;
  });
  const status = leader?.quorum?.node.status();
  if (status === undefined || !status.isConfigurationCommitted || status.change !== undefined) {
    return false;
  }
  const { voters } = status.configuration;
  const controllers = nodes.filter(({ mayVote }) => mayVote);
  if (voters.length !== controllers.length) return false;
  const ends = status.replicas.map(({ matchOffset }) => matchOffset);
  return nodes.every((node, index) => {
    if (!node.mayVote) return true;
    const voter = voters.find(({ id }) => id === index + 1);
    return voter !== undefined && voter.directoryId === node.directoryId();
  }) && ends.every((end) => end >= status.commitOffset);
}
