/** One machine of a cluster that is well is lost, and nobody repairs it: the others must go on. */
import type { Prng } from "../../src/ground/prng.ts";
import type { SimNetwork } from "./env/sim_network.ts";
import type { SimNode } from "./sim_node.ts";

export interface Loss {
  readonly node: SimNode;
  readonly how: string;
  /** Others notice it, whatever is done: a disk is missed by who writes to it. */
  readonly isNoticed: boolean;
}

export interface LossContext {
  readonly nodes: readonly SimNode[];
  readonly network: SimNetwork;
  readonly chance: Prng;
}

const VOTERS_MIN = 3;

/** Undefined where there is no majority without one. */
export function loseForGood({ nodes, network, chance }: LossContext): Loss | undefined {
  if (nodes.filter(({ mayVote }) => mayVote).length < VOTERS_MIN) return undefined;
  const node = nodes[chance.below(nodes.length)] as SimNode;
  const { process } = node;
  const ways: Readonly<Record<string, () => void>> = {
    "machine": () => {
      process.isLost = true;
      node.hold();
    },
    "disk": () => {
      process.faults.isLost = true;
    },
    "network": () => void network.lost.add(process.name),
    "event loop": () => {
      process.isLost = true;
      process.pause();
    },
  };
  const how = Object.keys(ways)[chance.below(Object.keys(ways).length)] as string;
  ways[how]?.();
  return { node, how, isNoticed: how !== "disk" };
}
