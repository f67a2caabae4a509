import { describe, expect, test } from "bun:test";
import { initProducerId } from "../../src/api/init_producer_id.ts";
import { produce } from "../../src/api/produce.ts";
import type { BatchReport, DeliveryReport } from "../../src/client/producer_options.ts";
import { partitionOfKey } from "../../src/ground/murmur2.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import type { FakeBroker } from "./fake_broker.ts";
import { codeOf, startHarness, textOrNull, valued, valuesIn } from "./harness.ts";
import { batchesSent, setUpProducer as setUp } from "./producing.ts";

function sizesOf(broker: FakeBroker): number[] {
  return batchesSent(broker).map((batch) => batch.recordCount());
}

describe("Producer", () => {
  test("append() copies the record at once, and gives nothing to wait for", async () => {
    const { client, cluster, clock } = await setUp();
    const producer = client.producer();
    const value = bytesOf("one");
    expect(producer.append("a", { key: null, value })).toBeUndefined();
    value.fill(0);
    await clock.until(producer.flush());
    expect(valuesIn(cluster.partition("a", 0))).toEqual(["one"]);
    expect(producer.bufferedBytes).toBe(0);
  });

  test("appendSlice() takes key and value out of a larger buffer", async () => {
    const { client, cluster, clock } = await setUp();
    const producer = client.producer();
    const bytes = bytesOf("key=value;");
    const slice = { bytes, keyStart: 0, keyEnd: 3, valueStart: 4, valueEnd: 9 };
    producer.appendSlice("a", slice);
    slice.keyStart = slice.valueStart = -1;
    producer.appendSlice("a", slice);
    bytes.fill(0);
    await clock.until(producer.flush());
    expect(valuesIn(cluster.partition("a", 0))).toEqual(["value", null]);
  });

  test("a record leaves when it is lingerMs old, and not before", async () => {
    const { client, broker, clock } = await setUp();
    const producer = client.producer({ lingerMs: 50 });
    producer.append("a", valued("1"));
    await clock.advance(30);
    producer.append("a", valued("2"));
    await clock.advance(19);
    expect(broker.requestsOf(produce)).toHaveLength(0);
    await clock.advance(1);
    expect(sizesOf(broker)).toEqual([2]);
  });

  test("without linger, what is appended in one go leaves together", async () => {
    const { client, broker, clock } = await setUp();
    const producer = client.producer({ lingerMs: 0 });
    producer.append("a", valued("1"));
    producer.append("a", valued("2"));
    await clock.settle();
    expect(sizesOf(broker)).toEqual([2]);
  });

  test("a full batch leaves at once", async () => {
    const { client, broker, clock } = await setUp();
    const producer = client.producer({ lingerMs: 1000, batchBytes: 200 });
    for (let index = 0; index < 3; index++) producer.append("a", valued("x".repeat(60)));
    await clock.settle();
    expect(sizesOf(broker)).toEqual([2]);
    await clock.until(producer.flush());
    expect(sizesOf(broker)).toEqual([2, 1]);
  });

  test("reports come per batch and per record, in order", async () => {
    const { client, clock } = await setUp();
    const batches: BatchReport[] = [];
    const records: DeliveryReport[] = [];
    const producer = client.producer({ onBatchDelivered: (report) => batches.push(report) });
    producer.append("a", valued("1"), (report) => records.push(report));
    producer.append("a", valued("2"));
    producer.append("a", valued("3"), (report) => records.push(report));
    await clock.until(producer.flush());
    expect(batches).toEqual([{ topic: "a", partition: 0, baseOffset: 0, recordCount: 3 }]);
    expect(records).toEqual([
      { topic: "a", partition: 0, offset: 0 },
      { topic: "a", partition: 0, offset: 2 },
    ]);
  });

  test("a callback that throws harms nobody else", async () => {
    const { client, clock, events } = await setUp();
    const producer = client.producer();
    producer.append("a", valued("1"), () => {
      throw new Error("mine");
    });
    await clock.until(producer.flush());
    expect(await clock.until(producer.send("a", valued("2")))).toEqual({ partition: 0, offset: 1 });
    expect(events).toContain("error delivery callback failed");
  });

  test("a callback may append", async () => {
    const { client, cluster, clock } = await setUp();
    const producer = client.producer({ lingerMs: 0 });
    const { promise, resolve } = Promise.withResolvers<void>();
    producer.append("a", valued("1"), () => {
      producer.append("a", valued("2"), () => resolve());
    });
    await clock.until(promise);
    expect(valuesIn(cluster.partition("a", 0))).toEqual(["1", "2"]);
  });

  test("flush() waits for what was appended before it, and not for what comes after", async () => {
    const { client, broker, clock } = await setUp();
    const producer = client.producer({ lingerMs: 60_000 });
    producer.append("a", valued("1"));
    const flushed = producer.flush();
    producer.append("a", valued("2"));
    await clock.settle();
    await flushed;
    expect(sizesOf(broker)).toEqual([1]);
    await clock.until(client.close());
    expect(sizesOf(broker)).toEqual([1, 1]);
  });

  test("close() delivers, and then nothing more is taken", async () => {
    const { client, cluster, clock } = await setUp();
    const producer = client.producer();
    producer.append("a", valued("1"));
    await clock.until(producer.close());
    expect(valuesIn(cluster.partition("a", 0))).toEqual(["1"]);
    expect(() => producer.append("a", valued("2"))).toThrow("closed");
    await clock.until(producer.close());
  });

  test("acks=0 is sent without an answer, and counts as delivered", async () => {
    const { client, cluster, clock, broker } = await setUp();
    const reports: BatchReport[] = [];
    const producer = client.producer({
      acks: 0,
      onBatchDelivered: (report) => reports.push(report),
    });
    producer.append("a", valued("1"));
    await clock.until(producer.flush());
    await clock.settle();
    expect(reports).toEqual([{ topic: "a", partition: 0, baseOffset: -1, recordCount: 1 }]);
    expect(valuesIn(cluster.partition("a", 0))).toEqual(["1"]);
    expect(broker.requestsOf(initProducerId)).toHaveLength(0);
  });

  test("acks=1 is not idempotent", async () => {
    const { client, broker, clock } = await setUp();
    await clock.until(client.producer({ acks: 1 }).send("a", valued("1")));
    expect(broker.requestsOf(initProducerId)).toHaveLength(0);
    expect(broker.requestsOf(produce)[0]?.body.acks).toBe(1);
    const [view] = batchesSent(broker) as [BatchView];
    expect(view.producerId()).toBe(-1);
    expect(view.baseSequence()).toBe(-1);
    expect(view.crc()).toBe(view.computedCrc((await startHarness()).env.crc32c));
  });

  test("compression is asked of the codec, and named in the batch", async () => {
    const { client, cluster, clock } = await setUp();
    const producer = client.producer({ compressionType: "zstd" });
    producer.append("a", valued("1"));
    producer.append("a", valued("2"));
    await clock.until(producer.flush());
    const [batch] = cluster.partition("a", 0).batches;
    expect(new BatchView(batch as Uint8Array).compressionType()).toBe("zstd");
    expect(valuesIn(cluster.partition("a", 0))).toEqual(["1", "2"]);
  });

  test("headers, timestamp and partition are those of the record", async () => {
    const { client, clock } = await setUp({ partitions: 3 });
    const producer = client.producer();
    const headers = [["h", bytesOf("1")], ["h", null]] as const;
    producer.append("a", { ...valued("1"), headers, timestamp: 5, partition: 2 });
    await clock.until(producer.flush());
    const assignments = [{ topic: "a", partition: 2, from: 0, until: 1 }];
    const records = client.consumer({ assignments })[Symbol.asyncIterator]();
    const { value } = await clock.until(records.next());
    expect(value?.timestamp).toBe(5);
    expect(value?.headers.map(([key, bytes]) => [key, textOrNull(bytes)]))
      .toEqual([["h", "1"], ["h", null]]);
  });
});

describe("Producer, partitions", () => {
  test("a key always goes where Kafka's murmur2 puts it", async () => {
    const { client, cluster, clock } = await setUp({ partitions: 4 });
    const producer = client.producer();
    const keys = Array.from({ length: 40 }, (_, index) => `key ${index}`);
    for (const key of keys) producer.append("a", { key: bytesOf(key), value: bytesOf(key) });
    await clock.until(producer.flush());
    for (let partition = 0; partition < 4; partition++) {
      expect(valuesIn(cluster.partition("a", partition)))
        .toEqual(keys.filter((key) => partitionOfKey(bytesOf(key), 4) === partition));
    }
  });

  test("records without a key stick together, and move on with the next batch", async () => {
    const { client, cluster, clock } = await setUp({ partitions: 3 });
    const producer = client.producer();
    const filled: number[] = [];
    for (let round = 0; round < 12; round++) {
      const { partition } = await clock.until((async () => {
        for (let index = 0; index < 9; index++) producer.append("a", valued("x"));
        return await producer.send("a", valued("y"));
      })());
      expect(valuesIn(cluster.partition("a", partition)).slice(-10)).toHaveLength(10);
      filled.push(partition);
    }
    expect(filled.every((partition, index) => partition !== filled[index + 1])).toBeTrue();
    expect([...new Set(filled)].sort()).toEqual([0, 1, 2]);
  });

  test("round-robin takes turns, keys or not", async () => {
    const { client, cluster, clock } = await setUp({ partitions: 3 });
    const producer = client.producer({ partitioner: "round-robin" });
    for (let index = 0; index < 6; index++) {
      producer.append("a", { key: bytesOf("k"), value: bytesOf(String(index)) });
    }
    await clock.until(producer.flush());
    for (let partition = 0; partition < 3; partition++) {
      expect(valuesIn(cluster.partition("a", partition)))
        .toEqual([String(partition), String(partition + 3)]);
    }
  });

  test("a partition that is not there is reported", async () => {
    const { client, clock } = await setUp();
    const producer = client.producer();
    const sent = producer.send("a", { ...valued("1"), partition: 1 });
    expect(await clock.until(codeOf(sent))).toBe("UNKNOWN_TOPIC_OR_PARTITION");
  });

  test("partitions that are added are used", async () => {
    const { client, cluster, clock } = await setUp();
    const producer = client.producer({ partitioner: "round-robin" });
    await clock.until(producer.send("a", valued("1")));
    cluster.topics.get("a")?.partitions.push(...cluster.createTopic("b", 1).partitions);
    await clock.until(client.metadata.refresh("a"));
    for (let index = 0; index < 4; index++) {
      await clock.until(producer.send("a", valued("2")));
    }
    expect(valuesIn(cluster.partition("a", 1)).length).toBeGreaterThan(0);
  });

  test("one request carries the batches of many partitions", async () => {
    const { client, broker, clock } = await setUp({ partitions: 5 });
    const producer = client.producer({ partitioner: "round-robin" });
    for (let index = 0; index < 10; index++) producer.append("a", valued("1"));
    await clock.until(producer.flush());
    const requests = broker.requestsOf(produce);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.body.topicData[0]?.partitionData).toHaveLength(5);
  });
});
