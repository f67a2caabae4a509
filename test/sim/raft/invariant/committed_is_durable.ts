/**
 * What is committed is on the disks of a majority of every set of voters that rules, at that moment.
 *
 * The set is the one in force after the event or the one before it: an acknowledgement may commit a
 * batch and move the change of voters on in one step. A disk that was exchanged counts for the voter
 * it was: whoever has it no more never votes again under that identity.
 */
import type { Configuration, Voter } from "../../../../src/raft/configuration.ts";
import type { Stored } from "../stored_log.ts";
import type { World } from "../world.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function committedIsDurable(): Invariant {
  return {
    name: "committed is durable",
    isObservable: false,
    onCommit(node, batches, world): Verdict {
      const last = batches[batches.length - 1] as Stored;
      const { configuration, configurationBefore } = node;
      if (isDurable(world, configuration, last)) return undefined;
      if (isDurable(world, configurationBefore, last)) return undefined;
      return `node ${node.id} commits ${last.entry.baseOffset} of term ${last.entry.term}, which is ` +
        `durable on no majority`;
    },
  };
}

function isDurable(world: World, { voters, outgoing }: Configuration, stored: Stored): boolean {
  return isOnMajority(world, voters, stored) &&
    (outgoing === undefined || isOnMajority(world, outgoing, stored));
}

function isOnMajority(world: World, voters: readonly Voter[], stored: Stored): boolean {
  const having = voters.filter((voter) => world.nodes[voter.id - 1]?.holdsDurably(voter, stored));
  return having.length * 2 > voters.length;
}
