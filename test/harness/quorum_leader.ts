/** Which node leads the metadata quorum, by what the nodes themselves say. */
import { describeQuorum } from "../../src/api/describe_quorum.ts";
import type { ResponseOf } from "../../src/api/schema.ts";
import type { AskedNode, NodeConnections } from "./node_connections.ts";

export type QuorumPartition = ResponseOf<
  typeof describeQuorum
>["topics"][number]["partitions"][number];

const METADATA = [{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 0 }] }];

/** What one node says of the quorum. Rejects where it does not answer. */
export async function quorumAt(
  connections: NodeConnections,
  node: AskedNode,
): Promise<QuorumPartition> {
  const { topics } = await connections.request(node, describeQuorum, { topics: METADATA });
  const partition = topics[0]?.partitions[0];
  if (partition !== undefined && partition.errorCode === 0) return partition;
  throw new Error(`Cannot describe the quorum at node ${node.id}: ${partition?.errorCode}`);
}

/** The leader of the highest term that any of them knows. */
export async function quorumLeader(
  connections: NodeConnections,
  nodes: readonly AskedNode[],
): Promise<number | undefined> {
  const told = await Promise.all(
    nodes.map((node) => quorumAt(connections, node).catch(() => undefined)),
  );
  let newest: QuorumPartition | undefined;
  for (const each of told) {
    if (each === undefined || each.leaderId < 0) continue;
    if (newest === undefined || each.leaderEpoch > newest.leaderEpoch) newest = each;
  }
  return newest?.leaderId;
}
