/** A cluster at a glance: what `mq cluster status` shows, and what it finds wrong. */
import { type QuorumDescription, quorumIfKnown } from "./cluster_admin.ts";
import type { Client } from "./session.ts";

export interface ClusterView {
  readonly clusterId: string;
  /** The active controller where the quorum is known; -1 where there is none. */
  readonly controllerId: number;
  /** Of the quorum; null where the cluster does not tell. */
  readonly term: number | null;
  readonly voters: readonly number[];
  readonly observers: readonly number[];
  readonly aliveBrokers: readonly number[];
  readonly fencedBrokers: readonly number[];
  readonly features: Readonly<Record<string, number>>;
  readonly topics: number;
  readonly partitions: number;
  readonly leaderlessPartitions: number;
  readonly underReplicatedPartitions: number;
  readonly isHealthy: boolean;
  readonly problems: readonly string[];
}

/** A voter that is further behind than this is told of. */
const BEHIND_MS = 10_000;

/** Asks for all of it. */
export async function viewCluster(client: Client): Promise<ClusterView> {
  const { admin } = client;
  const [cluster, quorum, features, topics] = await Promise.all([
    admin.describeCluster({ includesFenced: true }),
    quorumIfKnown(client),
    admin.describeFeatures(),
    admin.listTopics(),
  ]);
  const partitions = topics.flatMap((topic) => topic.partitions);
  const idsWhere = (isFenced: boolean): readonly number[] =>
    cluster.brokers.filter((broker) => broker.isFenced === isFenced).map(({ brokerId }) =>
      brokerId
    );
  const facts = {
    clusterId: cluster.clusterId,
    controllerId: quorum?.leaderId ?? cluster.controllerId,
    term: quorum?.leaderEpoch ?? null,
    voters: idsOf(quorum?.voters),
    observers: idsOf(quorum?.observers),
    aliveBrokers: idsWhere(false),
    fencedBrokers: idsWhere(true),
    features: Object.fromEntries(
      features.features.map(({ name, finalizedLevel }) => [name, finalizedLevel]),
    ),
    topics: topics.length,
    partitions: partitions.length,
    leaderlessPartitions: partitions.filter(({ leaderId }) => leaderId < 0).length,
    underReplicatedPartitions:
      partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length,
  };
  const problems = [...quorumProblems(quorum), ...brokerProblems(facts)];
  return { ...facts, isHealthy: problems.length === 0, problems };
}

function idsOf(replicas: QuorumDescription["voters"] | undefined): readonly number[] {
  return (replicas ?? []).map(({ nodeId }) => nodeId).sort((one, other) => one - other);
}

function quorumProblems(quorum: QuorumDescription | undefined): readonly string[] {
  if (quorum === undefined) return [];
  if (quorum.leaderId < 0) return ["there is no active controller"];
  const leader = quorum.voters.find(({ nodeId }) => nodeId === quorum.leaderId);
  const now = leader?.lastCaughtUpTimestamp ?? -1;
  return quorum.voters.flatMap(({ nodeId, logEndOffset, lastCaughtUpTimestamp: then }) => {
    const isBehind = logEndOffset < quorum.highWatermark && now > 0 && now - then > BEHIND_MS;
    if (!isBehind) return [];
    const since = then > 0 ? `${Math.round((now - then) / 1000)} s` : "its start";
    return [`voter ${nodeId} has been behind for ${since}`];
  });
}

function brokerProblems(
  { fencedBrokers, leaderlessPartitions, underReplicatedPartitions }: Pick<
    ClusterView,
    "fencedBrokers" | "leaderlessPartitions" | "underReplicatedPartitions"
  >,
): readonly string[] {
  const count = (number: number, noun: string): string =>
    `${number} ${noun}${number === 1 ? "" : "s"}`;
  return [
    ...fencedBrokers.map((id) => `broker ${id} is fenced: nothing is heard of it`),
    ...(leaderlessPartitions === 0
      ? []
      : [`${count(leaderlessPartitions, "partition")} without a leader`]),
    ...(underReplicatedPartitions === 0
      ? []
      : [`${count(underReplicatedPartitions, "partition")} with too few replicas in sync`]),
  ];
}
