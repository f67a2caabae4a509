/** A process stands still (SIGSTOP, a long collection, a stalled machine) and then sees all it missed at once. */
import type { Deed } from "../deed.ts";
import { troubleMs } from "../trouble.ts";
import { victim } from "../victim.ts";

export const pause: Deed = {
  name: "pause",
  number: 3,
  endsWithSafety: true,
  perform(world, random): void {
    const node = victim(world, random, (each) => each.isUp && !each.isPaused);
    if (node === undefined) return;
    world.met("pause", node);
    world.pause(node);
    const { life } = node;
    world.later(undefined, troubleMs(world, random), () => {
      if (world.isOpenToDeeds() && node.life === life) world.resume(node);
    });
  },
};
