/** What is told of the quorum and of the active controller. Names after the JMX exporter's. */
import type { Metrics } from "../runtime/metrics.ts";
import type { ClusterNode } from "./cluster_node.ts";

const NOBODY = -1;

export function observeController(metrics: Metrics, node: ClusterNode): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    metrics.gauge({ name, help }, (set) => set(read()));
  };
  const { view: { image }, raft } = node;
  const ofController = (name: string, help: string, read: () => number): void => {
    gauge(`kafka_controller_kafkacontroller_${name}`, help, read);
  };
  ofController("activecontrollercount", "1 where this node decides for the cluster.", () => {
    return node.isActiveController ? 1 : 0;
  });
  ofController("activebrokercount", "Brokers that are registered and not fenced.", () => {
    return image.brokers().filter(({ isFenced }) => !isFenced).length;
  });
  ofController("fencedbrokercount", "Brokers that are registered and fenced.", () => {
    return image.brokers().filter(({ isFenced }) => isFenced).length;
  });
  ofController(
    "lastappliedrecordoffset",
    "Offset of the newest metadata that is in force here.",
    () => {
      return node.view.appliedOffset - 1;
    },
  );
  gauge(
    "kafka_server_raft_metrics_current_leader",
    "Who leads the quorum; -1 is nobody known.",
    () => {
      return node.leaderId() ?? NOBODY;
    },
  );
  gauge("kafka_server_raft_metrics_current_epoch", "Term of the quorum, as known here.", () => {
    return raft?.status().term ?? node.leader()?.term ?? 0;
  });
  if (raft !== undefined) {
    ofController("lastcommittedrecordoffset", "Offset of the newest committed metadata.", () => {
      return raft.status().commitOffset - 1;
    });
    gauge("kafka_server_raft_metrics_log_end_offset", "End of the metadata log here.", () => {
      return raft.status().logEndOffset;
    });
    gauge("kafka_server_raft_metrics_number_of_voters", "Voters of the quorum.", () => {
      return raft.status().configuration.voters.length;
    });
  }
  metrics.gauge({
    name: "mq_peer_refusals",
    help: "Requests, connections and answers of other nodes that were refused.",
    labels: ["reason"],
  }, (set) => {
    for (const [reason, count] of node.refusals.counts()) set(count, reason);
  });
}
