import { describe, expect, test } from "bun:test";
import { apiVersions } from "../../src/api/api_versions.ts";
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
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
    expect(range(11)).toEqual([0, 9]);
    expect(range(999)).toBeUndefined();
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
    await second.clock.advance(1);
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
