/**
 * What the nodes of a world are to each other.
 *
 *     alike    every node a broker and a voter; one alone is a cluster of its own
 *     mixed    three of those, and a broker without a vote
 *     roles    three controllers, and two brokers without a vote
 *     grown    one that stands alone, to which two others are added while it runs
 */
import type { Prng } from "../../src/ground/prng.ts";

export const LAYOUTS = ["alike", "mixed", "roles", "grown"] as const;
export type Layout = (typeof LAYOUTS)[number];

export const NODES_OF: Readonly<Record<Layout, number>> = {
  alike: 3,
  mixed: 4,
  roles: 5,
  grown: 3,
};
const VOTERS = 3;

/** Half of all worlds are one node, where there are no faults but its own. */
export function drawLayout(chance: Prng): { readonly nodes: number; readonly layout: Layout } {
  if (chance.oneIn(2)) return { nodes: 1, layout: "alike" };
  const layout = chance.oneIn(3) ? "alike" : LAYOUTS[chance.below(LAYOUTS.length)] as Layout;
  return { nodes: NODES_OF[layout], layout };
}

export interface Roles {
  readonly isBroker: boolean;
  readonly mayVote: boolean;
}

export function rolesOf(layout: Layout, index: number): Roles {
  const mayVote = layout === "alike" || index < VOTERS;
  return { mayVote, isBroker: layout !== "roles" || !mayVote };
}
