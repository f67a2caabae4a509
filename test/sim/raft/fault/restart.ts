/** A process is told to end, does so in order, and is started again: an upgrade. */
import type { Deed } from "../deed.ts";
import { troubleMs } from "../trouble.ts";
import { victim } from "../victim.ts";

export const restart: Deed = {
  name: "restart",
  number: 16,
  endsWithSafety: true,
  perform(world, random): void {
    const node = victim(world, random, (each) => each.isUp && !each.isPaused);
    if (node === undefined) return;
    world.met("restart", node);
    world.note(node.index, "stops cleanly");
    node.stopCleanly();
    const downMs = random.oneIn(2) ? random.below(30) : troubleMs(world, random);
    world.later(undefined, downMs, () => {
      if (world.isOpenToDeeds()) world.start(node);
    });
  },
};
