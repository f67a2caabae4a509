/**
 * A node comes back with an empty disk, and so under a new directory id: nobody who voted.
 *
 * Bounded: in no configuration that any node or the history knows may the voters that still have
 * their disk be less than a majority, or nothing could ever be committed again.
 */
import type { Configuration, Voter } from "../../../../src/raft/configuration.ts";
import type { Deed } from "../deed.ts";
import type { SimNode } from "../sim_node.ts";
import { troubleMs } from "../trouble.ts";
import { victim } from "../victim.ts";
import type { World } from "../world.ts";

export const emptyDisk: Deed = {
  name: "empty-disk",
  number: 9,
  endsWithSafety: true,
  perform(world, random): void {
    if (!world.areDirectoriesKnown) return;
    const node = victim(world, random, (each) => mayLose(world, each));
    if (node === undefined) return;
    world.met("empty-disk", node);
    world.stop(node, random);
    node.emptyDisk();
    world.note(node.index, "has an empty disk");
    world.later(undefined, troubleMs(world, random), () => {
      if (world.isOpenToDeeds()) world.start(node);
    });
  },
};

function mayLose(world: World, lost: SimNode): boolean {
  if (world.swapped?.includes(lost) === true) return false; // it has another's disk
  return rulingConfigurations(world).every(({ voters, outgoing }) =>
    keepsMajority(world, voters, lost) &&
    (outgoing === undefined || keepsMajority(world, outgoing, lost))
  );
}

/** Every configuration that rules somewhere, or ruled there last, or is on a disk. */
export function rulingConfigurations(world: World): readonly Configuration[] {
  const found = new Set([world.history.configuration]);
  for (const node of world.nodes) {
    if (node.isUp) found.add(node.configuration);
    for (const { entry } of node.disk.log.entries) {
      const { configuration } = entry;
      if (configuration !== undefined && entry.baseOffset >= world.history.configurationOffset) {
        found.add(configuration);
      }
    }
  }
  return [...found];
}

/** Whether the voters that have the disk they voted with are a majority, without `lost`. */
export function keepsMajority(
  world: World,
  voters: readonly Voter[],
  lost: SimNode | undefined,
): boolean {
  const present = voters.filter((voter) => {
    const node = world.nodes[voter.id - 1];
    if (node === undefined || node === lost) return false;
    return !world.areDirectoriesKnown || node.key.directoryId === voter.directoryId;
  });
  return present.length * 2 > voters.length;
}
