/** A few links, each one direction of a pair, carry nothing: partial and one-way partitions. */
import type { Deed } from "../deed.ts";
import { troubleMs } from "../trouble.ts";

export const cutOneWay: Deed = {
  name: "cut-one-way",
  number: 7,
  endsWithSafety: true,
  perform(world, random): void {
    world.met("cut-one-way", undefined);
    const { network, nodes } = world;
    const links: number[] = [];
    for (const from of nodes) {
      for (const to of nodes) {
        if (from !== to && random.oneIn(4)) links.push(network.link(from.index, to.index));
      }
    }
    const cut = network.cut(links);
    world.later(undefined, troubleMs(world, random), () => network.heal(cut));
  },
};
