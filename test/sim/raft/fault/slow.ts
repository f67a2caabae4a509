/** A node limps: its disk, its state machine and its links take many times longer (gray failure). */
import type { Deed } from "../deed.ts";
import { troubleMs } from "../trouble.ts";
import { victim } from "../victim.ts";

export const slow: Deed = {
  name: "slow",
  number: 4,
  endsWithSafety: true,
  perform(world, random): void {
    const node = victim(world, random, (each) => each.slowFactor === 1);
    if (node === undefined) return;
    world.met("slow", node);
    node.slowFactor = random.between(2, 40);
    world.network.slowDown(node.index, random.below(40));
    world.later(undefined, 2 * troubleMs(world, random), () => {
      if (!world.isOpenToDeeds()) return;
      node.slowFactor = 1;
      world.network.slowDown(node.index, 0);
    });
  },
};
