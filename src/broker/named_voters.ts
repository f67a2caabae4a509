/**
 * The voters that settings name, held against those that the metadata log names: the log's rule, and a
 * difference is told, since an operator may believe that changing the settings has changed the voters.
 *
 * Two differences are refused, for they make two clusters with one name. Of a cluster of one that is
 * restarted as one of three first voters, the two others are strangers: empty, and a majority of the
 * three. They would elect a leader that has nothing of what was decided here. And a node that has begun
 * alone, perhaps by a slip in its first start, and is told to join others, would go on by itself.
 */
import type { Trace } from "../env/trace.ts";
import type { MetadataQuorum } from "../runtime/quorum/metadata_quorum.ts";
import type { RaftStorage } from "../runtime/quorum/raft_storage.ts";
import { startConfiguration } from "../runtime/quorum/raft_storage.ts";
import { formatAddress } from "./addresses.ts";
import { BrokerFault } from "./broker_fault.ts";
import type { NodePlan } from "./node_plan.ts";

interface Log {
  readonly storage: Pick<RaftStorage, "found">;
  readonly quorum: Pick<MetadataQuorum, "image">;
}

/** Throws a `BrokerFault`. */
export function compareVoters(
  { plan, env: { trace } }: { readonly plan: NodePlan; readonly env: { readonly trace: Trace } },
  log: Log,
): void {
  const { found } = log.storage;
  const isEmpty = found.entries.length === 0 && found.snapshot === undefined;
  if (isEmpty) return;
  const known = knownIds(log);
  const { voters } = startConfiguration(found, { voters: [], learners: [] });
  const isAlone = listOf(voters) === String(plan.nodeId) && known.size === 1;
  if (isAlone && plan.bootstrap.length > 0 && !plan.asksItself) throw notToJoin(plan);
  if (plan.voters.length === 0) return;
  const named = listOf(plan.voters);
  const strangers = plan.voters.filter(({ id }) => id !== plan.nodeId && !known.has(id));
  if (strangers.length * 2 > plan.voters.length) throw notFirst(plan, named);
  if (voters.length === 0 || listOf(voters) === named) return;
  trace.event("warn", "controller.quorum.voters is not what the metadata log says, which rules", {
    named,
    voters: listOf(voters),
    remedy: "mq cluster add-voter and mq cluster remove-voter change the voters",
  });
}

/** Nodes that this one has ever heard of, as far as its log tells. */
function knownIds({ storage: { found }, quorum: { image } }: Log): ReadonlySet<number> {
  const configurations = [
    found.snapshot?.configuration,
    ...found.entries.map(({ configuration }) => configuration),
  ];
  return new Set([
    ...image.brokers().map(({ brokerId }) => brokerId),
    ...configurations.flatMap((one) =>
      one === undefined
        ? []
        : [...one.voters, ...one.outgoing ?? [], ...one.learners].map(({ id }) => id)
    ),
  ]);
}

function notFirst({ nodeId }: NodePlan, named: string): BrokerFault {
  return new BrokerFault(
    "BAD_SETTING",
    `Cannot start node ${nodeId} as one of the voters ${named}: its metadata is of a cluster of one`,
    "start it without controller.quorum.voters (--controller-quorum), the others with " +
      "--controller-quorum HOST:PORT of this one, then mq cluster add-voter for each of them",
  );
}

function notToJoin({ nodeId, bootstrap }: NodePlan): BrokerFault {
  const others = bootstrap.map(formatAddress).join(",");
  return new BrokerFault(
    "BAD_SETTING",
    `Cannot start node ${nodeId} to join ${others}: its metadata is of a cluster of its own, which has ` +
      "never had another node",
    "to join the others give it an empty data directory; to go on alone start it without " +
      "controller.quorum.bootstrap.servers (--controller-quorum)",
  );
}

function listOf(voters: readonly { readonly id: number }[]): string {
  return voters.map(({ id }) => id).sort((one, other) => one - other).join(",");
}
