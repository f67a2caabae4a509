/** The power fails for all nodes at once; they come back one by one. */
import type { Deed } from "../deed.ts";
import { troubleMs } from "../trouble.ts";

export const crashAll: Deed = {
  name: "crash-all",
  number: 2,
  endsWithSafety: true,
  perform(world, random): void {
    world.met("crash-all", undefined);
    for (const node of world.nodes) {
      world.stop(node, random);
      world.later(undefined, random.oneIn(2) ? random.below(50) : troubleMs(world, random), () => {
        if (world.isOpenToDeeds()) world.start(node);
      });
    }
  },
};
