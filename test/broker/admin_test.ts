import { describe, expect, test } from "bun:test";
import { apiVersions } from "../../src/api/api_versions.ts";
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { describeCluster } from "../../src/api/describe_cluster.ts";
import { describeConfigs } from "../../src/api/describe_configs.ts";
import { describeTopicPartitions } from "../../src/api/describe_topic_partitions.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { findCoordinator } from "../../src/api/find_coordinator.ts";
import { initProducerId } from "../../src/api/init_producer_id.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import type { ResponseOf } from "../../src/api/schema.ts";
import { metadata } from "../../src/api/metadata.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { batchOf, type RawConnection, startBroker } from "./broker_fixture.ts";
import { createTopic, fetchFrom, produceTo } from "./topic_requests.ts";

async function namesKnown(connection: RawConnection): Promise<readonly (string | null)[]> {
  const { topics } = await connection.ask(metadata, 12, {
    topics: null,
    allowAutoTopicCreation: false,
  });
  return topics.map(({ name }) => name);
}

describe("ApiVersions", () => {
  test("tells what is served; Produce from 0 for old librdkafka", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    const { apiKeys } = await connection.ask(apiVersions, 3, {
      clientSoftwareName: "test",
      clientSoftwareVersion: "1.0",
    });
    const range = (key: number): unknown => {
      const found = apiKeys.find(({ apiKey }) => apiKey === key);
      return found && [found.minVersion, found.maxVersion];
    };
    expect(range(0)).toEqual([0, 11]);
    expect(range(1)).toEqual([4, 17]);
    expect(range(18)).toEqual([0, 4]);
    expect(range(11)).toBeUndefined();
  });

  test("answers a version from the future in version 0, with error 35 and its own range", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await connection.sendBytes(
      Uint8Array.of(0, 0, 0, 12, 0, 18, 0, 99, 0, 0, 0, 1, 255, 255, 0, 9),
    );
    const answer = connection.answer(apiVersions, 0);
    expect(answer.errorCode).toBe(ErrorCode.UnsupportedVersion);
    expect(answer.apiKeys).toHaveLength(1);
    expect(answer.apiKeys[0]?.maxVersion).toBe(4);
  });

  test("refuses a client name that is none", async () => {
    const { dial } = await startBroker();
    const answer = await (await dial()).ask(apiVersions, 3, {
      clientSoftwareName: "-bad",
      clientSoftwareVersion: "1",
    });
    expect(answer.errorCode).toBe(ErrorCode.InvalidRequest);
  });
});

describe("Metadata", () => {
  test("creates what is asked for and has it in the same answer", async () => {
    const { dial } = await startBroker({ "num.partitions": "3" });
    const connection = await dial();
    const asked = { topics: [{ topicId: ZERO_UUID, name: "t" }], allowAutoTopicCreation: true };
    const { topics, brokers, clusterId, controllerId } = await connection.ask(metadata, 12, asked);
    expect(topics[0]?.errorCode).toBe(ErrorCode.None);
    expect(topics[0]?.partitions).toHaveLength(3);
    expect(topics[0]?.topicId).not.toBe(ZERO_UUID);
    expect(brokers).toEqual([{ nodeId: 1, host: "127.0.0.1", port: 9092, rack: null }]);
    expect(controllerId).toBe(1);
    expect(clusterId).toHaveLength(22);
    const byId = { topics: [{ topicId: topics[0]?.topicId ?? ZERO_UUID, name: null }] };
    expect((await connection.ask(metadata, 12, byId)).topics[0]?.name).toBe("t");
  });

  test("creates nothing where the client, the broker or the name says no", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    const ask = async (
      name: string,
      allowAutoTopicCreation: boolean,
    ): Promise<number | undefined> => {
      const body = { topics: [{ topicId: ZERO_UUID, name }], allowAutoTopicCreation };
      return (await connection.ask(metadata, 9, body)).topics[0]?.errorCode;
    };
    expect(await ask("t", false)).toBe(ErrorCode.UnknownTopicOrPartition);
    expect(await ask("no/name", true)).toBe(ErrorCode.InvalidTopicException);
    expect(await namesKnown(connection)).toEqual([]);
    const strict = await startBroker({ "auto.create.topics.enable": "false" });
    const other = await strict.dial();
    const body = { topics: [{ topicId: ZERO_UUID, name: "t" }], allowAutoTopicCreation: true };
    expect((await other.ask(metadata, 9, body)).topics[0]?.errorCode).toBe(
      ErrorCode.UnknownTopicOrPartition,
    );
  });

  test("gives all topics for null, in version 0 for an empty list, and none for an empty list later", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    const count = async (version: number): Promise<number> =>
      (await connection.ask(metadata, version, { topics: [] })).topics.length;
    expect(await count(0)).toBe(1);
    expect(await count(1)).toBe(0);
    expect(await namesKnown(connection)).toEqual(["t"]);
  });
});

describe("CreateTopics and DeleteTopics", () => {
  test("survive a restart; a topic made again has another id and no records", async () => {
    const first = await startBroker();
    const connection = await first.dial();
    await createTopic(connection, "a");
    await createTopic(connection, "b");
    await produceTo(connection, "a", batchOf(["old"]));
    const topics = [{ name: "a", topicId: ZERO_UUID }];
    const deleted = await connection.ask(deleteTopics, 6, { topics, timeoutMs: 1000 });
    expect(deleted.responses[0]?.errorCode).toBe(ErrorCode.None);
    expect((await produceTo(connection, "a", batchOf(["x"]))).errorCode).toBe(
      ErrorCode.UnknownTopicOrPartition,
    );
    await createTopic(connection, "a");
    first.broker.halt();
    const second = await startBroker({}, first.disk.kill());
    const again = await second.dial();
    expect(await namesKnown(again)).toEqual(["b", "a"]);
    expect((await fetchFrom(again, "a")).highWatermark).toBe(0);
    expect(second.disk.list("/data").some(({ name }) => name.endsWith("-delete"))).toBeFalse();
  });

  test("a deleted topic's files go after their delay", async () => {
    const { dial, disk, clock } = await startBroker({ "log.segment.delete.delay.ms": "1000" });
    const connection = await dial();
    await createTopic(connection, "a");
    await connection.ask(deleteTopics, 5, { topicNames: ["a"], timeoutMs: 1000 });
    const leftovers = (): number =>
      disk.list("/data").filter(({ name }) => name.includes("delete")).length;
    expect(leftovers()).toBe(1);
    await clock.advance(1000);
    expect(leftovers()).toBe(0);
  });

  test("a crash between the record and the removal is made good at the next start", async () => {
    const { dial, disk, clock } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "a");
    disk.failNext("rename", "io");
    connection.send(deleteTopics, 5, { topicNames: ["a"], timeoutMs: 1000 });
    await clock.settle();
    expect(disk.info("/data/a-0")?.isDirectory).toBeTrue();
    const second = await startBroker({}, disk.kill());
    expect(second.disk.info("/data/a-0")).toBeUndefined();
    expect(await namesKnown(await second.dial())).toEqual([]);
  });

  test("a folder that nobody knows is left alone and told of", async () => {
    const { disk, broker } = await startBroker();
    disk.makeDirectory("/data/stranger-0");
    broker.halt();
    const second = await startBroker({}, disk.kill());
    expect(second.disk.info("/data/stranger-0")?.isDirectory).toBeTrue();
    expect(second.events.join()).toMatch(/left alone/);
  });

  test("a name given twice in one request is refused, the others are made", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    const topic = (
      name: string,
    ): {
      name: string;
      numPartitions: number;
      replicationFactor: number;
      assignments: [];
      configs: [];
    } => ({ name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] });
    const { topics } = await connection.ask(createTopics, 7, {
      topics: [topic("a"), topic("b"), topic("a")],
      timeoutMs: 1000,
    });
    expect(topics.map(({ name, errorCode }) => `${name} ${errorCode}`)).toEqual([
      "b 0",
      `a ${ErrorCode.InvalidRequest}`,
    ]);
    expect(topics[0]?.configs?.find(({ name }) => name === "mq.durability")?.value).toBe(
      "quorum-fsync",
    );
  });
});

describe("ListOffsets", () => {
  test("knows the ends and times", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    for (const timestamp of [1000, 3000, 2000]) {
      await produceTo(connection, "t", batchOf(["v"], { timestamp }));
    }
    const at = async (timestamp: number): Promise<readonly (number | undefined)[]> => {
      const partitions = [{ partitionIndex: 0, timestamp }];
      const { topics } = await connection.ask(listOffsets, 7, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: "t", partitions }],
      });
      const found = topics[0]?.partitions[0];
      return [found?.errorCode, found?.offset, found?.timestamp];
    };
    expect(await at(-1)).toEqual([0, 3, -1]);
    expect(await at(-2)).toEqual([0, 0, -1]);
    expect(await at(-3)).toEqual([0, 1, 3000]);
    expect(await at(-4)).toEqual([0, 0, -1]);
    expect(await at(-5)).toEqual([0, -1, -1]);
    expect(await at(1001)).toEqual([0, 1, 3000]);
    expect(await at(0)).toEqual([0, 0, 1000]);
    expect(await at(3001)).toEqual([0, -1, -1]);
    expect((await at(-6))[0]).toBe(ErrorCode.UnsupportedVersion);
  });
});

describe("Describe", () => {
  test("a topic's settings say where each value comes from", async () => {
    const { dial } = await startBroker({ "log.retention.hours": "1" });
    const connection = await dial();
    await createTopic(connection, "t", { "segment.bytes": "1000000" });
    const { results } = await connection.ask(describeConfigs, 4, {
      resources: [{ resourceType: 2, resourceName: "t", configurationKeys: null }],
      includeSynonyms: true,
      includeDocumentation: true,
    });
    const config = (name: string): unknown => {
      const found = results[0]?.configs.find((one) => one.name === name);
      return [found?.value, found?.configSource, found?.synonyms.length];
    };
    expect(config("segment.bytes")).toEqual(["1000000", 1, 2]);
    expect(config("retention.ms")).toEqual(["3600000", 4, 2]);
    expect(config("cleanup.policy")).toEqual(["delete", 5, 1]);
  });

  test("the broker's settings, and refusals for others", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    const ask = async (resourceType: number, resourceName: string): Promise<number | undefined> => {
      const resources = [{ resourceType, resourceName, configurationKeys: ["num.partitions"] }];
      const { results } = await connection.ask(describeConfigs, 1, { resources });
      return results[0]?.errorCode === 0 ? results[0].configs.length : results[0]?.errorCode;
    };
    expect(await ask(4, "1")).toBe(1);
    expect(await ask(4, "2")).toBe(ErrorCode.InvalidRequest);
    expect(await ask(2, "missing")).toBe(ErrorCode.UnknownTopicOrPartition);
    expect(await ask(16, "x")).toBe(ErrorCode.InvalidRequest);
  });

  test("the cluster, by the right kind of endpoint only", async () => {
    const { dial } = await startBroker({ "broker.rack": "r1" });
    const connection = await dial();
    const cluster = await connection.ask(describeCluster, 2, {
      includeClusterAuthorizedOperations: false,
    });
    expect(cluster.brokers[0]?.rack).toBe("r1");
    const wrong = await connection.ask(describeCluster, 1, {
      includeClusterAuthorizedOperations: false,
      endpointType: 2,
    });
    expect(wrong.errorCode).toBe(ErrorCode.MismatchedEndpointType);
  });

  test("topics page by page, in the order of their names", async () => {
    const { dial } = await startBroker({ "num.partitions": "3" });
    const connection = await dial();
    for (const name of ["b", "a"]) {
      await connection.ask(metadata, 9, {
        topics: [{ topicId: ZERO_UUID, name }],
        allowAutoTopicCreation: true,
      });
    }
    const seen: string[] = [];
    let cursor: { topicName: string; partitionIndex: number } | null = null;
    do {
      const page: ResponseOf<typeof describeTopicPartitions> = await connection.ask(
        describeTopicPartitions,
        0,
        { topics: [], responsePartitionLimit: 2, cursor },
      );
      for (const { name, partitions } of page.topics) {
        for (const { partitionIndex } of partitions) seen.push(`${name}${partitionIndex}`);
      }
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(["a0", "a1", "a2", "b0", "b1", "b2"]);
  });

  test("there is no coordinator yet, in both shapes of the answer", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    expect((await connection.ask(findCoordinator, 0, { key: "g" })).errorCode).toBe(
      ErrorCode.CoordinatorNotAvailable,
    );
    const { coordinators } = await connection.ask(findCoordinator, 4, {
      keyType: 0,
      coordinatorKeys: ["g", "h"],
    });
    expect(coordinators.map(({ key, errorCode }) => `${key} ${errorCode}`)).toEqual([
      "g 15",
      "h 15",
    ]);
  });

  test("producer ids differ, also when they are asked for at once", async () => {
    const { dial, clock } = await startBroker();
    const connection = await dial();
    const body = { transactionalId: null, transactionTimeoutMs: 0 };
    for (let index = 0; index < 1500; index++) connection.send(initProducerId, 2, body);
    for (let turn = 0; turn < 20; turn++) await clock.settle();
    const ids = Array.from(
      { length: connection.answerCount },
      () => connection.answer(initProducerId, 2).producerId,
    );
    expect(ids).toHaveLength(1500);
    expect(new Set(ids).size).toBe(1500);
    const half = { ...body, producerId: 5, producerEpoch: -1 };
    expect((await connection.ask(initProducerId, 3, half)).errorCode).toBe(
      ErrorCode.InvalidRequest,
    );
  });
});
