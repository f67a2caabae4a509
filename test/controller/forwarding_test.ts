import { describe, expect, test } from "bun:test";
import { alterConfigs } from "../../src/api/alter_configs.ts";
import { createPartitions } from "../../src/api/create_partitions.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { describeCluster } from "../../src/api/describe_cluster.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { forward } from "../../src/api/own/forward.ts";
import { initProducerId } from "../../src/api/init_producer_id.ts";
import { metadata } from "../../src/api/metadata.ts";
import { updateFeatures } from "../../src/api/update_features.ts";
import { ownRequestParts } from "../../src/wire/own_message.ts";
import { TestCluster, type TestNode } from "./cluster_fixture.ts";

async function followerOf(cluster: TestCluster): Promise<TestNode> {
  const leader = await cluster.untilLeader();
  return cluster.nodes.find((node) => node !== leader) as TestNode;
}

describe("a node that does not decide", () => {
  test("has topics altered, grown and deleted, and knows of it when it answers", async () => {
    const cluster = await TestCluster.start();
    const node = await followerOf(cluster);
    const image = node.broker.metadata?.image;
    await cluster.createTopic(node, "t");
    const altered = await cluster.ask(node, alterConfigs, 2, {
      resources: [{
        resourceType: 2,
        resourceName: "t",
        configs: [{ name: "retention.ms", value: "1000" }],
      }],
      validateOnly: false,
    });
    expect(altered.responses[0]?.errorCode).toBe(ErrorCode.None);
    expect(image?.topic("t")?.config.get("retention.ms")).toBe("1000");
    const grown = await cluster.ask(node, createPartitions, 3, {
      topics: [{ name: "t", count: 5, assignments: null }],
      timeoutMs: 1000,
      validateOnly: false,
    });
    expect(grown.results.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.None]);
    expect(image?.topic("t")?.partitions.length).toBe(5);
    const deleted = await cluster.ask(node, deleteTopics, 5, {
      topicNames: ["t", "nothing"],
      timeoutMs: 1000,
    });
    expect(deleted.responses.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.None,
      ErrorCode.UnknownTopicOrPartition,
    ]);
    expect(image?.topic("t")).toBeUndefined();
    cluster.haltAll();
  });

  test("creates a topic that a client only names", async () => {
    const cluster = await TestCluster.start();
    const node = await followerOf(cluster);
    const { topics } = await cluster.ask(node, metadata, 12, {
      topics: [{ name: "named" }],
      allowAutoTopicCreation: true,
    });
    expect(topics[0]?.errorCode).toBe(ErrorCode.None);
    expect(topics[0]?.partitions).toHaveLength(1);
    cluster.haltAll();
  });

  test("gives out producer ids that nobody else does", async () => {
    const cluster = await TestCluster.start();
    await cluster.untilLeader();
    const given = new Set<number>();
    for (const node of [...cluster.nodes, ...cluster.nodes]) {
      const answer = await cluster.ask(node, initProducerId, 4, {
        transactionalId: null,
        transactionTimeoutMs: 1000,
        producerId: -1,
        producerEpoch: -1,
      });
      expect(answer.errorCode).toBe(ErrorCode.None);
      given.add(answer.producerId);
    }
    expect(given.size).toBe(6);
    cluster.haltAll();
  });

  test("says so where nobody decides, and goes on", async () => {
    const cluster = await TestCluster.start();
    const node = await followerOf(cluster);
    for (const other of cluster.nodes) if (other !== node) other.halt();
    expect(await cluster.createTopic(node, "t")).toBe(ErrorCode.NotController);
    const { topics } = await cluster.ask(node, metadata, 12, {
      topics: [{ name: "u" }],
      allowAutoTopicCreation: true,
    });
    expect(topics[0]?.errorCode).toBe(ErrorCode.UnknownTopicOrPartition);
    cluster.haltAll();
  });

  test("tells who decides, and which brokers are fenced where that is asked", async () => {
    const cluster = await TestCluster.start();
    const node = await followerOf(cluster);
    const leader = await cluster.untilLeader();
    const gone = cluster.nodes.find((one) => one !== node && one !== leader) as TestNode;
    await cluster.until(gone.broker.stop());
    const body = { includeClusterAuthorizedOperations: false, endpointType: 1 };
    const alive = await cluster.ask(node, describeCluster, 2, body);
    expect(alive.controllerId).toBe(leader.id);
    expect(alive.brokers.map(({ brokerId }) => brokerId)).not.toContain(gone.id);
    const all = await cluster.ask(node, describeCluster, 2, {
      ...body,
      includeFencedBrokers: true,
    });
    expect(all.brokers.map(({ isFenced }) => isFenced).filter(Boolean)).toHaveLength(1);
    expect(all.brokers).toHaveLength(3);
    cluster.haltAll();
  });

  test("has features updated, which all of the cluster must know", async () => {
    const cluster = await TestCluster.start();
    const node = await followerOf(cluster);
    const update = async (maxVersionLevel: number): Promise<number> => {
      const { errorCode } = await cluster.ask(node, updateFeatures, 1, {
        timeoutMs: 1000,
        featureUpdates: [{ feature: "metadata.version", maxVersionLevel, upgradeType: 1 }],
        validateOnly: false,
      });
      return errorCode;
    };
    expect(await update(3)).toBe(ErrorCode.None);
    expect(await update(99)).toBe(ErrorCode.InvalidUpdateVersion);
    cluster.haltAll();
  });
});

describe("mq's own requests", () => {
  test("are refused on a connection that did not say Hello", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    const connection = await leader.dial();
    for (const part of ownRequestParts(forward, 1, { frame: new Uint8Array(9), clientId: null })) {
      await connection.sendBytes(part);
    }
    await cluster.clock.advance(10);
    expect(connection.isClosed).toBeTrue();
    expect(leader.events.some((event) => event.includes("not-a-peer"))).toBeTrue();
    cluster.haltAll();
  });

  test("are refused on a listener of clients, where controllers have their own", async () => {
    const settings = {
      "controller.listener.names": "CONTROLLER",
      "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
      "listeners": "PLAINTEXT://127.0.0.1:9093,CONTROLLER://127.0.0.1:9193",
      "controller.quorum.voters": "1@127.0.0.1:9193,2@127.0.0.1:9194",
    };
    const cluster = await TestCluster.start({ voters: [], settings });
    const first = cluster.prepare(1);
    const second = cluster.prepare(2, {
      "listeners": "PLAINTEXT://127.0.0.1:9094,CONTROLLER://127.0.0.1:9194",
    });
    await cluster.until(Promise.all([first.start(), second.start()]));
    expect(await cluster.createTopic(second, "t")).toBe(ErrorCode.None);
    const connection = await first.dial();
    for (const part of ownRequestParts(forward, 1, { frame: new Uint8Array(9), clientId: null })) {
      await connection.sendBytes(part);
    }
    await cluster.clock.advance(10);
    expect(connection.isClosed).toBeTrue();
    cluster.haltAll();
  });
});
