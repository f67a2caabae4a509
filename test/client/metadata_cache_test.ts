import { describe, expect, test } from "bun:test";
import { metadata } from "../../src/api/metadata.ts";
import { answering, type FakeBroker } from "./fake_broker.ts";
import { codeOf, startHarness } from "./harness.ts";

describe("MetadataCache", () => {
  test("topic() asks once for all who wait, and then knows", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    harness.cluster.createTopic("a", 2);
    const client = await harness.connect();
    const [first, second] = await harness.clock.until(
      Promise.all([client.metadata.topic("a"), client.metadata.topic("a")]),
    );
    expect(first).toBe(second);
    expect(first.partitions.map(({ partition }) => partition)).toEqual([0, 1]);
    await harness.clock.until(client.metadata.topic("a"));
    expect(broker.requestsOf(metadata)).toHaveLength(1);
    expect(client.metadata.known("a")).toBe(first);
    expect(client.metadata.leaderOf("a", 1)).toBe(1);
    expect(client.metadata.leaderOf("a", 2)).toBe(-1);
    expect(client.metadata.leaderOf("b", 0)).toBe(-1);
  });

  test("topic() does not believe at once that a topic is unknown, and then it does", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    const client = await harness.connect();
    const before = harness.clock.monotonicMs();
    const code = codeOf(client.metadata.topic("a"));
    expect(await harness.clock.until(code)).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(harness.clock.monotonicMs() - before).toBeGreaterThan(100);
    expect(harness.clock.monotonicMs() - before).toBeLessThan(500);
    expect(broker.requestsOf(metadata).every(({ body }) => !body.allowAutoTopicCreation))
      .toBeTrue();
  });

  test("topic() waits for a topic that is being created, and for its leader", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    harness.cluster.autoCreate = true;
    const client = await harness.connect();
    broker.script(
      metadata,
      answering(metadata, {
        brokers: [],
        topics: [{ errorCode: 5, name: "a", partitions: [] }],
      }),
    );
    const topic = await harness.clock.until(client.metadata.topic("a", { mayCreate: true }));
    expect(topic.partitions).toHaveLength(1);
    // LEADER_NOT_AVAILABLE, then UNKNOWN_TOPIC_OR_PARTITION and the creation, then the topic.
    expect(broker.requestsOf(metadata)).toHaveLength(3);
  });

  test("topic() gives up a leader that does not come when the time is up", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    const client = await harness.connect();
    const nobody = answering(metadata, {
      brokers: [],
      topics: [{ errorCode: 5, name: "a", partitions: [] }],
    });
    broker.script(metadata, ...Array.from({ length: 50 }, () => nobody));
    const code = codeOf(client.metadata.topic("a", { timeoutMs: 2000 }));
    expect(await harness.clock.until(code)).toBe("LEADER_NOT_AVAILABLE");
  });

  test("learnLeader() takes over what is newer, and a refresh never goes back", async () => {
    const harness = await startHarness(2);
    const topic = harness.cluster.createTopic("a");
    const client = await harness.connect();
    await harness.clock.until(client.metadata.topic("a"));
    expect(client.metadata.learnLeader("a", 0, 2, 0)).toBeFalse(); // not newer
    expect(client.metadata.learnLeader("a", 0, 9, 1)).toBeFalse(); // who is that
    expect(client.metadata.learnLeader("a", 0, 2, 1)).toBeTrue();
    expect(client.metadata.leaderOf("a", 0)).toBe(2);
    await harness.clock.until(client.metadata.refresh("a")); // still says: broker 1 in epoch 0
    expect(client.metadata.leaderOf("a", 0)).toBe(2);
    harness.cluster.topics.delete("a");
    harness.cluster.createTopic("a"); // another topic of that name begins at epoch 0
    await harness.clock.until(client.metadata.refresh("a"));
    expect(client.metadata.leaderOf("a", 0)).toBe(1);
    expect(client.metadata.known("a")?.topicId).not.toBe(topic.topicId);
  });

  test("leaderOf() looks again in the background when it is five minutes old", async () => {
    const harness = await startHarness(2);
    const topic = harness.cluster.createTopic("a");
    const client = await harness.connect();
    await harness.clock.until(client.metadata.topic("a"));
    const [partition] = topic.partitions;
    if (partition !== undefined) partition.leaderId = 2;
    await harness.clock.advance(5 * 60_000 - 10);
    expect(client.metadata.leaderOf("a", 0)).toBe(1);
    await harness.clock.advance(20);
    expect(client.metadata.leaderOf("a", 0)).toBe(1);
    await harness.clock.settle();
    expect(client.metadata.leaderOf("a", 0)).toBe(2);
  });

  test("the client survives the broker it began with", async () => {
    const harness = await startHarness(2);
    const [first] = harness.brokers as [FakeBroker];
    harness.cluster.createTopic("a", 2);
    harness.cluster.createTopic("b", 2);
    const client = await harness.connect();
    await harness.clock.until(client.metadata.topic("a"));
    await first.stop();
    const topic = await harness.clock.until(client.metadata.topic("b"));
    expect(topic.partitions).toHaveLength(2);
  });

  test("connect() says at once that nobody is there", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    await broker.stop();
    expect(await codeOf(harness.connect())).toBe("UNREACHABLE");
    expect(await codeOf(harness.connect({ brokers: [] }))).toBe("UNREACHABLE");
  });

  test("connect() stops with its signal", async () => {
    const harness = await startHarness();
    expect(await codeOf(harness.connect({ signal: AbortSignal.abort() }))).toBe("ABORTED");
  });
});
