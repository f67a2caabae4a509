import { describe, expect, test } from "bun:test";
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { describeCluster } from "../../src/api/describe_cluster.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { incrementalAlterConfigs } from "../../src/api/incremental_alter_configs.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import { metadata } from "../../src/api/metadata.ts";
import type { Client } from "../../src/client/client.ts";
import { type OffsetRange, resolveOffsets } from "../../src/client/offset_range.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { answering, type FakeBroker } from "./fake_broker.ts";
import type { FakePartition } from "./fake_cluster.ts";
import { codeOf, type Harness, startHarness } from "./harness.ts";

interface Setup extends Harness {
  readonly broker: FakeBroker;
  readonly client: Client;
}

async function setUp(brokerCount = 1): Promise<Setup> {
  const harness = await startHarness(brokerCount);
  const client = await harness.connect({ requestTimeoutMs: 5000 });
  return { ...harness, client, broker: harness.brokers[0] as FakeBroker };
}

function fill(partition: FakePartition, timestamp: number, count = 1): void {
  const builder = new BatchBuilder({ bytesMax: 1000, compressionType: "none" });
  for (let index = 0; index < count; index++) {
    builder.append({ key: null, value: bytesOf("x"), timestamp });
  }
  const tools = { crc32c: crc32cTables, compress: (_: string, bytes: Uint8Array) => bytes };
  partition.append(builder.finish({}, tools));
}

describe("Admin", () => {
  test("createTopics() answers topic by topic", async () => {
    const { client, clock, cluster, broker } = await setUp();
    cluster.createTopic("old");
    const topics = [
      { name: "new", partitions: 3, configs: { "retention.ms": "5" } },
      { name: "old" },
      { name: "plain" },
    ];
    const results = await clock.until(client.admin.createTopics(topics));
    expect(results.map(({ name, error, partitions }) => [name, error?.code, partitions])).toEqual([
      ["new", undefined, 3],
      ["old", "TOPIC_ALREADY_EXISTS", -1],
      ["plain", undefined, 1],
    ]);
    expect(results[1]?.error?.message).toBe("Cannot create topic old: It is there");
    expect(results[0]?.topicId).toBe(cluster.topics.get("new")?.topicId);
    const asked = broker.requestsOf(createTopics)[0]?.body.topics;
    expect(asked?.[0]?.configs).toEqual([{ name: "retention.ms", value: "5" }]);
    expect(asked?.[2]?.numPartitions).toBe(-1);
  });

  test("createTopics() with validateOnly creates nothing", async () => {
    const { client, clock, cluster } = await setUp();
    await clock.until(client.admin.createTopics([{ name: "a" }], { validateOnly: true }));
    expect(cluster.topics.size).toBe(0);
  });

  test("an order goes to the controller, and again where that has moved", async () => {
    const { client, clock, brokers, broker } = await setUp(2);
    broker.script(
      createTopics,
      answering(createTopics, {
        topics: [{ name: "a", errorCode: ErrorCode.NotController, errorMessage: null }],
      }),
    );
    broker.script(
      metadata,
      answering(metadata, {
        brokers: brokers.map(({ nodeId, address }) => ({ nodeId, ...address })),
        controllerId: 1,
        topics: [],
      }),
      answering(metadata, {
        brokers: brokers.map(({ nodeId, address }) => ({ nodeId, ...address })),
        controllerId: 2,
        topics: [],
      }),
    );
    const [result] = await clock.until(client.admin.createTopics([{ name: "a" }]));
    expect(result?.error).toBeUndefined();
    expect(brokers[1]?.requestsOf(createTopics)).toHaveLength(1);
  });

  test("an order whose answer is lost is not given twice", async () => {
    const { client, clock, broker } = await setUp();
    broker.script(createTopics, { kind: "close", isServed: true });
    const created = codeOf(client.admin.createTopics([{ name: "a" }]));
    expect(await clock.until(created)).toBe("UNREACHABLE");
    expect(broker.requestsOf(createTopics)).toHaveLength(1);
  });

  test("deleteTopics() answers topic by topic, in old and new versions", async () => {
    const { client, clock, cluster, broker } = await setUp();
    cluster.createTopic("a");
    const results = await clock.until(client.admin.deleteTopics(["a", "b"]));
    expect(results.map(({ error }) => error?.code))
      .toEqual([undefined, "UNKNOWN_TOPIC_OR_PARTITION"]);
    const old = await startHarness();
    old.brokers[0]?.versions.set(deleteTopics.key, [1, 4]);
    old.cluster.createTopic("a");
    const oldClient = await old.connect();
    const [result] = await old.clock.until(oldClient.admin.deleteTopics(["a"]));
    expect(result?.error).toBeUndefined();
    expect(old.cluster.topics.size).toBe(0);
    expect(broker.requestsOf(deleteTopics)[0]?.version).toBe(6);
  });

  test("listTopics() and describeTopics() never create a topic", async () => {
    const { client, clock, cluster, broker } = await setUp();
    cluster.autoCreate = true;
    cluster.createTopic("b", 2);
    cluster.createTopic("a");
    const topics = await clock.until(client.admin.listTopics());
    expect(topics.map(({ name, partitions }) => [name, partitions.length]))
      .toEqual([["a", 1], ["b", 2]]);
    const described = await clock.until(client.admin.describeTopics(["nope", "a"]));
    expect(described.map(({ topic, error }) => topic?.name ?? error?.code))
      .toEqual(["UNKNOWN_TOPIC_OR_PARTITION", "a"]);
    expect(cluster.topics.has("nope")).toBeFalse();
    expect(broker.requestsOf(metadata).some(({ body }) => body.allowAutoTopicCreation))
      .toBeFalse();
  });

  test("a question whose answer is lost is asked again", async () => {
    const { client, clock, cluster, broker } = await setUp();
    cluster.createTopic("a");
    broker.script(metadata, { kind: "close", isServed: false });
    expect(await clock.until(client.admin.listTopics())).toHaveLength(1);
  });

  test("describeConfigs() tells settings and where they come from", async () => {
    const { client, clock, cluster } = await setUp();
    cluster.createTopic("a");
    const [topic, missing] = await clock.until(
      client.admin.describeConfigs(["a", "b"], { isDetailed: true }),
    );
    expect(topic?.configs.map(({ name, value, source }) => [name, value, source])).toEqual([
      ["cleanup.policy", "delete", "DEFAULT_CONFIG"],
      ["retention.ms", "1000", "DYNAMIC_TOPIC_CONFIG"],
    ]);
    expect(missing?.error?.code).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    const { type, documentation, synonyms } = topic?.configs[1] ?? {};
    expect([type, documentation]).toEqual(["long", "What it does."]);
    expect(synonyms)
      .toEqual([{ name: "retention.ms", value: "1000", source: "DYNAMIC_TOPIC_CONFIG" }]);
    const broker = await clock.until(client.admin.describeBrokerConfigs(1));
    expect(broker.name).toBe("1");
  });

  test("alterTopicConfigs() changes single settings, and answers topic by topic", async () => {
    const { client, clock, cluster, broker } = await setUp();
    cluster.createTopic("a");
    const changes = [
      { name: "retention.ms", operation: "set", value: "5" },
      { name: "flush.ms", operation: "delete" },
      { name: "cleanup.policy", operation: "append", value: "compact" },
      { name: "cleanup.policy", operation: "subtract", value: "delete" },
    ] as const;
    const topics = [{ name: "b", changes }, { name: "a", changes }];
    const results = await clock.until(
      client.admin.alterTopicConfigs(topics, { validateOnly: true }),
    );
    expect(results.map(({ name, error }) => [name, error?.code]))
      .toEqual([["b", "UNKNOWN_TOPIC_OR_PARTITION"], ["a", undefined]]);
    const asked = broker.requestsOf(incrementalAlterConfigs)[0]?.body;
    expect(asked?.validateOnly).toBeTrue();
    expect(asked?.resources[1]?.configs).toEqual([
      { name: "retention.ms", configOperation: 0, value: "5" },
      { name: "flush.ms", configOperation: 1, value: null },
      { name: "cleanup.policy", configOperation: 2, value: "compact" },
      { name: "cleanup.policy", configOperation: 3, value: "delete" },
    ]);
  });

  test("alterBrokerConfigs() asks that broker, and gives its answer", async () => {
    const { client, clock, brokers } = await setUp(2);
    const changes = [{ name: "log.cleaner.threads", operation: "set", value: "2" }] as const;
    const { name, error } = await clock.until(client.admin.alterBrokerConfigs(2, changes));
    expect([name, error?.code]).toEqual(["2", "INVALID_REQUEST"]);
    expect(brokers[0]?.requestsOf(incrementalAlterConfigs)).toEqual([]);
    const asked = brokers[1]?.requestsOf(incrementalAlterConfigs)[0]?.body;
    expect([asked?.resources[0]?.resourceType, asked?.resources[0]?.resourceName])
      .toEqual([4, "2"]);
  });

  test("alterTopicConfigs() never replaces a whole set for a broker that knows no better", async () => {
    const old = await startHarness();
    old.brokers[0]?.versions.set(incrementalAlterConfigs.key, [9, 9]);
    old.cluster.createTopic("a");
    const client = await old.connect();
    const changes = [{ name: "flush.ms", operation: "delete" }] as const;
    const altered = codeOf(client.admin.alterTopicConfigs([{ name: "a", changes }]));
    expect(await old.clock.until(altered)).toBe("UNSUPPORTED_VERSION");
  });

  test("describeCluster() falls back to Metadata", async () => {
    const { client, clock } = await setUp(2);
    const cluster = await clock.until(client.admin.describeCluster());
    expect(cluster.brokers.map(({ brokerId }) => brokerId)).toEqual([1, 2]);
    const old = await startHarness();
    old.brokers[0]?.versions.set(describeCluster.key, [9, 9]);
    const oldClient = await old.connect();
    expect((await old.clock.until(oldClient.admin.describeCluster())).brokers).toHaveLength(1);
  });

  test("listOffsets() asks every leader, and again where leadership has moved", async () => {
    const { client, clock, cluster, brokers } = await setUp(2);
    cluster.createTopic("a", 3);
    fill(cluster.partition("a", 1), 5, 4);
    await clock.until(client.metadata.topic("a"));
    cluster.partition("a", 2).leaderId = 2;
    cluster.partition("a", 2).leaderEpoch = 1;
    const offsets = await clock.until(client.admin.listOffsets("a", "end"));
    expect(offsets.map(({ partition, offset }) => [partition, offset]))
      .toEqual([[0, 0], [1, 4], [2, 0]]);
    expect(brokers[1]?.requestsOf(listOffsets)).toHaveLength(2);
  });

  test("listOffsets() reports a partition that is not there, and the others", async () => {
    const { client, clock, cluster } = await setUp();
    cluster.createTopic("a");
    const offsets = await clock.until(
      client.admin.listOffsets("a", "start", { partitions: [0, 7] }),
    );
    expect(offsets.map(({ partition, error }) => [partition, error?.code]))
      .toEqual([[0, undefined], [7, "UNKNOWN_TOPIC_OR_PARTITION"]]);
  });
});

describe("resolveOffsets()", () => {
  async function resolve(range: OffsetRange): Promise<[number, number | undefined][]> {
    const { client, clock, cluster } = await setUp();
    cluster.createTopic("a", 2);
    for (const timestamp of [100, 200, 300]) fill(cluster.partition("a", 0), timestamp, 10);
    fill(cluster.partition("a", 1), 200, 3);
    cluster.partition("a", 0).logStartOffset = 4;
    const assignments = await clock.until(resolveOffsets(client, "a", range));
    expect(assignments.map(({ topic, partition }) => [topic, partition]))
      .toEqual([["a", 0], ["a", 1]]);
    return assignments.map(({ from, until }) => [from, until]);
  }

  test("start, end and following", async () => {
    expect(await resolve({ from: { kind: "start" } })).toEqual([[4, undefined], [0, undefined]]);
    expect(await resolve({ from: { kind: "start" }, until: { kind: "end" } }))
      .toEqual([[4, 30], [0, 3]]);
    expect(await resolve({ from: { kind: "end" } })).toEqual([[30, undefined], [3, undefined]]);
  });

  test("offsets, where one before the start becomes the start", async () => {
    expect(
      await resolve({
        from: { kind: "offset", offset: 2 },
        until: { kind: "offset", offset: 9 },
      }),
    ).toEqual([[4, 9], [2, 9]]);
  });

  test("counts from the start and from the end", async () => {
    expect(await resolve({ from: { kind: "from-start", count: 2 } }))
      .toEqual([[6, undefined], [2, undefined]]);
    expect(await resolve({ from: { kind: "from-end", count: 5 }, until: { kind: "end" } }))
      .toEqual([[25, 30], [0, 3]]);
  });

  test("times, where one behind the last record is the end", async () => {
    expect(
      await resolve({
        from: { kind: "time", timestamp: 150 },
        until: { kind: "time", timestamp: 250 },
      }),
    ).toEqual([[10, 20], [0, 3]]);
  });

  test("throws where the topic or a partition is not there", async () => {
    const { client, clock, cluster } = await setUp();
    const range = { from: { kind: "start" } } as const;
    expect(await clock.until(codeOf(resolveOffsets(client, "nope", range))))
      .toBe("UNKNOWN_TOPIC_OR_PARTITION");
    cluster.createTopic("a");
    expect(await clock.until(codeOf(resolveOffsets(client, "a", range, { partitions: [1] }))))
      .toBe("UNKNOWN_TOPIC_OR_PARTITION");
  });
});
