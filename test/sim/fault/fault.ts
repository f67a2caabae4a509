/** One kind of thing that goes wrong. */
import type { Prng } from "../../../src/ground/prng.ts";
import type { Operator } from "../operator.ts";
import type { SimNode } from "../sim_node.ts";
import type { SimNetwork } from "../env/sim_network.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Shadow } from "../shadow.ts";
import type { SimProcess } from "../sim_process.ts";

/** A machine with a client on it: one that does operations, or a member of a group. */
export interface ClientMachine {
  readonly process: SimProcess;
  kill(): void;
}

export interface FaultContext {
  readonly scheduler: Scheduler;
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  readonly clients: readonly ClientMachine[];
  readonly operator: Operator;
  readonly shadow: Shadow;
  readonly sessionMs: number;
  /** Of this one fault: leaving others out does not change it. */
  readonly chance: Prng;
}

/** Does the damage and sees to its end; false where there was nothing to damage. */
export type Fault = (context: FaultContext) => boolean;

const MS = 1000;

export function pickNode({ nodes, chance }: FaultContext): SimNode {
  return nodes[chance.below(nodes.length)] as SimNode;
}

/** A node three times in four, else a client. */
export function pickProcess(context: FaultContext): SimProcess {
  const { clients, chance } = context;
  if (chance.below(4) > 0) return pickNode(context).process;
  return (clients[chance.below(clients.length)] as ClientMachine).process;
}

/** Between the two, short ones more often. */
export function durationUs(chance: Prng, minMs: number, maxMs: number): number {
  const share = chance.below(1001) / 1000;
  return Math.round((minMs + (maxMs - minMs) * share * share * share) * MS);
}
