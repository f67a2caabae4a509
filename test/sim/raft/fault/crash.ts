/** A process dies, at times the one that leads or the one that is writing, and comes back later. */
import type { Deed } from "../deed.ts";
import { troubleMs } from "../trouble.ts";
import { victim } from "../victim.ts";

export const crash: Deed = {
  name: "crash",
  number: 1,
  endsWithSafety: true,
  perform(world, random): void {
    const node = victim(world, random, (each) => each.isUp);
    if (node === undefined) return;
    world.met("crash", node);
    world.stop(node, random);
    const downMs = random.oneIn(4) ? random.below(30) : troubleMs(world, random);
    world.later(undefined, downMs, () => {
      if (world.isOpenToDeeds()) world.start(node);
    });
  },
};
