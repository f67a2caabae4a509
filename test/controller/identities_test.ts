import { pageOf } from "../broker/broker_fixture.ts";
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { unregisterBroker } from "../../src/api/unregister_broker.ts";
import { CLUSTER_ID, TestCluster } from "./cluster_fixture.ts";

describe("identities", () => {
  test("a second node of the same id is refused, and the first goes on", async () => {
    const cluster = await TestCluster.start({ voters: [1] });
    const first = cluster.prepare(4, { "process.roles": "broker" });
    await cluster.until(first.start());
    const second = cluster.prepare(5, { "process.roles": "broker", "node.id": "4" });
    await expect(cluster.until(second.start())).rejects.toThrow("another node with this id");
    expect(first.broker.state).toBe("serving");
    expect(await cluster.createTopic(first, "t")).toBe(ErrorCode.None);
    cluster.haltAll();
  });

  test("an incarnation that was replaced ends itself", async () => {
    const cluster = await TestCluster.start({ voters: [1] });
    const first = cluster.prepare(4, { "process.roles": "broker" });
    await cluster.until(first.start());
    // A copy of its directory runs elsewhere: the cluster believes the one that came last.
    const copy = cluster.prepare(5, { "process.roles": "broker", "node.id": "4" });
    copy.disk = first.disk.kill();
    const started = copy.restart();
    await cluster.until(started);
    await cluster.untilTrue(() => first.ending !== undefined, "its end");
    expect(first.ending?.kind).toBe("failed");
    expect(copy.broker.state).toBe("serving");
    cluster.haltAll();
  });

  test("a node of another cluster is refused, and told so once", async () => {
    const cluster = await TestCluster.start({ voters: [1] });
    const stranger = cluster.prepare(4, { "process.roles": "broker", "mq.cluster.id": "another" });
    const started = stranger.start();
    started.catch(() => undefined);
    await cluster.clock.advance(5000);
    expect(stranger.broker.state).toBe("starting");
    expect(cluster.node(1).broker.metadata?.image.broker(4)).toBeUndefined();
    const told = cluster.node(1).events.filter((event) => event.includes("other-cluster"));
    expect(told).toHaveLength(1);
    const { body } = pageOf({ broker: cluster.node(1).broker }, "/metrics");
    expect(body).toMatch(/mq_peer_refusals\{reason="other-cluster"\} [1-9]/);
    cluster.haltAll();
  });

  test("a node without a cluster id does not begin a cluster of its own", async () => {
    const cluster = await TestCluster.start({ voters: [1] });
    const node = cluster.prepare(4, { "process.roles": "broker", "mq.cluster.id": "" });
    await expect(cluster.until(node.start())).rejects.toThrow("belongs to no cluster yet");
    expect(node.disk.files.size).toBe(0);
    cluster.haltAll();
  });

  test("a directory of another cluster, or of another node, is not taken", async () => {
    const cluster = await TestCluster.start({ voters: [1] });
    const node = cluster.prepare(4, { "process.roles": "broker" });
    await cluster.until(node.start());
    await node.stop();
    const other = node.restart({ settings: { "cluster.id": "another" } });
    await expect(cluster.until(other)).rejects.toThrow("another");
    const renamed = node.restart({ settings: { "cluster.id": CLUSTER_ID, "node.id": "6" } });
    await expect(cluster.until(renamed)).rejects.toThrow("node");
    cluster.haltAll();
  });

  test("a broker that is unregistered while it lives registers again", async () => {
    const cluster = await TestCluster.start({ voters: [1] });
    const node = cluster.prepare(4, { "process.roles": "broker" });
    await cluster.until(node.start());
    const image = cluster.node(1).broker.metadata?.image;
    const before = image?.broker(4)?.brokerEpoch ?? -1;
    const { errorCode } = await cluster.ask(cluster.node(1), unregisterBroker, 0, { brokerId: 4 });
    expect(errorCode).toBe(ErrorCode.None);
    await cluster.untilTrue(() => (image?.broker(4)?.brokerEpoch ?? -1) > before, "it again");
    await cluster.untilTrue(() => image?.broker(4)?.isFenced === false, "its unfencing");
    // So does the one that decides, which sends itself no heartbeats.
    await cluster.ask(cluster.node(1), unregisterBroker, 0, { brokerId: 1 });
    await cluster.untilTrue(() => image?.broker(1)?.isFenced === false, "the first one again");
    expect(await cluster.createTopic(node, "t", 2)).toBe(ErrorCode.None);
    cluster.haltAll();
  });
});
