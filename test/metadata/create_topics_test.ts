import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { type Uuid, uuidFromEntropy } from "../../src/ground/uuid.ts";
import {
  type CreatedTopic,
  type CreateTopicsRequest,
  decideCreateTopics,
  type NewTopic,
} from "../../src/metadata/decide/create_topics.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import type { MetadataRecord } from "../../src/metadata/record.ts";

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

  test("changes nothing when it only validates", () => {
    const image = imageWith([1]);
    expect(create(image, [topic("a")], { validateOnly: true })[0]?.errorCode).toBe(ErrorCode.None);
    expect(image.topic("a")).toBeUndefined();
  });
});

describe("ClusterImage.replay()", () => {
  test("gives the same image from the same records, and ignores what is about removed topics", () => {
    const log: MetadataRecord[] = [];
    const live = imageWith([]);
    const note = (records: readonly MetadataRecord[]): void => {
      log.push(...records);
      apply(live, records);
    };
    const id = newId();
    note([{ kind: "topic", version: 0, name: "t", topicId: id }]);
    note([{ kind: "remove-topic", version: 0, topicId: id }]);
    note([{
      kind: "config",
      version: 0,
      resourceType: "topic",
      resourceName: "t",
      name: "x",
      value: "1",
    }]);
    note([{ kind: "producer-ids", version: 0, brokerId: 1, nextProducerId: 1000 }]);
    const again = new ClusterImage();
    log.forEach((record, offset) => again.replay(toOffset(offset), record));
    expect([...again.topics()]).toEqual([...live.topics()]);
    expect(again.nextProducerId).toBe(1000);
    expect(again.topic("t")).toBeUndefined();
  });

  test("gives a topic of the same name another id", () => {
    const image = imageWith([1]);
    const first = topic("t");
    create(image, [first]);
    apply(image, [{ kind: "remove-topic", version: 0, topicId: first.topicId }]);
    const second = topic("t");
    create(image, [second]);
    expect(image.topicById(first.topicId)).toBeUndefined();
    expect(image.topic("t")?.topicId).toBe(second.topicId);
    // A late removal of the first must not take the second with it.
    apply(image, [{ kind: "remove-topic", version: 0, topicId: first.topicId }]);
    expect(image.topic("t")?.topicId).toBe(second.topicId);
  });
});
