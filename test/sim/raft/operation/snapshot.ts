/** A node writes its state as a snapshot and drops the log below it, or below the one before. */
import type { Deed } from "../deed.ts";

export const snapshot: Deed = {
  name: "snapshot",
  number: 14,
  endsWithSafety: false,
  perform(world, random): void {
    const node = world.nodes[random.below(world.nodes.length)];
    if (node === undefined || !node.isUp || node.isPaused) return;
    world.met("snapshot", node);
    node.takeSnapshot(random.oneIn(2));
  },
};
