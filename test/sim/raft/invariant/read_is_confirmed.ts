/**
 * A read index is handed out after a majority of every set of voters has answered this leader *since the
 * question was asked* (Raft thesis §6.4): an answer that was on its way before proves nothing.
 */
import type { Configuration, Voter } from "../../../../src/raft/configuration.ts";
import type { SimNode } from "../sim_node.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function readIsConfirmed(): Invariant {
  /** By leader: when each node last answered it, and in which term. */
  const answers: { readonly atMs: number[]; readonly term: number[] }[] = [];

  function isConfirmed(node: SimNode, sinceMs: number, configuration: Configuration): boolean {
    const known = answers[node.index];
    const has = ({ id }: Voter): boolean =>
      id === node.id ||
      (known !== undefined && known.term[id - 1] === node.term &&
        (known.atMs[id - 1] as number) >= sinceMs);
    const isMajority = (set: readonly Voter[]): boolean => set.filter(has).length * 2 > set.length;
    const { voters, outgoing } = configuration;
    return isMajority(voters) && (outgoing === undefined || isMajority(outgoing));
  }

  return {
    name: "a read is confirmed",
    isObservable: false,
    onSend(node, message, { nowMs, nodes }): Verdict {
      // One of another term is no answer to this leadership, and takes none back either.
      if (message.kind !== "AppendReply" || nodes[message.to.id - 1]?.term !== message.term) {
        return undefined;
      }
      const known = answers[message.to.id - 1] ??= { atMs: [], term: [] };
      known.atMs[node.index] = nowMs;
      known.term[node.index] = message.term;
      return undefined;
    },
    onReadIndex(node, { askedAtMs }): Verdict {
      const now = node.raft?.configuration() ?? node.configuration;
      return isConfirmed(node, askedAtMs, now) || isConfirmed(node, askedAtMs, node.configuration)
        ? undefined
        : `node ${node.id} of term ${node.term} answers a read of ${askedAtMs} ms unconfirmed`;
    },
  };
}
