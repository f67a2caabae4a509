import { describe, expect, test } from "bun:test";
import { describeCluster } from "../../src/api/describe_cluster.ts";
import { describeConfigs } from "../../src/api/describe_configs.ts";
import { describeTopicPartitions } from "../../src/api/describe_topic_partitions.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { initProducerId } from "../../src/api/init_producer_id.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import type { ResponseOf } from "../../src/api/schema.ts";
import { metadata } from "../../src/api/metadata.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { batchOf, startBroker } from "./broker_fixture.ts";
import { createTopic, produceTo } from "./topic_requests.ts";

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
      const { topics } = await connection.ask(listOffsets, 9, {
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
    await createTopic(connection, "t", { "segment.bytes": "2000000" });
    const { results } = await connection.ask(describeConfigs, 4, {
      resources: [{ resourceType: 2, resourceName: "t", configurationKeys: null }],
      includeSynonyms: true,
      includeDocumentation: true,
    });
    const config = (name: string): unknown => {
      const found = results[0]?.configs.find((one) => one.name === name);
      return [found?.value, found?.configSource, found?.synonyms.length];
    };
    expect(config("segment.bytes")).toEqual(["2000000", 1, 2]);
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
    const ofType = (endpointType: number): Promise<ResponseOf<typeof describeCluster>> =>
      connection.ask(describeCluster, 1, {
        includeClusterAuthorizedOperations: false,
        endpointType,
      });
    expect((await ofType(3)).errorCode).toBe(ErrorCode.UnsupportedEndpointType);
    // A listener that is for everybody is one of controllers too.
    const controllers = await ofType(2);
    expect([controllers.errorCode, controllers.endpointType]).toEqual([ErrorCode.None, 2]);
    const [self] = cluster.brokers;
    expect(controllers.brokers).toEqual([{ ...self, rack: null, isFenced: false } as never]);
    expect(controllers.controllerId).toBe(self?.brokerId as number);
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

  test("producer ids differ, also when they are asked for at once", async () => {
    const { dial, clock } = await startBroker();
    const connection = await dial();
    const body = { transactionalId: null, transactionTimeoutMs: 0 };
    for (let index = 0; index < 1500; index++) connection.send(initProducerId, 2, body);
    for (let turn = 0; turn < 20; turn++) await clock.advance(1);
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
