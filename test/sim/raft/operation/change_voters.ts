/** An operator adds, removes or exchanges a voter, or replaces one whose disk was lost. */
import type { Voter } from "../../../../src/raft/configuration.ts";
import type { VoterChange } from "../../../../src/raft/voter_change.ts";
import type { Prng } from "../../../../src/ground/prng.ts";
import type { Deed } from "../deed.ts";
import { supposedLeader } from "../victim.ts";
import type { World } from "../world.ts";

const TIDE_HIGH = 5;

export const changeVoters: Deed = {
  name: "change-voters",
  number: 12,
  endsWithSafety: true,
  perform(world, random): void {
    const leader = supposedLeader(world, random);
    if (leader === undefined) return;
    const change = drawn(world, random, leader.configuration.voters);
    world.met("change-voters", leader);
    const answer = leader.changeVoters(change);
    world.trace.mix(answer.length);
    world.coverage.met("change-voters", `answer ${answer}`);
    world.note(leader.index, `change of voters ${JSON.stringify(change)}: ${answer}`);
  },
};

function drawn(world: World, random: Prng, voters: readonly Voter[]): VoterChange {
  const dead = voters.find((voter) =>
    world.areDirectoriesKnown && world.nodes[voter.id - 1]?.key.directoryId !== voter.directoryId
  );
  const spare = world.nodes.filter(({ id }) => !voters.some((voter) => voter.id === id));
  const added = spare[random.below(Math.max(1, spare.length))];
  const removed = voters[random.below(Math.max(1, voters.length))];
  const add = added === undefined ? undefined : voterOf(world, added.index);
  if (dead !== undefined && random.oneIn(2)) {
    return random.oneIn(2) || add === undefined
      ? { remove: dead, ...(random.oneIn(2) ? { add: voterOf(world, dead.id - 1) } : {}) }
      : { remove: dead, add };
  }
  if (world.options.changes === "tide") return ofTide(world, voters, { add, removed });
  switch (random.below(3)) {
    case 0:
      return add === undefined ? {} : { add };
    case 1:
      return removed === undefined || voters.length < 2 ? {} : { remove: removed };
    default:
      return add === undefined || removed === undefined ? {} : { add, remove: removed };
  }
}

/** Up to five voters, or as many as there are nodes, and back to one. */
function ofTide(
  world: World,
  voters: readonly Voter[],
  { add, removed }: { readonly add: Voter | undefined; readonly removed: Voter | undefined },
): VoterChange {
  if (voters.length >= TIDE_HIGH || add === undefined) world.isTideFalling = true;
  if (voters.length <= 1) world.isTideFalling = false;
  if (!world.isTideFalling) return add === undefined ? {} : { add };
  return removed === undefined ? {} : { remove: removed };
}

function voterOf(world: World, index: number): Voter {
  const node = world.nodes[index];
  const voter = world.voterOf(index, 0);
  return node === undefined || !world.areDirectoriesKnown
    ? voter
    : { ...voter, directoryId: node.key.directoryId };
}
