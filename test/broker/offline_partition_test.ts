import { describe, expect, test } from "bun:test";
import { createTopics } from "../../src/api/create_topics.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import { metadata } from "../../src/api/metadata.ts";
import { MemoryDisk } from "../log/memory_disk.ts";
import { batchOf, startBroker } from "./broker_fixture.ts";
import { deleteTopic, metric, ready, TWO, valuesOf } from "./disk_questions.ts";
import { createTopic, fetchFrom, produceTo } from "./topic_requests.ts";

describe("a partition that cannot be opened", () => {
  /** Topics "whole" and "hurt", a record in each; the second lost its end below what was durable. */
  async function damaged(): Promise<MemoryDisk> {
    const first = await startBroker();
    const connection = await first.dial();
    for (const topic of ["whole", "hurt"]) {
      await createTopic(connection, topic);
      await produceTo(connection, topic, batchOf([topic]));
      await produceTo(connection, topic, batchOf(["more"]));
    }
    await first.clock.until(first.broker.stop());
    const disk = first.disk.kill();
    disk.remove("/data/.cleanshutdown");
    const log = disk.open("/data/hurt-0/00000000000000000000.log", "write");
    log.truncate(log.bytes() - 5);
    return disk;
  }

  test("is offline by itself: told of, described, refused, and deleted on demand", async () => {
    const disk = await damaged();
    const fixture = await startBroker({}, disk);
    const connection = await fixture.dial();
    expect(await valuesOf(connection, "whole")).toEqual(["0:whole", "1:more"]);
    const refused = await produceTo(connection, "hurt", batchOf(["x"]));
    expect(refused.errorCode).toBe(ErrorCode.KafkaStorageError);
    expect(refused.errorMessage).toMatch(/hurt-0.*mq log verify.*mq log repair/);
    expect((await fetchFrom(connection, "hurt")).errorCode).toBe(ErrorCode.KafkaStorageError);
    const offsets = await connection.ask(listOffsets, 7, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{
        name: "hurt",
        partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1 }],
      }],
    });
    expect(offsets.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.KafkaStorageError);
    const described = await connection.ask(metadata, 9, {
      topics: [{ name: "hurt" }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    const partition = described.topics[0]?.partitions[0];
    expect([partition?.errorCode, partition?.leaderId, partition?.offlineReplicas]).toEqual([
      ErrorCode.KafkaStorageError,
      1,
      [1],
    ]);
    expect(metric(fixture, "kafka_server_replicamanager_offlinereplicacount")).toBe("1");
    expect(ready(fixture)).toBe(
      '200 {"status":"degraded","logDirectories":[],"offlinePartitions":1}',
    );
    expect(fixture.events.join("\n")).toMatch("error partition is offline");
    expect(await deleteTopic(connection, "hurt")).toBe(ErrorCode.None);
    expect(disk.info("/data/hurt-0")).toBeUndefined();
    expect(metric(fixture, "kafka_server_replicamanager_offlinereplicacount")).toBe("0");
    await createTopic(connection, "hurt");
    expect((await produceTo(connection, "hurt", batchOf(["new"]))).baseOffset).toBe(0);
  });

  test("keeps what the checkpoints say of it: a second start does not cut what the first refused", async () => {
    const disk = await damaged();
    const second = await startBroker({}, disk);
    await produceTo(await second.dial(), "whole", batchOf(["again"]));
    await second.clock.advance(60_000); // checkpoints are written
    second.broker.halt();
    const third = await startBroker({}, disk.kill());
    expect((await fetchFrom(await third.dial(), "hurt")).errorCode).toBe(
      ErrorCode.KafkaStorageError,
    );
  });

  test("a file without rights, or one that cannot be read, is that partition's matter", async () => {
    for (const kind of ["not-permitted", "unreadable"] as const) {
      const disk = await damaged();
      disk.treeFaults.set("/data/hurt-0", kind);
      const fixture = await startBroker({}, disk);
      const connection = await fixture.dial();
      expect(await valuesOf(connection, "whole")).toEqual(["0:whole", "1:more"]);
      expect((await produceTo(connection, "hurt", batchOf(["x"]))).errorCode).toBe(
        ErrorCode.KafkaStorageError,
      );
      expect(metric(fixture, "kafka_log_logmanager_offlinelogdirectorycount")).toBe("0");
    }
  });

  test("one that had no handles at the start is opened when there are some", async () => {
    const first = await startBroker();
    const connection = await first.dial();
    await createTopic(connection, "t");
    await produceTo(connection, "t", batchOf(["a"]));
    first.broker.halt();
    const disk = first.disk.kill();
    disk.treeFaults.set("/data/t-0", "no-handles");
    const fixture = await startBroker({}, disk);
    const again = await fixture.dial();
    expect((await fetchFrom(again, "t")).errorCode).toBe(ErrorCode.KafkaStorageError);
    disk.treeFaults.clear();
    await fixture.clock.advance(30_000);
    expect(await valuesOf(again, "t")).toEqual(["0:a"]);
    expect((await produceTo(again, "t", batchOf(["b"]))).baseOffset).toBe(1);
  });
});

describe("a directory that fails while it is used", () => {
  test("or while its logs are opened: those that were open already are offline too", async () => {
    const first = await startBroker(TWO);
    const connection = await first.dial();
    const names = ["a", "b", "c", "d", "e", "f"];
    for (const name of names) {
      await createTopic(connection, name);
      await produceTo(connection, name, batchOf([name]));
    }
    first.broker.halt();
    const disk = first.disk.kill();
    const onTwo = names.filter((name) => disk.info(`/two/${name}-0`) !== undefined);
    disk.treeFaults.set(`/two/${onTwo.at(-1)}-0`, "io");
    const fixture = await startBroker(TWO, disk);
    const again = await fixture.dial();
    for (const name of names) {
      const expected = onTwo.includes(name) ? ErrorCode.KafkaStorageError : ErrorCode.None;
      expect((await produceTo(again, name, batchOf(["x"]))).errorCode).toBe(expected);
    }
    expect(metric(fixture, "kafka_server_replicamanager_offlinereplicacount")).toBe("3");
  });

  test("is never synced again, whatever else lies in it", async () => {
    const { dial, disk, clock } = await startBroker(TWO);
    const connection = await dial();
    const names = ["a", "b", "c", "d"];
    const topics = names.map((name) => ({
      name,
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    }));
    await connection.ask(createTopics, 7, { topics, timeoutMs: 1000 });
    const onTwo = names.filter((name) => disk.info(`/two/${name}-0`) !== undefined);
    expect(onTwo).toHaveLength(2);
    disk.treeFaults.set(`/two/${onTwo[0]}-0`, "io");
    const refused = await produceTo(connection, onTwo[0] as string, batchOf(["x"]));
    expect(refused.errorMessage).toMatch(/^log directory \/two is offline: /);
    disk.treeFaults.clear();
    const touched = (): string =>
      [...disk.files].filter(([path]) => path.startsWith("/two/"))
        .map(([path, { content, durable }]) => `${path} ${content.length} ${durable.length}`)
        .join();
    const before = touched();
    for (const topic of onTwo) {
      expect((await produceTo(connection, topic, batchOf(["y"]))).errorCode).toBe(
        ErrorCode.KafkaStorageError,
      );
    }
    await clock.advance(120_000);
    expect(touched()).toBe(before);
  });

  test("one that was removed under the broker is found out, and the others go on", async () => {
    const { dial, disk, clock, broker } = await startBroker(TWO);
    const connection = await dial();
    for (const topic of ["a", "b"]) await createTopic(connection, topic);
    const onTwo = disk.info("/two/a-0") === undefined ? "b" : "a";
    await produceTo(connection, onTwo, batchOf(["x"]));
    disk.remove("/two");
    await clock.advance(500);
    const refused = await produceTo(connection, onTwo, batchOf(["y"]));
    expect(refused.errorCode).toBe(ErrorCode.KafkaStorageError);
    expect(refused.errorMessage).toMatch("/two is offline: Cannot use /two: its files are gone");
    const other = onTwo === "a" ? "b" : "a";
    expect((await produceTo(connection, other, batchOf(["x"]))).errorCode).toBe(ErrorCode.None);
    disk.remove("/one");
    await clock.advance(30_000); // nothing is written to it: upkeep looks
    const stop = await broker.stopped;
    expect(stop.kind === "failed" && stop.reason).toBe("Cannot use /one: its files are gone");
  });
});
