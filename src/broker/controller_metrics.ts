/**
 * What is told of the quorum, of the active controller and of the cluster. Names after the JMX
 * exporter's where Kafka has the thing (kafka_controller_…, kafka_server_raft_metrics_…).
 *
 * Every node tells what it knows of the cluster; where one number is wanted for the cluster, it is that
 * of the node whose `activecontrollercount` is 1.
 */
import type { ClusterImage } from "../metadata/image.ts";
import type { Metrics } from "../runtime/metrics.ts";
import type { ClusterNode } from "./cluster_node.ts";
import type { RaftAdmin } from "./broker_context.ts";

type Gauge = (name: string, help: string, read: () => number | undefined) => void;

const NOBODY = -1;
const CONTROLLER = "kafka_controller_kafkacontroller_";
const RAFT = "kafka_server_raft_metrics_";

export function observeController(metrics: Metrics, node: ClusterNode): void {
  const gauge: Gauge = (name, help, read) => {
    metrics.gauge({ name, help }, (set) => {
      const value = read();
      if (value !== undefined) set(value);
    });
  };
  observeCluster((name, help, read) => gauge(CONTROLLER + name, help, read), node);
  gauge(`${RAFT}current_leader`, "Who leads the quorum; -1 is nobody known.", () => {
    return node.leaderId() ?? NOBODY;
  });
  gauge(`${RAFT}current_epoch`, "Term of the quorum, as known here.", () => {
    return node.raft?.status().term ?? node.leader()?.term ?? 0;
  });
  if (node.raft !== undefined) observeRaft(gauge, node, node.raft);
  metrics.gauge({
    name: "mq_peer_refusals",
    help: "Requests, connections and answers of other nodes that were refused.",
    labels: ["reason"],
  }, (set) => {
    for (const [reason, count] of node.refusals.counts()) set(count, reason);
  });
  if (node.raft === undefined) return;
  const { raft } = node;
  metrics.gauge({
    name: "mq_raft_ignored_messages",
    help: "Messages of other voters that had no effect.",
    labels: ["reason"],
  }, (set) => {
    for (const [reason, count] of raft.status().ignored) set(count, reason);
  });
}

function observeCluster(gauge: Gauge, node: ClusterNode): void {
  const { view: { image } } = node;
  gauge("activecontrollercount", "1 where this node decides for the cluster.", () => {
    return node.isActiveController ? 1 : 0;
  });
  gauge(
    "newactivecontrollerscount",
    "Active controllers known since the start of this node.",
    () => {
      return node.electionCount;
    },
  );
  gauge("activebrokercount", "Brokers that are registered and not fenced.", () => {
    return image.brokers().filter(({ isFenced }) => !isFenced).length;
  });
  gauge("fencedbrokercount", "Brokers that are registered and fenced.", () => {
    return image.brokers().filter(({ isFenced }) => isFenced).length;
  });
  gauge("globaltopiccount", "Topics of the cluster.", () => [...image.topics()].length);
  gauge("globalpartitioncount", "Partitions of the cluster.", () => {
    return countPartitions(image, () => true);
  });
  gauge("offlinepartitionscount", "Partitions without a leader that is alive.", () => {
    return countPartitions(image, ({ leader }) => !image.isUnfenced(leader));
  });
  gauge("preferredreplicaimbalancecount", "Partitions not led by their first replica.", () => {
    return countPartitions(image, ({ leader, replicas }) => leader !== replicas[0]);
  });
  gauge("lastappliedrecordoffset", "Offset of the newest metadata that is in force here.", () => {
    return node.view.appliedOffset - 1;
  });
  const { raft } = node;
  if (raft === undefined) return;
  gauge("lastcommittedrecordoffset", "Offset of the newest committed metadata.", () => {
    return raft.status().commitOffset - 1;
  });
}

function observeRaft(gauge: Gauge, node: ClusterNode, raft: RaftAdmin): void {
  gauge(`${RAFT}current_vote`, "For whom this voter has voted in this term; -1 is nobody.", () => {
    return raft.status().votedFor?.id ?? NOBODY;
  });
  gauge(`${RAFT}high_watermark`, "End of what is known here to be committed.", () => {
    return raft.status().commitOffset;
  });
  gauge(`${RAFT}log_end_offset`, "End of the metadata log here.", () => {
    return raft.status().logEndOffset;
  });
  gauge(`${RAFT}number_of_voters`, "Voters of the quorum.", () => {
    return raft.status().configuration.voters.length;
  });
  gauge(`${RAFT}number_of_observers`, "Who follows without a vote; of the leader only.", () => {
    const { role, configuration } = raft.status();
    if (role !== "leader") return undefined;
    const voters = new Set(configuration.voters.map(({ id }) => id));
    return node.observers().filter(({ key }) => !voters.has(key.id)).length;
  });
  gauge("mq_metadata_log_start_offset", "Start of the metadata log here.", () => {
    return raft.status().logStartOffset;
  });
  gauge("mq_metadata_snapshot_end_offset", "Metadata below it is in the newest snapshot.", () => {
    return node.snapshot()?.offset;
  });
  gauge(
    "kafka_server_snapshotemitter_latestsnapshotgeneratedagems",
    "Milliseconds since this node took its newest metadata snapshot, or started where it took none.",
    () => Math.round(node.snapshotAgeMs()),
  );
  gauge(
    "kafka_server_snapshotemitter_latestsnapshotgeneratedbytes",
    "Bytes of the newest metadata snapshot here.",
    () => node.snapshot()?.bytes ?? 0,
  );
}

interface CountedPartition {
  readonly leader: number;
  readonly replicas: readonly number[];
}

function countPartitions(
  image: ClusterImage,
  isCounted: (partition: CountedPartition) => boolean,
): number {
  let count = 0;
  for (const { partitions } of image.topics()) {
    for (const partition of partitions) if (isCounted(partition)) count++;
  }
  return count;
}
