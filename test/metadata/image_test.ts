import { describe, expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import { asMetadataRecord, type MetadataRecord } from "../../src/metadata/record.ts";
import { Cluster, registration, uuid } from "./cluster.ts";

const TOPIC_ID = uuid(1);

/** As a node alone wrote it before there were clusters, field by field. */
const LOG_FROM_BEFORE: readonly unknown[] = [
  {
    kind: "register-broker",
    version: 0,
    brokerId: 1,
    incarnationId: uuid(7),
    host: "127.0.0.1",
    port: 9092,
    rack: null,
  },
  { kind: "topic", version: 0, name: "orders", topicId: TOPIC_ID },
  {
    kind: "config",
    version: 0,
    resourceType: "topic",
    resourceName: "orders",
    name: "retention.ms",
    value: "1000",
  },
  {
    kind: "partition",
    version: 0,
    topicId: TOPIC_ID,
    partitionId: 0,
    replicas: [1],
    isr: [1],
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
  },
  { kind: "producer-ids", version: 0, brokerId: 1, nextProducerId: 1000 },
  {
    kind: "register-broker",
    version: 0,
    brokerId: 1,
    incarnationId: uuid(8),
    host: "127.0.0.1",
    port: 9092,
    rack: "a",
  },
];

function imageOf(...records: readonly MetadataRecord[]): ClusterImage {
  const image = new ClusterImage();
  for (const record of records) image.replay(image.nextOffset, record);
  return image;
}

describe("ClusterImage.replay()", () => {
  test("takes a log from before there were clusters", () => {
    const image = new ClusterImage();
    for (const [offset, value] of LOG_FROM_BEFORE.entries()) {
      const record = asMetadataRecord(value);
      if (typeof record === "string") throw new Error(record);
      image.replay(toOffset(offset), record);
    }
    expect(image.nextOffset).toBe(toOffset(6));
    expect(image.nextProducerId).toBe(1000);
    expect(image.metadataVersion()).toBe(1);
    expect(image.topic("orders")?.config.get("retention.ms")).toBe("1000");
    expect(image.partition(TOPIC_ID, 0)).toEqual({
      topicId: TOPIC_ID,
      partitionId: 0,
      replicas: [1],
      isr: [1],
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
      addingReplicas: [],
      removingReplicas: [],
    });
    expect(image.broker(1)?.brokerEpoch).toBe(5);
    expect(image.isActive(1)).toBe(true);
  });

  test("does nothing for records about a topic that was removed", () => {
    const config = { kind: "config", version: 0, resourceType: "topic" } as const;
    const image = imageOf(
      { kind: "topic", version: 0, name: "t", topicId: TOPIC_ID },
      { kind: "remove-topic", version: 0, topicId: TOPIC_ID },
      { ...config, resourceName: "t", name: "x", value: "1" },
      {
        kind: "partition-change",
        version: 0,
        topicId: TOPIC_ID,
        partitionId: 0,
        isr: [1],
        bumpsLeaderEpoch: true,
      },
    );
    expect([...image.topics()]).toEqual([]);
    expect(image.wasRemoved(TOPIC_ID)).toBe(true);
    expect(image.nextOffset).toBe(toOffset(4));
  });

  test("gives a topic of the same name another id", () => {
    const other = uuid(2);
    const image = imageOf(
      { kind: "topic", version: 0, name: "t", topicId: TOPIC_ID },
      { kind: "remove-topic", version: 0, topicId: TOPIC_ID },
      { kind: "topic", version: 0, name: "t", topicId: other },
    );
    expect(image.topicById(TOPIC_ID)).toBeUndefined();
    expect(image.topic("t")?.topicId).toBe(other);
    // A late removal of the first must not take the second with it.
    image.replay(image.nextOffset, { kind: "remove-topic", version: 0, topicId: TOPIC_ID });
    expect(image.topic("t")?.topicId).toBe(other);
    expect(image.collidingWith("t")).toBeUndefined();
  });

  test("changes brokers of the epoch that is meant, and no others", () => {
    const cluster = Cluster.of(1);
    const { image } = cluster;
    const brokerEpoch = cluster.epochOf(1);
    const fence = { kind: "broker-change", version: 0, brokerId: 1, isFenced: true } as const;
    image.replay(image.nextOffset, { ...fence, brokerEpoch: brokerEpoch - 1 });
    expect(image.isUnfenced(1)).toBe(true);
    const gone = { kind: "unregister-broker", version: 0, brokerId: 1 } as const;
    image.replay(image.nextOffset, { ...gone, brokerEpoch: brokerEpoch + 1 });
    expect(image.broker(1)).toBeDefined();
    image.replay(image.nextOffset, { ...fence, brokerEpoch });
    expect(image.isUnfenced(1)).toBe(false);
    image.replay(image.nextOffset, { ...gone, brokerEpoch });
    expect(image.brokers()).toEqual([]);
  });

  test("leaves what it handed out as it was", () => {
    const cluster = Cluster.of(2, 1);
    cluster.create("t", [1, 2]);
    const partition = cluster.partition("t");
    const brokers = cluster.image.brokers();
    expect(brokers.map(({ brokerId }) => brokerId)).toEqual([1, 2]);
    cluster.alterIsr("t", [1, 2]);
    cluster.fence(1);
    expect([partition.leader, partition.isr, partition.partitionEpoch]).toEqual([1, [1], 0]);
    expect(brokers.map(({ isFenced }) => isFenced)).toEqual([false, false]);
    expect(cluster.image.brokers().map(({ isFenced }) => isFenced)).toEqual([true, false]);
  });

  test("tells clients' address of the first listener", () => {
    const cluster = Cluster.of();
    const listeners = [
      { name: "CLIENTS", host: "outside", port: 19092 },
      { name: "PEERS", host: "inside", port: 19093 },
    ];
    cluster.register(1, { ...registration(1), listeners });
    const broker = cluster.image.broker(1);
    expect([broker?.host, broker?.port, broker?.listeners]).toEqual(["outside", 19092, listeners]);
  });

  test("has settings of brokers, each by itself and all together", () => {
    const config = { kind: "config", version: 1, resourceType: "broker" } as const;
    const image = imageOf(
      { ...config, resourceName: "1", name: "x", value: "1" },
      { ...config, resourceName: "", name: "x", value: "2" },
      { ...config, resourceName: "3", name: "x", value: null },
    );
    expect(image.brokerConfig("1").get("x")).toBe("1");
    expect(image.brokerConfig("").get("x")).toBe("2");
    expect(image.brokerConfig("7").size).toBe(0);
    image.replay(image.nextOffset, { ...config, resourceName: "1", name: "x", value: null });
    expect([...image.brokerConfigs()].map(([name]) => name)).toEqual([""]);
  });

  test("has settings of groups, apart from those of brokers of the same name", () => {
    const config = { kind: "config", version: 2, resourceType: "group" } as const;
    const image = imageOf({ ...config, resourceName: "1", name: "x", value: "1" });
    expect([image.groupConfig("1").get("x"), image.brokerConfig("1").size]).toEqual(["1", 0]);
    image.replay(image.nextOffset, { ...config, resourceName: "1", name: "x", value: null });
    expect([...image.groupConfigs()]).toEqual([]);
  });

  test("does not take partitions with a hole before them", () => {
    const record = {
      kind: "partition",
      version: 0,
      topicId: TOPIC_ID,
      partitionId: 1,
      replicas: [1],
      isr: [1],
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
    } as const;
    const image = imageOf({ kind: "topic", version: 0, name: "t", topicId: TOPIC_ID });
    expect(() => image.replay(image.nextOffset, record)).toThrow("partitions have no holes");
  });
});
