import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { type Uuid, uuidFromEntropy } from "../../src/ground/uuid.ts";
import {
  type CreatedTopic,
  type CreateTopicsRequest,
  decideCreateTopics,
  type NewTopic,
} from "../../src/metadata/decide/create_topics.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import type { MetadataRecord } from "../../src/metadata/record.ts";
import { Cluster, newTopic } from "./cluster.ts";

let ids = 0;

function newId(): Uuid {
  const bytes = new Uint8Array(16);
  bytes[15] = ++ids;
  return uuidFromEntropy(bytes);
}

function topic(name: string, fields: Partial<NewTopic> = {}): NewTopic {
  return {
    name,
    topicId: newId(),
    partitionCount: -1,
    replicationFactor: -1,
    assignments: [],
    config: [],
    ...fields,
  };
}

function imageWith(brokerIds: readonly number[]): ClusterImage {
  const image = new ClusterImage();
  for (const brokerId of brokerIds) {
    apply(image, [{
      kind: "register-broker",
      version: 0,
      brokerId,
      incarnationId: newId(),
      host: "h",
      port: 1,
      rack: null,
    }]);
  }
  return image;
}

function apply(image: ClusterImage, records: readonly MetadataRecord[]): void {
  for (const record of records) image.replay(image.nextOffset, record);
}

function create(
  image: ClusterImage,
  topics: readonly NewTopic[],
  fields: Partial<CreateTopicsRequest> = {},
): readonly CreatedTopic[] {
  const { records, reply } = decideCreateTopics(image, {
    topics,
    validateOnly: false,
    defaultPartitionCount: 3,
    defaultReplicationFactor: 1,
    partitionCountMax: 100,
    brokerValue: () => undefined,
    ...fields,
  });
  apply(image, records);
  return reply;
}

function errorOf(image: ClusterImage, one: NewTopic): ErrorCode | undefined {
  return create(image, [one])[0]?.errorCode;
}

describe("decideCreateTopics()", () => {
  test("makes partitions with a leader, an in-sync set and a real id", () => {
    const image = imageWith([1, 2]);
    const asked = topic("orders", { partitionCount: 2, replicationFactor: 2 });
    expect(create(image, [asked])[0]?.errorCode).toBe(ErrorCode.None);
    const made = image.topic("orders");
    expect(made?.topicId).toBe(asked.topicId);
    expect(made?.partitions.map(({ replicas }) => replicas)).toEqual([[1, 2], [2, 1]]);
    expect(made?.partitions.map(({ leader }) => leader)).toEqual([1, 2]);
    expect(image.topicById(asked.topicId)?.name).toBe("orders");
  });

  test("takes the defaults for -1", () => {
    expect(create(imageWith([1]), [topic("a")])[0]?.partitionCount).toBe(3);
  });

  test("refuses a topic that is there or was named before in the same request", () => {
    const image = imageWith([1]);
    create(image, [topic("a")]);
    expect(errorOf(image, topic("a"))).toBe(ErrorCode.TopicAlreadyExists);
    const [first, second] = create(image, [topic("b"), topic("b")]);
    expect([first?.errorCode, second?.errorCode]).toEqual([
      ErrorCode.None,
      ErrorCode.TopicAlreadyExists,
    ]);
  });

  test("refuses names that are no file names, are reserved, or collide", () => {
    const image = imageWith([1]);
    create(image, [topic("a.b")]);
    for (
      const name of [
        "",
        ".",
        "..",
        "../x",
        "a b",
        "x".repeat(250),
        "ä",
        "a\0",
        "__cluster_metadata",
      ]
    ) {
      expect(errorOf(image, topic(name))).toBe(ErrorCode.InvalidTopicException);
    }
    expect(errorOf(image, topic("a_b"))).toBe(ErrorCode.InvalidTopicException);
    expect(errorOf(image, topic("x".repeat(249)))).toBe(ErrorCode.None);
    for (const name of ["constructor", "__proto__"]) {
      expect(errorOf(image, topic(name))).toBe(ErrorCode.None);
    }
  });

  test("refuses counts that make no sense or are too many", () => {
    const image = imageWith([1]);
    const of = (fields: Partial<NewTopic>): ErrorCode | undefined =>
      errorOf(image, topic("a", fields));
    expect(of({ partitionCount: 0 })).toBe(ErrorCode.InvalidPartitions);
    expect(of({ partitionCount: -2 })).toBe(ErrorCode.InvalidPartitions);
    expect(of({ replicationFactor: 0 })).toBe(ErrorCode.InvalidReplicationFactor);
    expect(of({ replicationFactor: 2 })).toBe(ErrorCode.InvalidReplicationFactor);
    expect(of({ replicationFactor: 32767 })).toBe(ErrorCode.InvalidReplicationFactor);
    expect(of({ partitionCount: 101 })).toBe(ErrorCode.PolicyViolation);
    expect(of({ partitionCount: 2 ** 31 - 1 })).toBe(ErrorCode.PolicyViolation);
  });

  test("bounds the partitions of all topics of one request together", () => {
    const two = [topic("a", { partitionCount: 60 }), topic("b", { partitionCount: 60 })];
    expect(create(imageWith([1]), two).map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.None,
      ErrorCode.PolicyViolation,
    ]);
  });

  test("takes assigned replicas only where they are whole", () => {
    const image = imageWith([1, 2]);
    const of = (assignments: NewTopic["assignments"]): ErrorCode | undefined =>
      errorOf(image, topic("a", { assignments }));
    expect(of([{ partitionId: 1, brokerIds: [1] }])).toBe(ErrorCode.InvalidReplicaAssignment);
    expect(of([{ partitionId: 0, brokerIds: [1, 1] }])).toBe(ErrorCode.InvalidReplicaAssignment);
    expect(of([{ partitionId: 0, brokerIds: [3] }])).toBe(ErrorCode.InvalidReplicaAssignment);
    expect(of([{ partitionId: 0, brokerIds: [] }])).toBe(ErrorCode.InvalidReplicaAssignment);
    expect(of([{ partitionId: 0, brokerIds: [2, 1] }])).toBe(ErrorCode.None);
    expect(image.topic("a")?.partitions[0]?.leader).toBe(2);
  });

  test("refuses settings that are unknown or have a wrong value", () => {
    const image = imageWith([1]);
    const of = (name: string, value: string | null): ErrorCode | undefined =>
      errorOf(image, topic("a", { config: [{ name, value }] }));
    expect(of("retention.msec", "1")).toBe(ErrorCode.InvalidConfig);
    expect(of("retention.ms", "-2")).toBe(ErrorCode.InvalidConfig);
    expect(of("segment.bytes", "0")).toBe(ErrorCode.InvalidConfig);
    expect(of("cleanup.policy", "compact,shred")).toBe(ErrorCode.InvalidConfig);
    expect(of("retention.ms", null)).toBe(ErrorCode.InvalidConfig);
    expect(of("retention.ms", "-1")).toBe(ErrorCode.None);
    expect(image.topic("a")?.config.get("retention.ms")).toBe("-1");
  });

  test("says what is wrong with assigned replicas, in Kafka's words", () => {
    const cluster = Cluster.of(1, 2, 3);
    const told = (
      assignments: readonly (readonly [number, readonly number[]])[],
      fields: Partial<NewTopic> = {},
    ): readonly unknown[] => {
      const [reply] = cluster.createTopics([newTopic("a", {
        assignments: assignments.map(([partitionId, brokerIds]) => ({ partitionId, brokerIds })),
        ...fields,
      })], { validateOnly: true });
      return [reply?.errorCode, reply?.errorMessage];
    };
    const { InvalidRequest, InvalidReplicaAssignment } = ErrorCode;
    const given = "A manual partition assignment was specified, but";
    const manual = "The manual partition assignment includes";
    expect(told([[0, [1]]], { replicationFactor: 1 })).toEqual([
      InvalidRequest,
      `${given} replication factor was not set to -1.`,
    ]);
    expect(told([[0, [1]]], { partitionCount: 1 })).toEqual([
      InvalidRequest,
      `${given} numPartitions was not set to -1.`,
    ]);
    expect(told([[0, [1]], [0, [2]]])).toEqual([
      InvalidReplicaAssignment,
      "Found multiple manual partition assignments for partition 0",
    ]);
    expect(told([[0, [1]], [2, [2]]])).toEqual([
      InvalidReplicaAssignment,
      "partitions should be a consecutive 0-based integer sequence",
    ]);
    expect(told([[0, [1, 2]], [1, [2]]])).toEqual([
      InvalidReplicaAssignment,
      `${manual} a partition with 1 replica(s), but this is not consistent with previous ` +
      "partitions, which have 2 replica(s).",
    ]);
    expect(told([[0, [7]]])).toEqual([
      InvalidReplicaAssignment,
      `${manual} broker 7, but no such broker is registered.`,
    ]);
    cluster.fence(2);
    expect(told([[0, [2]]])).toEqual([
      InvalidReplicaAssignment,
      "All brokers specified in the manual partition assignment for partition 0 are fenced or in " +
      "controlled shutdown.",
    ]);
    expect(told([[0, [2, 3]]])).toEqual([ErrorCode.None, null]);
  });

  test("only the leader is in sync at first, and it is one that serves", () => {
    const cluster = Cluster.of(1, 2, 3);
    cluster.fence(1);
    cluster.create("by-hand", [1, 2, 3]);
    expect(cluster.state("by-hand")).toEqual([2, 0, [2], 0]);
    cluster.createTopics([newTopic("placed", { partitionCount: 6, replicationFactor: 3 })]);
    for (const { leader, isr, replicas } of cluster.image.topic("placed")?.partitions ?? []) {
      expect([leader, isr]).toEqual([replicas[0] as number, [leader]]);
      expect(leader).not.toBe(1);
      expect(replicas).toHaveLength(3);
    }
  });

  test("places nothing where all brokers are fenced, and says so", () => {
    const cluster = Cluster.of(1);
    cluster.fence(1);
    const [reply] = cluster.createTopics([newTopic("a")]);
    expect([reply?.errorCode, reply?.errorMessage]).toEqual([
      ErrorCode.InvalidReplicationFactor,
      "Unable to replicate the partition 1 time(s): All brokers are currently fenced or in " +
      "controlled shutdown.",
    ]);
  });

  test("goes on round the brokers from topic to topic, from where it is told to begin", () => {
    const cluster = Cluster.of(1, 2, 3);
    const names = ["a", "b", "c"];
    const topics = names.map((name) => newTopic(name, { partitionCount: 1 }));
    cluster.createTopics(topics, { placementStart: 1 });
    expect(names.map((name) => cluster.partition(name).leader)).toEqual([2, 3, 1]);
  });

  test("a name is free for names that collide with it when its topic is removed", () => {
    const image = imageWith([1]);
    const first = topic("a.b");
    create(image, [first]);
    expect(errorOf(image, topic("a_b"))).toBe(ErrorCode.InvalidTopicException);
    apply(image, [{ kind: "remove-topic", version: 0, topicId: first.topicId }]);
    expect(errorOf(image, topic("a_b"))).toBe(ErrorCode.None);
  });

  test("changes nothing when it only validates", () => {
    const image = imageWith([1]);
    expect(create(image, [topic("a")], { validateOnly: true })[0]?.errorCode).toBe(ErrorCode.None);
    expect(image.topic("a")).toBeUndefined();
  });
});
