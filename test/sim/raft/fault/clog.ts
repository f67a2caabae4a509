/** A link keeps all it is given and lets it go much later: old messages arrive in another age. */
import type { Deed } from "../deed.ts";
import { troubleMs } from "../trouble.ts";

export const clog: Deed = {
  name: "clog",
  number: 8,
  endsWithSafety: true,
  perform(world, random): void {
    const { network, nodes } = world;
    const from = random.below(nodes.length);
    const to = random.below(nodes.length);
    if (from === to) return;
    world.met("clog", nodes[to]);
    network.clog(network.link(from, to), world.nowMs + troubleMs(world, random));
  },
};
