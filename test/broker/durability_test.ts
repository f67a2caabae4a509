import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { fetch } from "../../src/api/fetch.ts";
import { produce } from "../../src/api/produce.ts";
import { batchOf, recordsOf, startBroker } from "./broker_fixture.ts";
import {
  createTopic,
  FETCH_VERSION,
  fetchBody,
  fetchFrom,
  PRODUCE_VERSION,
  produceBody,
  produceTo,
} from "./topic_requests.ts";

describe("mq.durability", () => {
  test("quorum-fsync: what was acknowledged survives a loss of power", async () => {
    const before = await startBroker();
    const connection = await before.dial();
    await createTopic(connection, "t");
    for (const value of ["a", "b", "c"]) await produceTo(connection, "t", batchOf([value]));
    const after = await startBroker({}, before.disk.crash());
    const fetched = await fetchFrom(await after.dial(), "t");
    expect(recordsOf(fetched.records)).toEqual(["0:a", "1:b", "2:c"]);
  });

  test("memory: what was acknowledged survives a kill, and a loss of power takes it", async () => {
    const before = await startBroker();
    const connection = await before.dial();
    await createTopic(connection, "t", { "mq.durability": "memory" });
    await produceTo(connection, "t", batchOf(["a"]));
    const killed = await startBroker({}, before.disk.kill());
    expect(recordsOf((await fetchFrom(await killed.dial(), "t")).records)).toEqual(["0:a"]);
    const powerless = await startBroker({}, before.disk.crash());
    expect(recordsOf((await fetchFrom(await powerless.dial(), "t")).records)).toEqual([]);
  });

  test("memory becomes durable in the background, and by flush.messages", async () => {
    const { dial, disk, clock } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "slow", { "mq.durability": "memory" });
    await createTopic(connection, "every", { "mq.durability": "memory", "flush.messages": "1" });
    await createTopic(connection, "soon", { "mq.durability": "memory", "flush.ms": "50" });
    for (const topic of ["slow", "every", "soon"]) {
      await produceTo(connection, topic, batchOf(["a"]));
    }
    const durable = async (topic: string): Promise<number> => {
      const copy = await startBroker({}, disk.crash());
      return recordsOf((await fetchFrom(await copy.dial(), topic)).records).length;
    };
    await clock.settle();
    expect([await durable("slow"), await durable("every"), await durable("soon")]).toEqual([
      0,
      1,
      0,
    ]);
    await clock.advance(50);
    expect([await durable("slow"), await durable("soon")]).toEqual([0, 1]);
    await clock.advance(30_000);
    expect(await durable("slow")).toBe(1);
  });

  test("one fdatasync serves the requests that came together", async () => {
    const { dial, disk, clock } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    const syncsBefore = disk.calls["sync"] ?? 0;
    for (let index = 0; index < 20; index++) {
      connection.send(produce, PRODUCE_VERSION, produceBody("t", batchOf([String(index)])));
    }
    await clock.settle();
    expect(connection.answerCount).toBe(20);
    expect((disk.calls["sync"] ?? 0) - syncsBefore).toBeLessThan(10);
  });

  test("nothing that is not durable is acknowledged or shown when the disk fails", async () => {
    const { dial, disk, clock, broker } = await startBroker();
    const [writer, reader] = [await dial(), await dial()];
    await createTopic(writer, "t");
    reader.send(fetch, FETCH_VERSION, fetchBody("t", { maxWaitMs: 60_000 }));
    await clock.settle();
    disk.failNext("sync", "io", true);
    writer.send(produce, PRODUCE_VERSION, produceBody("t", batchOf(["lost"])));
    await clock.settle();
    // The only directory is gone: the broker ends, and says nothing that is not true.
    expect((await broker.stopped).kind).toBe("failed");
    if (writer.answerCount > 0) {
      const [topic] = writer.answer(produce, PRODUCE_VERSION).responses;
      expect(topic?.partitionResponses[0]?.errorCode).toBe(ErrorCode.KafkaStorageError);
    }
    if (reader.answerCount > 0) {
      const [topic] = reader.answer(fetch, FETCH_VERSION).responses;
      expect(recordsOf(topic?.partitions[0]?.records ?? null)).toEqual([]);
    }
  });

  test("a second directory that fails takes its partitions with it, and no others", async () => {
    const { dial, disk, broker } = await startBroker({ "log.dirs": "/one,/two" });
    const connection = await dial();
    for (const topic of ["a", "b"]) await createTopic(connection, topic);
    const onTwo = disk.info("/two/a-0") === undefined ? "b" : "a";
    const onOne = onTwo === "a" ? "b" : "a";
    expect(disk.info(`/two/${onTwo}-0`)?.isDirectory).toBeTrue();
    disk.failNext("sync", "io");
    expect((await produceTo(connection, onTwo, batchOf(["x"]))).errorCode).toBe(
      ErrorCode.KafkaStorageError,
    );
    expect((await fetchFrom(connection, onTwo)).errorCode).toBe(ErrorCode.KafkaStorageError);
    expect((await produceTo(connection, onOne, batchOf(["x"]))).errorCode).toBe(ErrorCode.None);
    expect(broker.clusterId).not.toBe("");
  });

  test("a full disk refuses the batch, keeps what is there, and goes on when there is room", async () => {
    const { dial, disk } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    await produceTo(connection, "t", batchOf(["a"]));
    disk.failNext("write", "no-space");
    expect((await produceTo(connection, "t", batchOf(["b"]))).errorCode).toBe(
      ErrorCode.KafkaStorageError,
    );
    expect(recordsOf((await fetchFrom(connection, "t")).records)).toEqual(["0:a"]);
    expect((await produceTo(connection, "t", batchOf(["c"]))).baseOffset).toBe(1);
    expect(recordsOf((await fetchFrom(connection, "t")).records)).toEqual(["0:a", "1:c"]);
  });

  test("a graceful stop leaves a clean mark, a halt does not, and both keep the records", async () => {
    const first = await startBroker();
    const connection = await first.dial();
    await createTopic(connection, "t", { "mq.durability": "memory" });
    await produceTo(connection, "t", batchOf(["a"]));
    await first.clock.until(first.broker.stop());
    expect((await first.broker.stopped).kind).toBe("graceful");
    expect(first.disk.info("/data/.cleanshutdown")?.isDirectory).toBeFalse();
    const second = await startBroker({}, first.disk.crash());
    expect(second.disk.info("/data/.cleanshutdown")).toBeUndefined();
    expect(recordsOf((await fetchFrom(await second.dial(), "t")).records)).toEqual(["0:a"]);
    second.broker.halt();
    expect(second.disk.info("/data/.cleanshutdown")).toBeUndefined();
  });

  test("a graceful stop answers a long poll instead of waiting for it", async () => {
    const { dial, clock, broker } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    connection.send(fetch, FETCH_VERSION, fetchBody("t", { maxWaitMs: 60_000 }));
    await clock.settle();
    const stopping = broker.stop();
    await clock.settle();
    expect(connection.answerCount).toBe(1);
    await clock.until(stopping);
    expect(connection.isClosed).toBeTrue();
  });

  test("the directory with the metadata is found in whatever order the directories are named", async () => {
    const first = await startBroker({ "log.dirs": "/one,/two" });
    const connection = await first.dial();
    await createTopic(connection, "t");
    await produceTo(connection, "t", batchOf(["a"]));
    first.broker.halt();
    const second = await startBroker({ "log.dirs": "/two,/one" }, first.disk.kill());
    expect(recordsOf((await fetchFrom(await second.dial(), "t")).records)).toEqual(["0:a"]);
  });

  test("a full disk refuses new topics, and takes them when there is room", async () => {
    const { dial, disk } = await startBroker();
    const connection = await dial();
    disk.failNext("write", "no-space");
    await expect(createTopic(connection, "t")).rejects.toThrow("no space is left");
    await createTopic(connection, "t");
    expect((await produceTo(connection, "t", batchOf(["a"]))).errorCode).toBe(ErrorCode.None);
  });

  test("a disk that fails under the metadata ends the broker", async () => {
    const { dial, disk, broker } = await startBroker();
    const connection = await dial();
    disk.failNext("sync", "io", true);
    await createTopic(connection, "t").catch(() => undefined); // refused or cut off, as it comes
    expect((await broker.stopped).kind).toBe("failed");
  });

  test("a topic whose log could not be made is a storage error, not an unknown topic", async () => {
    const { dial, disk } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "first");
    disk.failNext("makeDirectory", "no-space"); // when the record is durable already
    await createTopic(connection, "t");
    expect((await produceTo(connection, "t", batchOf(["a"]))).errorCode).toBe(
      ErrorCode.KafkaStorageError,
    );
    expect((await fetchFrom(connection, "t")).errorCode).toBe(ErrorCode.KafkaStorageError);
    expect((await produceTo(connection, "first", batchOf(["a"]))).errorCode).toBe(ErrorCode.None);
  });
});
