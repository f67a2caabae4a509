import { describe, expect, test } from "bun:test";
import { addRaftVoter } from "../../src/api/add_raft_voter.ts";
import { describeQuorum } from "../../src/api/describe_quorum.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { produce } from "../../src/api/produce.ts";
import { removeRaftVoter } from "../../src/api/remove_raft_voter.ts";
import type { ResponseOf } from "../../src/api/schema.ts";
import { type Uuid, ZERO_UUID } from "../../src/ground/uuid.ts";
import { batchOf, recordsOf } from "../broker/broker_fixture.ts";
import { fetchFrom, produceTo } from "../broker/topic_requests.ts";
import { CLUSTER_ID, TestCluster, type TestNode } from "./cluster_fixture.ts";

const OTHER_DIRECTORY = "AAAAAAAAAAAAAAAAAAAAAQ" as Uuid;
const BOOTSTRAP = { "controller.quorum.voters": "" };

function votersAt(node: TestNode): readonly number[] {
  return node.broker.raft?.status().configuration.voters.map(({ id }) => id) ?? [];
}

async function quorumOf(
  cluster: TestCluster,
  node: TestNode,
): Promise<ResponseOf<typeof describeQuorum>["topics"][number]["partitions"][number]> {
  const { topics } = await cluster.ask(node, describeQuorum, 2, {
    topics: [{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 0 }] }],
  });
  return topics[0]?.partitions[0] as never;
}

/** The error code. */
async function addVoter(
  cluster: TestCluster,
  asked: TestNode,
  added: TestNode,
  directoryId: Uuid = ZERO_UUID,
): Promise<number> {
  const { errorCode } = await cluster.ask(asked, addRaftVoter, 0, {
    clusterId: CLUSTER_ID,
    timeoutMs: 10_000,
    voterId: added.id,
    voterDirectoryId: directoryId,
    listeners: [{ name: "PLAINTEXT", ...added.address }],
  });
  return errorCode;
}

describe("a cluster of one", () => {
  test("grows to three while it is produced to, and outlives the first", async () => {
    const cluster = await TestCluster.start({ voters: [1], settings: BOOTSTRAP });
    const first = cluster.node(1);
    await cluster.createTopic(first, "t");
    const connection = await first.dial();
    const produced: string[] = [];
    const produce = async (): Promise<void> => {
      const value = `v${produced.length}`;
      const { errorCode } = await produceTo(connection, "t", batchOf([value]));
      expect(errorCode).toBe(ErrorCode.None);
      produced.push(`${produced.length}:${value}`);
    };
    await produce();
    for (const id of [2, 3]) {
      const settings = { "controller.quorum.bootstrap.servers": "127.0.0.1:9093" };
      const node = cluster.prepare(id, settings);
      const started = node.start();
      await cluster.untilTrue(
        () => first.broker.metadata?.image.broker(id) !== undefined,
        "its registration",
      );
      await produce();
      expect(await addVoter(cluster, first, node)).toBe(ErrorCode.None);
      await cluster.until(started);
      await produce();
    }
    expect(votersAt(first)).toEqual([1, 2, 3]);
    expect(recordsOf((await fetchFrom(connection, "t")).records)).toEqual(produced);
    expect(await cluster.createTopic(cluster.node(3), "grown")).toBe(ErrorCode.None);
    first.halt();
    expect(await cluster.createTopic(cluster.node(2), "after")).toBe(ErrorCode.None);
    cluster.haltAll();
  });
});

describe("voters", () => {
  test("are described by the leader, whoever is asked", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    for (const node of cluster.nodes) {
      const partition = await quorumOf(cluster, node);
      expect(partition.leaderId).toBe(leader.id);
      expect(partition.currentVoters.map(({ replicaId }) => replicaId)).toEqual([1, 2, 3]);
      expect(partition.currentVoters.some((one) => one.replicaDirectoryId === ZERO_UUID))
        .toBeFalse();
      expect(partition.observers).toEqual([]);
    }
    cluster.haltAll();
  });

  test("one is removed, and the others go on", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    const removed = cluster.nodes.find((node) => node !== leader) as TestNode;
    const { currentVoters } = await quorumOf(cluster, leader);
    const key = currentVoters.find(({ replicaId }) => replicaId === removed.id);
    const { errorCode } = await cluster.ask(removed, removeRaftVoter, 0, {
      clusterId: CLUSTER_ID,
      voterId: removed.id,
      voterDirectoryId: key?.replicaDirectoryId as Uuid,
    });
    expect(errorCode).toBe(ErrorCode.None);
    expect(votersAt(leader)).not.toContain(removed.id);
    removed.halt();
    expect(await cluster.createTopic(leader, "t")).toBe(ErrorCode.None);
    cluster.haltAll();
  });

  test("the leader is removed, and another one leads", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    const { currentVoters } = await quorumOf(cluster, leader);
    const key = currentVoters.find(({ replicaId }) => replicaId === leader.id);
    await cluster.ask(leader, removeRaftVoter, 0, {
      clusterId: CLUSTER_ID,
      voterId: leader.id,
      voterDirectoryId: key?.replicaDirectoryId as Uuid,
    });
    await cluster.untilTrue(() => {
      const next = cluster.leader();
      return next !== undefined && next !== leader;
    }, "another leader");
    const other = cluster.leader() as TestNode;
    expect(votersAt(other)).not.toContain(leader.id);
    expect(await cluster.createTopic(other, "t")).toBe(ErrorCode.None);
    cluster.haltAll();
  });

  test("changes that make no sense are refused", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    const body = { voterId: 9, voterDirectoryId: ZERO_UUID, listeners: [], timeoutMs: 1000 };
    const wrong = await cluster.ask(leader, addRaftVoter, 0, { ...body, clusterId: "another" });
    expect(wrong.errorCode).toBe(ErrorCode.InconsistentClusterId);
    const without = await cluster.ask(leader, addRaftVoter, 0, { ...body, clusterId: null });
    expect(without.errorCode).toBe(ErrorCode.InvalidRequest);
    const unknown = await cluster.ask(leader, removeRaftVoter, 0, {
      clusterId: null,
      voterId: 9,
      voterDirectoryId: OTHER_DIRECTORY,
    });
    expect(unknown.errorCode).toBe(ErrorCode.VoterNotFound);
    expect(await addVoter(cluster, leader, cluster.node(1))).toBe(ErrorCode.DuplicateVoter);
    cluster.haltAll();
  });

  test("one that votes already is not moved elsewhere by being added again", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    const { currentVoters } = await quorumOf(cluster, leader);
    const before = leader.broker.raft?.status().configuration.voters;
    for (const { replicaId, replicaDirectoryId } of currentVoters) {
      for (const voterDirectoryId of [ZERO_UUID, replicaDirectoryId, OTHER_DIRECTORY]) {
        const { errorCode, errorMessage } = await cluster.ask(leader, addRaftVoter, 0, {
          clusterId: CLUSTER_ID,
          timeoutMs: 10_000,
          voterId: replicaId,
          voterDirectoryId,
          listeners: [{ name: "PLAINTEXT", host: "elsewhere", port: 1 }],
        });
        expect([errorCode, errorMessage]).toEqual([
          ErrorCode.DuplicateVoter,
          `Node ${replicaId} is part of the set of voters [1, 2, 3] already: one that has lost its ` +
          "disk is removed first.",
        ]);
      }
    }
    expect(leader.broker.raft?.status().configuration.voters).toEqual(before);
    cluster.haltAll();
  });

  test("one that comes back with an empty directory may not vote", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    await cluster.createTopic(leader, "t");
    await cluster.clock.advance(1000);
    const [lost, healthy] = cluster.nodes.filter((node) => node !== leader) as [TestNode, TestNode];
    lost.halt();
    await cluster.clock.advance(1000);
    const restarted = lost.restart({ isEmpty: true });
    await cluster.clock.advance(3000);
    // Without the leader only one of the two that are left may vote: nobody is elected.
    leader.halt();
    await cluster.clock.advance(20_000);
    expect(cluster.leader()).toBeUndefined();
    expect(lost.broker.isActiveController).toBeFalse();
    expect(healthy.broker.isActiveController).toBeFalse();
    // The leader's disk is what was missing.
    void leader.restart();
    await cluster.untilTrue(() => cluster.leader() !== undefined, "a leader");
    expect(cluster.leader()).not.toBe(lost);
    cluster.haltAll();
    await restarted.catch(() => undefined);
  });
});

describe("roles", () => {
  test("a broker alone follows, forwards and serves; its loss costs the quorum nothing", async () => {
    const cluster = await TestCluster.start({ voters: [1] });
    const follower = cluster.prepare(4, { "process.roles": "broker" });
    await cluster.until(follower.start());
    expect(await cluster.createTopic(follower, "t", 4)).toBe(ErrorCode.None);
    const led = follower.broker.metadata?.image.topic("t")?.partitions ?? [];
    expect(new Set(led.map(({ leader }) => leader))).toEqual(new Set([1, 4]));
    expect(follower.disk.info("/data/__cluster_metadata-0")).toBeUndefined();
    // One that it leads takes records, one that it does not lead is refused.
    const connection = await follower.dial();
    for (const { partitionId, leader } of led) {
      const { errorCode } = await produceAt(connection, "t", partitionId);
      expect(errorCode).toBe(leader === 4 ? ErrorCode.None : ErrorCode.NotLeaderOrFollower);
    }
    follower.halt();
    expect(await cluster.createTopic(cluster.node(1), "u")).toBe(ErrorCode.None);
    await cluster.until(follower.restart());
    expect(follower.broker.metadata?.image.topic("u")?.name).toBe("u");
    cluster.haltAll();
  });

  test("controllers alone have no partitions, and answer only what is theirs", async () => {
    const cluster = await TestCluster.start({
      voters: [1, 2, 3],
      settings: { "process.roles": "controller" },
    });
    const leader = await cluster.untilLeader();
    const broker = cluster.prepare(4, { "process.roles": "broker" });
    await cluster.until(broker.start());
    expect(await cluster.createTopic(broker, "t", 2)).toBe(ErrorCode.None);
    const partitions = broker.broker.metadata?.image.topic("t")?.partitions ?? [];
    expect(partitions.map(({ leader }) => leader)).toEqual([4, 4]);
    expect(leader.disk.info("/data/t-0")).toBeUndefined();
    expect((await quorumOf(cluster, leader)).leaderId).toBe(leader.id);
    await expect(cluster.createTopic(leader, "u")).rejects.toThrow();
    leader.halt();
    expect(await cluster.createTopic(broker, "v")).toBe(ErrorCode.None);
    cluster.haltAll();
  });
});

async function produceAt(
  connection: Awaited<ReturnType<TestNode["dial"]>>,
  topic: string,
  partitionId: number,
): Promise<{ readonly errorCode: number }> {
  const { responses } = await connection.ask(produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{
      name: topic,
      partitionData: [{ index: partitionId, records: batchOf(["x"]) }],
    }],
  });
  return responses[0]?.partitionResponses[0] ?? { errorCode: -1 };
}
