/**
 * A leader that hears no majority for long is none any more (check-quorum, Raft thesis §6.2).
 *
 * "Long" is four election timeouts of its own clock: one until it looks, one until it decides, and two
 * for the whims of the moment at which it looks. A node that stood still hears nothing because of that, and
 * one whose configuration has just changed has all that time again.
 */
import type { Configuration, Voter } from "../../../../src/raft/configuration.ts";
import type { SimNode } from "../sim_node.ts";
import type { World } from "../world.ts";
import type { Invariant, Verdict } from "./invariant.ts";

const ELECTION_TIMEOUTS_MAX = 4;

interface Look {
  nextAtMs: number;
  lastStepMs: number;
  life: number;
  configuration: Configuration;
}

export function leaderHearsMajority(): Invariant {
  const looks: Look[] = [];
  return {
    name: "a leader hears a majority",
    isObservable: false,
    afterStep(node, world): Verdict {
      const nowMs = node.now();
      const look = looks[node.index] ??= {
        nextAtMs: 0,
        lastStepMs: 0,
        life: 0,
        configuration: node.configuration,
      };
      const timeoutMs = world.options.electionTimeoutMs;
      const isSame = look.life === node.life && look.configuration === node.configuration;
      if (!isSame || nowMs - look.lastStepMs > timeoutMs) {
        look.life = node.life;
        look.configuration = node.configuration;
        node.heardAtMs.fill(nowMs);
      }
      look.lastStepMs = nowMs;
      if (node.soft.role !== "leader" || nowMs < look.nextAtMs) return undefined;
      look.nextAtMs = nowMs + timeoutMs;
      const { voters, outgoing } = node.configuration;
      return hears(node, world, voters) && (outgoing === undefined || hears(node, world, outgoing))
        ? undefined
        : `node ${node.id} leads term ${node.term} and hears no majority`;
    },
  };
}

function hears(node: SimNode, world: World, voters: readonly Voter[]): boolean {
  const sinceMs = node.now() - ELECTION_TIMEOUTS_MAX * world.options.electionTimeoutMs;
  const heard = voters.filter(({ id }) =>
    id === node.id || (node.heardAtMs[id - 1] as number) >= sinceMs
  );
  return heard.length * 2 > voters.length;
}
