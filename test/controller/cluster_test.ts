import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { metadata } from "../../src/api/metadata.ts";
import type { ResponseOf } from "../../src/api/schema.ts";
import { TestCluster, type TestNode } from "./cluster_fixture.ts";

async function metadataOf(
  cluster: TestCluster,
  node: TestNode,
  topic: string,
): Promise<ResponseOf<typeof metadata>> {
  return await cluster.ask(node, metadata, 12, {
    topics: [{ name: topic }],
    allowAutoTopicCreation: false,
  });
}

function isFenced(observer: TestNode, id: number): boolean | undefined {
  return observer.broker.metadata?.image.broker(id)?.isFenced;
}

describe("three nodes", () => {
  test("elect one leader, and serve", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    expect(cluster.nodes.map(({ broker }) => broker.state)).toEqual([
      "serving",
      "serving",
      "serving",
    ]);
    expect(leader.broker.raft?.status().configuration.voters.map(({ id }) => id)).toEqual([
      1,
      2,
      3,
    ]);
    cluster.haltAll();
  });

  test("create topics through any of them, and all know of them", async () => {
    const cluster = await TestCluster.start();
    await cluster.untilLeader();
    for (const node of cluster.nodes) {
      expect(await cluster.createTopic(node, `by-${node.id}`, 3)).toBe(ErrorCode.None);
      // Whoever was asked knows it at once.
      expect(node.broker.metadata?.image.topic(`by-${node.id}`)?.partitions.length).toBe(3);
    }
    expect(await cluster.createTopic(cluster.node(2), "by-1")).toBe(ErrorCode.TopicAlreadyExists);
    await cluster.clock.advance(500);
    for (const node of cluster.nodes) {
      for (const name of ["by-1", "by-2", "by-3"]) {
        const { topics, brokers } = await metadataOf(cluster, node, name);
        expect(brokers.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3]);
        const partitions = topics[0]?.partitions ?? [];
        expect(partitions.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0]);
        expect(partitions.map(({ leaderId }) => leaderId).sort()).toEqual([1, 2, 3]);
      }
    }
    cluster.haltAll();
  });

  test("go on when the leader is gone", async () => {
    const cluster = await TestCluster.start();
    const first = await cluster.untilLeader();
    await cluster.createTopic(first, "before");
    const other = cluster.nodes.find((node) => node !== first) as TestNode;
    first.halt();
    expect(await cluster.createTopic(other, "after")).toBe(ErrorCode.None);
    expect(other.broker.metadata?.image.topic("before")?.name).toBe("before");
    expect(await cluster.untilLeader()).not.toBe(first);
    await cluster.until(first.restart());
    expect(first.broker.metadata?.image.topic("after")?.name).toBe("after");
    cluster.haltAll();
  });

  test("a broker that is silent is fenced, and unfenced when it is back", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    const silent = cluster.nodes.find((node) => node !== leader) as TestNode;
    await cluster.createTopic(leader, "t", 6);
    silent.network.cut();
    await cluster.untilTrue(() => isFenced(leader, silent.id) === true, "the fencing");
    const { brokers, topics } = await metadataOf(cluster, leader, "t");
    expect(brokers.map(({ nodeId }) => nodeId)).not.toContain(silent.id);
    for (const { leaderId, errorCode, replicaNodes } of topics[0]?.partitions ?? []) {
      const isItsOnly = replicaNodes[0] === silent.id;
      expect(leaderId).toBe(isItsOnly ? -1 : replicaNodes[0] as number);
      expect(errorCode).toBe(isItsOnly ? ErrorCode.LeaderNotAvailable : ErrorCode.None);
    }
    silent.network.heal();
    await cluster.untilTrue(() => isFenced(leader, silent.id) === false, "the unfencing");
    await cluster.untilTrue(() => isFenced(silent, silent.id) === false, "its own knowledge");
    cluster.haltAll();
  });

  test("a broker that was killed comes back at once, as another incarnation", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    const killed = cluster.nodes.find((node) => node !== leader) as TestNode;
    const before = leader.broker.metadata?.image.broker(killed.id)?.brokerEpoch ?? -1;
    killed.halt();
    const startMs = cluster.clock.monotonicMs();
    await cluster.until(killed.restart());
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(2000);
    const after = leader.broker.metadata?.image.broker(killed.id)?.brokerEpoch ?? -1;
    expect(after).toBeGreaterThan(before);
    cluster.haltAll();
  });

  test("a graceful stop hands over, and nobody waits for a session to be over", async () => {
    const cluster = await TestCluster.start();
    const leader = await cluster.untilLeader();
    const startMs = cluster.clock.monotonicMs();
    await cluster.until(leader.broker.stop());
    leader.network.end();
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(2000);
    expect(leader.ending?.kind).toBe("graceful");
    const next = await cluster.untilLeader();
    expect(isFenced(next, leader.id)).toBeTrue();
    expect(await cluster.createTopic(next, "t")).toBe(ErrorCode.None);
    cluster.haltAll();
  });
});
