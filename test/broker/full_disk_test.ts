import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { produce } from "../../src/api/produce.ts";
import { batchOf, startBroker } from "./broker_fixture.ts";
import { deleteTopic, MEBIBYTE, metric, ready, valuesOf } from "./disk_questions.ts";
import { createTopic, PRODUCE_VERSION, produceBody, produceTo } from "./topic_requests.ts";

describe("a full disk", () => {
  test("refuses batches and says why; what is there is read; it recovers by itself", async () => {
    const fixture = await startBroker();
    const { dial, disk, clock } = fixture;
    const connection = await dial();
    await createTopic(connection, "t");
    expect((await produceTo(connection, "t", batchOf(["a"]))).errorCode).toBe(ErrorCode.None);
    disk.roomBytes = 10 * MEBIBYTE;
    await clock.advance(500);
    const refused = await produceTo(connection, "t", batchOf(["b"]));
    expect(refused.errorCode).toBe(ErrorCode.KafkaStorageError);
    expect(refused.errorMessage).toBe(
      "log directory /data is full: 10.0 MiB are free, 72.0 MiB are needed (mq.disk.reserve.bytes)",
    );
    expect(await valuesOf(connection, "t")).toEqual(["0:a"]);
    expect(metric(fixture, "mq_disk_is_full")).toBe("1");
    expect(metric(fixture, "mq_disk_free_bytes")).toBe(String(10 * MEBIBYTE));
    expect(ready(fixture)).toBe(
      '200 {"status":"degraded","logDirectories":[{"path":"/data","state":"full"}],"offlinePartitions":0}',
    );
    disk.roomBytes = 100 * MEBIBYTE;
    await clock.advance(500);
    expect((await produceTo(connection, "t", batchOf(["c"]))).baseOffset).toBe(1);
    expect(await valuesOf(connection, "t")).toEqual(["0:a", "1:c"]);
    expect(ready(fixture)).toBe('200 {"status":"ok"}');
  });

  test("leaves the reserve to metadata: topics are made and deleted", async () => {
    const { dial, disk, clock } = await startBroker();
    const connection = await dial();
    disk.roomBytes = MEBIBYTE;
    await clock.advance(500);
    await createTopic(connection, "t");
    expect((await produceTo(connection, "t", batchOf(["b"]))).errorCode).toBe(
      ErrorCode.KafkaStorageError,
    );
    expect(await deleteTopic(connection, "t")).toBe(ErrorCode.None);
    expect(disk.info("/data/t-0")).toBeUndefined();
  });

  test("knows a batch again that was acknowledged before", async () => {
    const { dial, disk, clock } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    const batch = (): Uint8Array =>
      batchOf(["a"], { producerId: 7, producerEpoch: 0, baseSequence: 0 });
    expect((await produceTo(connection, "t", batch())).baseOffset).toBe(0);
    disk.roomBytes = 0;
    await clock.advance(500);
    const again = await produceTo(connection, "t", batch());
    expect([again.errorCode, again.baseOffset]).toEqual([ErrorCode.None, 0]);
  });

  test("who waits for a sync that found no room waits on, and succeeds when there is some", async () => {
    const { dial, disk, clock } = await startBroker({ "mq.disk.reserve.bytes": "0" });
    const connection = await dial();
    await createTopic(connection, "t");
    const batch = batchOf(["a"]);
    disk.roomBytes = batch.length; // none for leader-epoch-checkpoint
    connection.send(produce, PRODUCE_VERSION, produceBody("t", batch));
    await clock.advance(2000);
    expect(connection.answerCount).toBe(0);
    disk.roomBytes = Infinity;
    await clock.advance(100);
    const [topic] = connection.answer(produce, PRODUCE_VERSION).responses;
    expect(topic?.partitionResponses[0]?.errorCode).toBe(ErrorCode.None);
    const after = await startBroker({}, disk.crash());
    expect(await valuesOf(await after.dial(), "t")).toEqual(["0:a"]);
  });

  test("takes what fits to the last byte without a reserve, whole or not at all", async () => {
    const { dial, disk, clock } = await startBroker({ "mq.disk.reserve.bytes": "0" });
    const connection = await dial();
    await createTopic(connection, "t");
    await produceTo(connection, "t", batchOf(["a"]));
    await clock.advance(500);
    for (let room = 0; room < batchOf(["b"]).length; room += 7) {
      disk.roomBytes = room;
      const { errorCode } = await produceTo(connection, "t", batchOf(["b"]));
      expect(errorCode).toBe(ErrorCode.KafkaStorageError);
      disk.roomBytes = Infinity;
      await clock.advance(500);
    }
    expect((await produceTo(connection, "t", batchOf(["c"]))).baseOffset).toBe(1);
    const after = await startBroker({}, disk.kill());
    expect(await valuesOf(await after.dial(), "t")).toEqual(["0:a", "1:c"]);
  });

  test("lets a broker stop: what it could not mark as clean is recovered", async () => {
    const { dial, disk, clock, broker, events } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    await produceTo(connection, "t", batchOf(["a"]));
    disk.roomBytes = 0;
    await clock.until(broker.stop());
    expect((await broker.stopped).kind).toBe("graceful");
    expect(events.join("\n")).toMatch("could not be closed: the next start recovers it");
    expect(disk.info("/data/.cleanshutdown")).toBeUndefined();
    const after = await startBroker({}, disk.kill());
    expect(await valuesOf(await after.dial(), "t")).toEqual(["0:a"]);
  });
});
