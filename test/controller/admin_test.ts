/** What the nodes of a cluster answer to those who look after it. */
import { pageOf } from "../broker/broker_fixture.ts";
import { describe, expect, test } from "bun:test";
import { createTopics } from "../../src/api/create_topics.ts";
import { describeCluster } from "../../src/api/describe_cluster.ts";
import { describeQuorum } from "../../src/api/describe_quorum.ts";
import { electLeaders } from "../../src/api/elect_leaders.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { metadata } from "../../src/api/metadata.ts";
import type { ResponseOf } from "../../src/api/schema.ts";
import { updateFeatures } from "../../src/api/update_features.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { TestCluster, type TestNode } from "./cluster_fixture.ts";

const SHORT_SESSION = {
  "broker.session.timeout.ms": "2000",
  "broker.heartbeat.interval.ms": "500",
};

type PartitionMetadata = ResponseOf<typeof metadata>["topics"][number]["partitions"][number];
type QuorumPartition = ResponseOf<typeof describeQuorum>["topics"][number]["partitions"][number];

/** The first that is none of these. */
function otherThan(cluster: TestCluster, ...not: readonly TestNode[]): TestNode {
  return cluster.nodes.find((node) => !not.includes(node)) as TestNode;
}

async function createAt(
  cluster: TestCluster,
  node: TestNode,
  brokerIds: number[],
): Promise<number> {
  const { topics } = await cluster.ask(node, createTopics, 7, {
    topics: [{
      name: "t",
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [{ partitionIndex: 0, brokerIds }],
      configs: [],
    }],
    timeoutMs: 5000,
    validateOnly: false,
  });
  return topics[0]?.errorCode ?? -1;
}

async function partitionOf(cluster: TestCluster, node: TestNode): Promise<PartitionMetadata> {
  const body = { topics: [{ name: "t" }], allowAutoTopicCreation: false };
  const { topics } = await cluster.ask(node, metadata, 12, body);
  return topics[0]?.partitions[0] as PartitionMetadata;
}

async function quorumOf(
  cluster: TestCluster,
  node: TestNode,
): Promise<QuorumPartition> {
  const { topics } = await cluster.ask(node, describeQuorum, 2, {
    topics: [{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 0 }] }],
  });
  return topics[0]?.partitions[0] as QuorumPartition;
}

/** The value of a series, or undefined where the page of the node has none. */
function sample({ broker }: TestNode, series: string): number | undefined {
  const { body } = pageOf({ broker }, "/metrics");
  const line = body.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

async function untilFenced(cluster: TestCluster, at: TestNode, id: number): Promise<void> {
  await cluster.untilTrue(
    () => at.broker.metadata?.image.broker(id)?.isFenced === true,
    `broker ${id} to be fenced`,
  );
}

describe("a partition whose leader is gone", () => {
  test("has none for clients, and gets one by an unclean election only", async () => {
    const cluster = await TestCluster.start({ settings: SHORT_SESSION });
    const leader = await cluster.untilLeader();
    const asked = otherThan(cluster, leader);
    const gone = otherThan(cluster, leader, asked);
    expect(await createAt(cluster, asked, [gone.id, asked.id])).toBe(ErrorCode.None);
    expect((await partitionOf(cluster, asked)).leaderId).toBe(gone.id);
    gone.halt();
    await untilFenced(cluster, asked, gone.id);
    const without = await partitionOf(cluster, asked);
    expect([without.errorCode, without.leaderId]).toEqual([ErrorCode.LeaderNotAvailable, -1]);
    expect([without.replicaNodes, without.isrNodes]).toEqual([[gone.id, asked.id], [gone.id]]);
    expect(without.offlineReplicas).toEqual([gone.id]);
    expect(sample(asked, "kafka_controller_kafkacontroller_offlinepartitionscount")).toBe(1);
    const elect = async (electionType: number): Promise<number | undefined> => {
      const answer = await cluster.ask(asked, electLeaders, 2, {
        electionType,
        topicPartitions: [{ topic: "t", partitions: [0] }],
        timeoutMs: 1000,
      });
      expect(answer.errorCode).toBe(ErrorCode.None);
      return answer.replicaElectionResults[0]?.partitionResult[0]?.errorCode;
    };
    expect(await elect(0)).toBe(ErrorCode.ElectionNotNeeded); // in the record it leads still
    expect(await elect(1)).toBe(ErrorCode.None);
    const led = await partitionOf(cluster, asked);
    expect([led.errorCode, led.leaderId, led.leaderEpoch]).toEqual([0, asked.id, 1]);
    expect(await elect(1)).toBe(ErrorCode.ElectionNotNeeded);
    expect(sample(asked, "kafka_controller_kafkacontroller_offlinepartitionscount")).toBe(0);
    cluster.haltAll();
  });

  test("elections say what is wrong with what was asked", async () => {
    const cluster = await TestCluster.start({ voters: [1] });
    const node = cluster.node(1);
    expect(await cluster.createTopic(node, "t", 2)).toBe(ErrorCode.None);
    const ofVersion0 = await cluster.ask(node, electLeaders, 0, {
      electionType: 1, // version 0 has no place for it
      topicPartitions: [
        { topic: "nothing", partitions: [0] },
        { topic: "t", partitions: [0, 7] },
      ],
      timeoutMs: 1000,
    });
    const codes = ofVersion0.replicaElectionResults.map(({ partitionResult }) =>
      partitionResult.map(({ errorCode }) => errorCode)
    );
    expect(codes).toEqual([
      [ErrorCode.UnknownTopicOrPartition],
      [ErrorCode.ElectionNotNeeded, ErrorCode.UnknownTopicOrPartition],
    ]);
    const all = await cluster.ask(node, electLeaders, 2, {
      electionType: 0,
      topicPartitions: null,
      timeoutMs: 1000,
    });
    expect(all.errorCode).toBe(ErrorCode.None);
    expect(all.replicaElectionResults.flatMap(({ partitionResult }) => partitionResult))
      .toEqual([]);
    const unknown = await cluster.ask(node, electLeaders, 1, {
      electionType: 9,
      topicPartitions: [],
      timeoutMs: 1000,
    });
    expect(unknown.errorCode).toBe(ErrorCode.InvalidRequest);
    cluster.haltAll();
  });

  test("nobody is elected while nobody decides", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    const node = otherThan(cluster, leader);
    for (const other of cluster.nodes) if (other !== node) other.halt();
    const answer = await cluster.ask(node, electLeaders, 2, {
      electionType: 0,
      topicPartitions: [{ topic: "t", partitions: [3] }],
      timeoutMs: 1000,
    });
    expect(answer.errorCode).toBe(ErrorCode.NotController);
    const [result] = answer.replicaElectionResults[0]?.partitionResult ?? [];
    expect([result?.partitionId, result?.errorCode]).toEqual([3, ErrorCode.NotController]);
    cluster.haltAll();
  });
});

describe("the quorum", () => {
  test("is described with the brokers that follow it, and how far they are", async () => {
    const cluster = await TestCluster.start({ settings: SHORT_SESSION });
    const broker = cluster.prepare(4, { "process.roles": "broker" });
    await cluster.until(broker.start());
    await cluster.createTopic(broker, "t");
    await cluster.clock.advance(1000); // it has sent a heartbeat to whoever leads
    for (const node of [broker, cluster.node(1)]) {
      const { currentVoters, observers, highWatermark } = await quorumOf(cluster, node);
      expect(currentVoters.map(({ replicaId }) => replicaId)).toEqual([1, 2, 3]);
      expect(observers.map(({ replicaId }) => replicaId)).toEqual([4]);
      const [observer] = observers;
      expect(observer?.replicaDirectoryId === ZERO_UUID).toBeFalse();
      expect(observer?.logEndOffset).toBe(highWatermark);
      const now = cluster.clock.wallMs();
      for (
        const { lastFetchTimestamp, lastCaughtUpTimestamp } of [...currentVoters, ...observers]
      ) {
        expect(now - lastFetchTimestamp).toBeLessThan(1000);
        expect(now - lastCaughtUpTimestamp).toBeLessThan(1000);
      }
    }
    broker.halt();
    await cluster.clock.advance(60_000);
    const [silent] = (await quorumOf(cluster, cluster.node(1))).observers;
    expect(cluster.clock.wallMs() - (silent?.lastFetchTimestamp ?? 0)).toBeGreaterThan(59_000);
    await cluster.clock.advance(250_000);
    expect((await quorumOf(cluster, cluster.node(1))).observers).toEqual([]);
    cluster.haltAll();
  });

  test("tells of its controllers, with or without a listener of their own", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    const broker = cluster.prepare(4, { "process.roles": "broker" });
    await cluster.until(broker.start());
    const body = { includeClusterAuthorizedOperations: false, endpointType: 2 };
    const told = await cluster.ask(otherThan(cluster, leader), describeCluster, 2, body);
    expect([told.errorCode, told.endpointType, told.controllerId]).toEqual([0, 2, leader.id]);
    expect(told.brokers.map(({ brokerId, port }) => [brokerId, port])).toEqual(
      cluster.nodes.slice(0, 3).map(({ id, address }) => [id, address.port]),
    );
    const wrong = await cluster.ask(broker, describeCluster, 1, body);
    expect(wrong.errorCode).toBe(ErrorCode.MismatchedEndpointType);
    cluster.haltAll();
  });

  test("a controller without topics counts when a feature is raised", async () => {
    const settings = { "process.roles": "controller" };
    const cluster = await TestCluster.start({ settings });
    const leader = await cluster.untilLeader();
    const update = async (): Promise<number> => {
      const { errorCode } = await cluster.ask(otherThan(cluster, leader), updateFeatures, 1, {
        timeoutMs: 1000,
        featureUpdates: [{ feature: "metadata.version", maxVersionLevel: 3, upgradeType: 1 }],
        validateOnly: true,
      });
      return errorCode;
    };
    expect(await update()).toBe(ErrorCode.None);
    cluster.haltAll();
  });
});

describe("/metrics of a node of a cluster", () => {
  const controller = "kafka_controller_kafkacontroller_";
  const raft = "kafka_server_raft_metrics_";

  test("tell of the cluster, of the quorum and of its log", async () => {
    const cluster = await TestCluster.start({ settings: SHORT_SESSION });
    const leader = await cluster.untilLeader();
    const asked = otherThan(cluster, leader);
    const gone = otherThan(cluster, leader, asked);
    await cluster.createTopic(asked, "t", 3);
    const values = (node: TestNode, prefix: string, names: string): (number | undefined)[] =>
      names.split(" ").map((name) => sample(node, prefix + name));
    await cluster.clock.advance(200);
    const status = leader.broker.raft?.status();
    if (status === undefined) throw new Error("it votes");
    const { commitOffset, term, logEndOffset } = status;
    expect(
      values(leader, controller, "activecontrollercount globaltopiccount globalpartitioncount"),
    )
      .toEqual([1, 1, 3]);
    expect(values(asked, controller, "activecontrollercount globaltopiccount globalpartitioncount"))
      .toEqual([0, 1, 3]);
    expect(values(leader, controller, "activebrokercount fencedbrokercount")).toEqual([3, 0]);
    const offsets = "lastcommittedrecordoffset lastappliedrecordoffset";
    const last = commitOffset - 1;
    expect(values(leader, controller, offsets)).toEqual([last, last]);
    expect(values(leader, raft, "current_leader current_epoch current_vote number_of_voters"))
      .toEqual([leader.id, term, leader.id, 3]);
    expect(values(leader, raft, "log_end_offset high_watermark number_of_observers"))
      .toEqual([logEndOffset, commitOffset, 0]);
    expect(sample(asked, `${raft}number_of_observers`)).toBeUndefined();
    expect(sample(leader, "kafka_server_snapshotemitter_latestsnapshotgeneratedbytes")).toBe(0);
    gone.halt();
    await untilFenced(cluster, leader, gone.id);
    expect(values(leader, controller, "activebrokercount fencedbrokercount")).toEqual([2, 1]);
    cluster.haltAll();
  });

  test("count elections, and tell of snapshots", async () => {
    const settings = { "metadata.log.max.snapshot.interval.ms": "60000" };
    const cluster = await TestCluster.start({ settings });
    const leader = await cluster.untilLeader();
    const other = otherThan(cluster, leader);
    const series = `${controller}newactivecontrollerscount`;
    const before = sample(other, series) ?? 0;
    expect(before).toBeGreaterThan(0);
    leader.halt();
    await cluster.untilLeader();
    await cluster.untilTrue(() => (sample(other, series) ?? 0) === before + 1, "the election");
    const age = "kafka_server_snapshotemitter_latestsnapshotgeneratedagems";
    const startedMs = cluster.clock.monotonicMs() - (sample(other, age) ?? NaN);
    expect(startedMs).toBeLessThan(10_000); // it has taken none since its start
    await cluster.createTopic(other, "t");
    await cluster.clock.advance(120_000);
    expect(sample(other, age) ?? NaN).toBeLessThan(100_000);
    const bytes = sample(other, "kafka_server_snapshotemitter_latestsnapshotgeneratedbytes") ?? 0;
    expect(bytes).toBeGreaterThan(100);
    expect(sample(other, "mq_metadata_snapshot_end_offset") ?? 0).toBeGreaterThan(0);
    cluster.haltAll();
  });
});
