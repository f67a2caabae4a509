/** One node loses all links, in both directions or in one. */
import type { Deed } from "../deed.ts";
import { troubleMs } from "../trouble.ts";
import { victim } from "../victim.ts";

export const isolate: Deed = {
  name: "isolate",
  number: 5,
  endsWithSafety: true,
  perform(world, random): void {
    const node = victim(world, random, () => true);
    if (node === undefined) return;
    world.met("isolate", node);
    const { network } = world;
    const others = world.nodes.filter((each) => each !== node);
    const out = others.map((other) => network.link(node.index, other.index));
    const back = others.map((other) => network.link(other.index, node.index));
    const way = random.below(4);
    const cut = network.cut(way === 0 ? out : way === 1 ? back : [...out, ...back]);
    world.note(node.index, way === 0 ? "is not heard" : way === 1 ? "hears nobody" : "is isolated");
    world.later(undefined, troubleMs(world, random), () => network.heal(cut));
  },
};
