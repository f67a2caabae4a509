/** A read is asked of every node that thinks it leads: a stale one must not answer. */
import type { Deed } from "../deed.ts";

export const read: Deed = {
  name: "read",
  number: 11,
  endsWithSafety: false,
  perform(world, random): void {
    const all = random.oneIn(8);
    for (const node of world.nodes) {
      if (node.isUp && !node.isPaused && (all || node.soft.role === "leader")) node.read();
    }
  },
};
