/**
 * Opens the metadata quorum of a node with the role of a controller: by its settings, over what its disk
 * has, with the other nodes at the ends of its messages.
 */
import type { Address } from "../env/network.ts";
import { ZERO_UUID } from "../ground/uuid.ts";
import type { Configuration, ReplicaKey, Voter } from "../raft/configuration.ts";
import type { Peers } from "../runtime/peers/peers.ts";
import { MetadataQuorum } from "../runtime/quorum/metadata_quorum.ts";
import type { RaftStorage } from "../runtime/quorum/raft_storage.ts";
import type { ClusterNodeOptions } from "./cluster_node.ts";
import type { NodePlan } from "./node_plan.ts";

export interface QuorumParts {
  readonly self: ReplicaKey;
  readonly storage: RaftStorage;
  readonly peers: Peers;
  readonly addressOf: (nodeId: number) => Address | undefined;
}

type QuorumOptions = Pick<
  ClusterNodeOptions,
  "env" | "settings" | "plan" | "address" | "onDiskFault" | "onCorrupt"
>;

/** Nothing is sent or written yet. */
export async function openQuorum(
  { env, settings, plan, address, onDiskFault, onCorrupt }: QuorumOptions,
  { self, storage, peers, addressOf }: QuorumParts,
): Promise<MetadataQuorum> {
  /** Settings know better where a voter is than a configuration of long ago. */
  const located = (voter: Voter): Voter => {
    const { host, port } = addressOf(voter.id) ?? voter;
    return { ...voter, host, port };
  };
  return await MetadataQuorum.over({
    storage,
    self,
    bootstrap: bootstrapOf(plan, self, address),
    transport: {
      send: (to, message, onLost) => peers.send(located(to), message, onLost),
      fetchSnapshot: (from, snapshot, position) =>
        peers.fetchSnapshot(located(from), snapshot, position),
    },
    clock: env.clock,
    random: env.random,
    trace: env.trace,
    timing: {
      electionTimeoutMs: settings.get("controller.quorum.election.timeout.ms"),
      heartbeatMs: settings.get("mq.controller.heartbeat.ms"),
    },
    snapshots: {
      bytesMax: settings.get("metadata.log.max.record.bytes.between.snapshots"),
      intervalMs: settings.get("metadata.log.max.snapshot.interval.ms"),
    },
    onDiskFault,
    onCorrupt,
  });
}

/** Who votes where no log says so: those that settings name, or this node where it stands alone. */
function bootstrapOf(plan: NodePlan, self: ReplicaKey, { host, port }: Address): Configuration {
  if (plan.isFirstVoter) {
    const voters = plan.voters.map(({ id, host, port }): Voter => {
      return { id, host, port, directoryId: id === self.id ? self.directoryId : ZERO_UUID };
    });
    return { voters, learners: [] };
  }
  return { voters: plan.standsAlone ? [{ ...self, host, port }] : [], learners: [] };
}
