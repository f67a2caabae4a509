/**
 * Two nodes start with each other's disk (a mix-up of volumes), find out, and have it put right.
 *
 * A replica is its node id and its directory id together, so that meanwhile both are strangers: no vote
 * and no acknowledgement counts. (The broker refuses such a disk at the start: its node id is another.)
 */
import type { Deed } from "../deed.ts";
import { troubleMs } from "../trouble.ts";
import type { World } from "../world.ts";

export const swapDisks: Deed = {
  name: "swap-disks",
  number: 15,
  endsWithSafety: true,
  perform(world, random): void {
    if (!world.areDirectoriesKnown || world.swapped !== undefined) return;
    const one = world.nodes[random.below(world.nodes.length)];
    const other = world.nodes[random.below(world.nodes.length)];
    if (one === undefined || other === undefined || one === other) return;
    for (const node of [one, other]) {
      world.met("swap-disks", node);
      world.stop(node, random);
    }
    one.swapDisks(other);
    world.swapped = [one, other];
    world.note(-1, `nodes ${one.id} and ${other.id} swap disks`);
    for (const node of [one, other]) {
      world.later(undefined, troubleMs(world, random), () => {
        if (world.isOpenToDeeds()) world.start(node);
      });
    }
    world.later(undefined, troubleMs(world, random), () => swapBack(world));
  },
};

/** Done at the latest when progress is demanded. */
export function swapBack(world: World): void {
  const pair = world.swapped;
  if (pair === undefined) return;
  world.swapped = undefined;
  const [one, other] = pair;
  const wereUp = pair.map((node) => node.isUp);
  for (const node of pair) world.stop(node, world.random);
  one.swapDisks(other);
  world.note(-1, `nodes ${one.id} and ${other.id} have their disks again`);
  pair.forEach((node, index) => {
    if (wereUp[index]) world.start(node);
  });
}
