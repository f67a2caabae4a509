/** Whom a deed hits: anybody, or, half of the time, one who leads or thinks so. */
import type { Prng } from "../../../src/ground/prng.ts";
import type { SimNode } from "./sim_node.ts";
import type { World } from "./world.ts";

export function victim(
  world: World,
  random: Prng,
  isOpen: (node: SimNode) => boolean,
): SimNode | undefined {
  const open = world.nodes.filter(isOpen);
  const leading = open.filter((node) => node.soft.role === "leader");
  const among = leading.length > 0 && random.oneIn(2) ? leading : open;
  return among[random.below(Math.max(1, among.length))];
}

/** A node that is up and thinks it leads: several may, and any of them may be asked. */
export function supposedLeader(world: World, random: Prng): SimNode | undefined {
  let count = 0;
  for (const node of world.nodes) if (leads(node)) count++;
  let skipped = random.below(Math.max(1, count));
  for (const node of world.nodes) if (leads(node) && skipped-- === 0) return node;
  return undefined;
}

function leads(node: SimNode): boolean {
  return node.isUp && !node.isPaused && node.soft.role === "leader";
}
