/** Leadership is to go to a certain voter, to any, or to one that is down. */
import type { Deed } from "../deed.ts";
import { supposedLeader } from "../victim.ts";

export const transfer: Deed = {
  name: "transfer",
  number: 13,
  endsWithSafety: true,
  perform(world, random): void {
    const leader = supposedLeader(world, random);
    if (leader === undefined) return;
    const target = world.nodes[random.below(world.nodes.length)];
    world.met("transfer", leader);
    leader.transfer(random.oneIn(3) ? undefined : target?.key);
  },
};
