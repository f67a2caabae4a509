import { describe, expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { decideDeleteTopics } from "../../src/metadata/decide/delete_topics.ts";
import { ClusterImage, REMOVED_TOPICS_MAX } from "../../src/metadata/image.ts";
import type { MetadataRecord } from "../../src/metadata/record.ts";
import { imagesEqual, snapshotRecords } from "../../src/metadata/snapshot.ts";
import { Cluster, uuid } from "./cluster.ts";

function copyOf(image: ClusterImage): ClusterImage {
  const copy = new ClusterImage();
  copy.replaceWith(snapshotRecords(image), image.nextOffset);
  return copy;
}

/** A cluster with something of everything. */
function full(): Cluster {
  const cluster = Cluster.of(1, 2, 3);
  cluster.create("gone", [1]);
  cluster.create("t", [1, 2], [2, 1]);
  cluster.create("u", [3, 1]);
  const { topicId } = cluster.partition("gone");
  cluster.decide((image) => decideDeleteTopics(image, [{ name: null, topicId }]));
  cluster.fence(3);
  const more: readonly MetadataRecord[] = [
    {
      kind: "config",
      version: 0,
      resourceType: "topic",
      resourceName: "t",
      name: "flush.ms",
      value: "1",
    },
    {
      kind: "config",
      version: 1,
      resourceType: "broker",
      resourceName: "2",
      name: "log.cleaner.threads",
      value: "3",
    },
    {
      kind: "config",
      version: 2,
      resourceType: "group",
      resourceName: "g",
      name: "consumer.session.timeout.ms",
      value: "50000",
    },
    { kind: "producer-ids", version: 0, brokerId: 1, nextProducerId: 5000 },
  ];
  for (const record of more) cluster.replay(record);
  return cluster;
}

describe("snapshotRecords()", () => {
  test("make the same image again, with the epochs of its brokers and what was removed", () => {
    const { image } = full();
    const copy = copyOf(image);
    expect(imagesEqual(copy, image)).toBe(true);
    expect(copy.nextOffset).toBe(image.nextOffset);
    expect(copy.brokers()).toEqual(image.brokers());
    expect([...copy.topics()].map(({ name }) => name)).toEqual(["t", "u"]);
    expect([...copy.removedTopics()]).toEqual([...image.removedTopics()]);
    expect(copy.brokerConfig("2").get("log.cleaner.threads")).toBe("3");
    expect(copy.groupConfig("g").get("consumer.session.timeout.ms")).toBe("50000");
    expect(copy.nextProducerId).toBe(5000);
  });

  test("take the place of all that an image had", () => {
    const copy = new ClusterImage();
    const { image } = full();
    const other = Cluster.of(7);
    other.create("x.y", [7]);
    copy.replaceWith(snapshotRecords(other.image), other.image.nextOffset);
    expect(copy.collidingWith("x_y")).toBe("x.y");
    copy.replaceWith(snapshotRecords(image), image.nextOffset);
    expect(imagesEqual(copy, image)).toBe(true);
    expect(copy.collidingWith("x_y")).toBeUndefined();
    expect(copy.topicById(other.partition("x.y").topicId)).toBeUndefined();
  });

  test("tell of a broker from before there were clusters by its epoch", () => {
    const cluster = new Cluster();
    cluster.replay({ kind: "producer-ids", version: 0, brokerId: 1, nextProducerId: 1000 });
    cluster.register(1);
    expect(cluster.epochOf(1)).toBe(1);
    expect(copyOf(cluster.image).broker(1)).toEqual(cluster.image.broker(1));
  });

  test("of an empty image are none", () => {
    expect([...snapshotRecords(new ClusterImage())]).toEqual([]);
  });
});

describe("imagesEqual()", () => {
  test("sees every single difference", () => {
    const partition = full().partition("t");
    const config = {
      kind: "config",
      version: 0,
      resourceType: "topic",
      resourceName: "t",
    } as const;
    const change = {
      kind: "partition-change",
      version: 0,
      topicId: partition.topicId,
      partitionId: 0,
      bumpsLeaderEpoch: false,
    } as const;
    const one = full();
    const brokerEpoch = one.epochOf(1);
    const differences: readonly MetadataRecord[] = [
      { kind: "topic", version: 0, name: "v", topicId: uuid(5, 5) },
      { kind: "remove-topic", version: 0, topicId: uuid(5, 5) },
      { kind: "remove-topic", version: 0, topicId: partition.topicId },
      { ...config, name: "flush.ms", value: "2" },
      { ...config, name: "flush.ms", value: null },
      { ...config, name: "flush.messages", value: "1" },
      { ...config, version: 1, resourceType: "broker", resourceName: "2", name: "x", value: "1" },
      { ...config, version: 1, resourceType: "broker", resourceName: "", name: "x", value: "1" },
      { ...config, version: 2, resourceType: "group", resourceName: "g", name: "x", value: "1" },
      { ...change },
      { ...change, isr: [1, 2] },
      { ...change, replicas: [1, 2, 3] },
      { ...change, addingReplicas: [2] },
      { ...change, removingReplicas: [2] },
      { ...change, bumpsLeaderEpoch: true },
      { kind: "broker-change", version: 0, brokerId: 1, brokerEpoch, isFenced: true },
      { kind: "broker-change", version: 0, brokerId: 1, brokerEpoch, isInControlledShutdown: true },
      { kind: "unregister-broker", version: 0, brokerId: 1, brokerEpoch },
      { kind: "feature-level", version: 0, name: "metadata.version", level: 1 },
      { kind: "producer-ids", version: 0, brokerId: 1, nextProducerId: 6000 },
    ];
    for (const record of differences) {
      const other = full();
      expect(imagesEqual(one.image, other.image)).toBe(true);
      other.image.replay(other.image.nextOffset, record);
      expect(`${JSON.stringify(record)} ${imagesEqual(one.image, other.image)}`).toMatch(/ false$/);
      expect(imagesEqual(other.image, one.image)).toBe(false);
      expect(imagesEqual(copyOf(other.image), other.image)).toBe(true);
    }
  });
});

describe("ClusterImage.wasRemoved()", () => {
  test("remembers the newest removals, so that memory is bounded", () => {
    const image = new ClusterImage();
    for (let number = 0; number <= REMOVED_TOPICS_MAX; number++) {
      const record = { kind: "remove-topic", version: 0, topicId: uuid(number) } as const;
      image.replay(toOffset(number), record);
    }
    expect([...image.removedTopics()]).toHaveLength(REMOVED_TOPICS_MAX);
    expect(image.wasRemoved(uuid(0))).toBe(false);
    expect(image.wasRemoved(uuid(1))).toBe(true);
    expect(image.wasRemoved(uuid(REMOVED_TOPICS_MAX))).toBe(true);
  });
});
