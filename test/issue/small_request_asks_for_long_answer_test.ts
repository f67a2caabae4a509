/**
 * A request that names one thing ten thousand times was answered ten thousand times: 5,000 times a
 * topic of 1,000 partitions in Metadata took 3 s and 1 GB, DescribeConfigs likewise, and ListOffsets
 * searched the same log, inflating its batches, as often as it was told to.
 */
import { describe, expect, test } from "bun:test";
import { describeConfigs } from "../../src/api/describe_configs.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import { metadata } from "../../src/api/metadata.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { startBroker } from "../broker/broker_fixture.ts";
import { createTopic } from "../broker/topic_requests.ts";

function many<T>(value: T): readonly T[] {
  return Array.from({ length: 50 }, () => value);
}

describe("What a request names many times", () => {
  test("Metadata answers once, by name and by id", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    const asked = [...many({ name: "t" }), { name: "u" }];
    const { topics } = await connection.ask(metadata, 12, {
      topics: asked,
      allowAutoTopicCreation: false,
    });
    expect(topics.map(({ name }) => name)).toEqual(["t", "u"]);
    const topicId = topics[0]?.topicId ?? ZERO_UUID;
    const byId = await connection.ask(metadata, 12, { topics: many({ name: null, topicId }) });
    expect(byId.topics.map(({ name }) => name)).toEqual(["t"]);
  });

  test("DescribeConfigs answers once", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    const topic = { resourceType: 2, resourceName: "t", configurationKeys: many("retention.ms") };
    const broker = { resourceType: 4, resourceName: "", configurationKeys: null };
    const { results } = await connection.ask(describeConfigs, 4, {
      resources: [...many(topic), ...many(broker)],
    });
    expect(results.map(({ resourceName }) => resourceName)).toEqual(["t", ""]);
    expect(results[0]?.configs.map(({ name }) => name)).toEqual(["retention.ms"]);
  });

  test("ListOffsets refuses, as Kafka does, and answers the rest", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    await createTopic(connection, "u");
    const { topics } = await connection.ask(listOffsets, 7, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [
        { name: "t", partitions: many({ partitionIndex: 0, timestamp: 5 }) },
        { name: "u", partitions: [{ partitionIndex: 0, timestamp: -2 }] },
      ],
    });
    const errors = topics.map(({ partitions }) => new Set(partitions.map((one) => one.errorCode)));
    expect(errors.map((codes) => [...codes])).toEqual([[ErrorCode.InvalidRequest], [0]]);
    expect(topics[1]?.partitions[0]?.offset).toBe(0);
  });

  test("ListOffsets knows a named end from the version on that brought it", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    const errorOf = async (version: number, timestamp: number): Promise<number | undefined> => {
      const { topics } = await connection.ask(listOffsets, version, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: "t", partitions: [{ partitionIndex: 0, timestamp }] }],
      });
      return topics[0]?.partitions[0]?.errorCode;
    };
    for (const [timestamp, since] of [[-3, 7], [-4, 8], [-5, 9]] as const) {
      expect(await errorOf(since - 1, timestamp)).toBe(ErrorCode.UnsupportedVersion);
      expect(await errorOf(since, timestamp)).toBe(0);
    }
  });
});
