/** The network falls into two halves. */
import type { Deed } from "../deed.ts";
import { troubleMs } from "../trouble.ts";

export const split: Deed = {
  name: "split",
  number: 6,
  endsWithSafety: true,
  perform(world, random): void {
    world.met("split", undefined);
    const { network, nodes } = world;
    const sides = nodes.map(() => random.below(2));
    const links = nodes.flatMap((from) =>
      nodes.filter((to) => sides[from.index] !== sides[to.index])
        .map((to) => network.link(from.index, to.index))
    );
    const cut = network.cut(links);
    world.note(-1, `splits into ${sides.join("")}`);
    world.later(undefined, troubleMs(world, random), () => network.heal(cut));
  },
};
