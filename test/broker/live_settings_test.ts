/** What a change of a topic's settings does to a running broker, from the next append on. */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import { produce } from "../../src/api/produce.ts";
import { textOf } from "../../src/ground/text.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { decompressWith } from "../../src/record/compression.ts";
import { RecordCursor } from "../../src/record/record_cursor.ts";
import type { MemoryDisk } from "../log/memory_disk.ts";
import { batchOf } from "./broker_fixture.ts";
import {
  alterTopic,
  brokerWith,
  fetchFrom,
  PRODUCE_VERSION,
  produceBody,
  produceTo,
} from "./topic_requests.ts";

/** What a power cut would leave of the topic's records. */
function durableBytes(disk: MemoryDisk): number {
  return disk.durableFiles.get("/data/t-0/00000000000000000000.log")?.durable.length ?? 0;
}

/** Text that some levels find more in than others. */
function orders(): string {
  const lines: string[] = [];
  for (let index = 0; index < 2000; index++) {
    lines.push(`order ${index * 7919 % 1013} of customer ${index * index % 997};`);
  }
  return lines.join("");
}

describe("A change of settings is in force from the next append on:", () => {
  test("segment.bytes", async () => {
    const { connection, disk } = await brokerWith();
    const big = "x".repeat(700_000);
    const segments = (): number =>
      disk.list("/data/t-0").filter(({ name }) => name.endsWith(".log")).length;
    for (let index = 0; index < 3; index++) await produceTo(connection, "t", batchOf([big]));
    expect(segments()).toBe(1);
    await alterTopic(connection, "t", { "segment.bytes": "1048576" });
    await produceTo(connection, "t", batchOf([big]));
    expect(segments()).toBe(2);
    await produceTo(connection, "t", batchOf([big]));
    expect(segments()).toBe(3);
  });

  test("max.message.bytes", async () => {
    const { connection } = await brokerWith();
    const batch = (): Uint8Array => batchOf(["x".repeat(500)]);
    expect((await produceTo(connection, "t", batch())).errorCode).toBe(ErrorCode.None);
    await alterTopic(connection, "t", { "max.message.bytes": "400" });
    expect((await produceTo(connection, "t", batch())).errorCode).toBe(ErrorCode.MessageTooLarge);
    await alterTopic(connection, "t", { "max.message.bytes": "1000" });
    expect((await produceTo(connection, "t", batch())).errorCode).toBe(ErrorCode.None);
  });

  test("cleanup.policy: records without a key stay, and no more of them come", async () => {
    const { connection } = await brokerWith();
    expect((await produceTo(connection, "t", batchOf(["keyless"]))).errorCode).toBe(0);
    await alterTopic(connection, "t", { "cleanup.policy": "compact" });
    const refused = await produceTo(connection, "t", batchOf(["keyless"]));
    expect(refused.errorCode).toBe(ErrorCode.InvalidRecord);
    expect((await fetchFrom(connection, "t")).highWatermark).toBe(1);
    await alterTopic(connection, "t", { "cleanup.policy": "delete" });
    expect((await produceTo(connection, "t", batchOf(["keyless"]))).errorCode).toBe(0);
  });

  test("message.timestamp.type", async () => {
    const { connection, clock } = await brokerWith();
    const old = batchOf(["x"], { timestamp: 1 });
    expect((await produceTo(connection, "t", old)).logAppendTimeMs).toBe(-1);
    await alterTopic(connection, "t", { "message.timestamp.type": "LogAppendTime" });
    const stamped = await produceTo(connection, "t", batchOf(["x"], { timestamp: 1 }));
    expect(stamped.logAppendTimeMs).toBe(clock.wallMs());
  });

  test("message.timestamp.before.max.ms", async () => {
    const { connection, clock } = await brokerWith();
    const timestamp = clock.wallMs() - 10_000;
    const answer = async (): Promise<number> =>
      (await produceTo(connection, "t", batchOf(["x"], { timestamp }))).errorCode;
    expect(await answer()).toBe(ErrorCode.None);
    await alterTopic(connection, "t", { "message.timestamp.before.max.ms": "9999" });
    expect(await answer()).toBe(ErrorCode.InvalidTimestamp);
  });

  test("compression.type", async () => {
    const { connection } = await brokerWith();
    const stored = async (offset: number): Promise<number> => {
      const { records } = await fetchFrom(connection, "t", { offset });
      return (records as Uint8Array)[22] as number & 7; // the low byte of the attributes
    };
    await produceTo(connection, "t", batchOf(["x".repeat(100)]));
    await alterTopic(connection, "t", { "compression.type": "gzip" });
    await produceTo(connection, "t", batchOf(["x".repeat(100)]));
    expect([await stored(0), await stored(1)]).toEqual([0, 1]);
  });

  for (const [codec, low, high] of [["gzip", "1", "9"], ["zstd", "-7", "22"]] as const) {
    test(`compression.${codec}.level`, async () => {
      const { connection, env } = await brokerWith({ "compression.type": codec });
      const value = orders();
      const storedBytes = async (level: string): Promise<number> => {
        await alterTopic(connection, "t", { [`compression.${codec}.level`]: level });
        const { baseOffset } = await produceTo(connection, "t", batchOf([value]));
        const { records } = await fetchFrom(connection, "t", { offset: baseOffset });
        const batch = new BatchView(records as Uint8Array);
        const cursor = new RecordCursor({
          decompress: decompressWith(env.compressors),
          inflatedBytesMax: 1 << 20,
        });
        cursor.open(batch);
        expect([cursor.next(), textOf(cursor.value() as Uint8Array)]).toEqual([true, value]);
        return batch.sizeInBytes();
      };
      const [atLow, atHigh] = [await storedBytes(low), await storedBytes(high)];
      expect(atHigh).toBeLessThan(atLow * 0.9);
      // What comes in the topic's codec stays as it came, whatever the level.
      const { records } = await fetchFrom(connection, "t");
      const own = (records as Uint8Array).slice(0, atLow);
      const { baseOffset } = await produceTo(connection, "t", own);
      const again = await fetchFrom(connection, "t", { offset: baseOffset });
      expect(again.records).toHaveLength(atLow);
    });
  }

  test("min.insync.replicas", async () => {
    const { connection } = await brokerWith();
    const ACKS_LEADER = 1;
    await alterTopic(connection, "t", { "min.insync.replicas": "2" });
    expect((await produceTo(connection, "t", batchOf(["x"]))).errorCode)
      .toBe(ErrorCode.NotEnoughReplicas);
    expect((await produceTo(connection, "t", batchOf(["x"]), ACKS_LEADER)).errorCode)
      .toBe(ErrorCode.None);
    await alterTopic(connection, "t", { "min.insync.replicas": "1" });
    expect((await produceTo(connection, "t", batchOf(["x"]))).errorCode).toBe(ErrorCode.None);
  });

  test("retention.ms and retention.bytes", async () => {
    const { connection, clock } = await brokerWith({ "segment.bytes": "1048576" });
    const big = "x".repeat(700_000);
    const start = async (): Promise<number | undefined> => {
      const partitions = [{ partitionIndex: 0, timestamp: -2 }];
      const { topics } = await connection.ask(listOffsets, 9, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: "t", partitions }],
      });
      return topics[0]?.partitions[0]?.offset;
    };
    const timestamp = clock.wallMs();
    const runAgain = (): Promise<void> => clock.advance(400_000);
    for (let index = 0; index < 4; index++) {
      await produceTo(connection, "t", batchOf([big], { timestamp }));
    }
    await runAgain();
    expect(await start()).toBe(0);
    await alterTopic(connection, "t", { "retention.bytes": "1500000" });
    await runAgain();
    expect(await start()).toBe(1);
    await alterTopic(connection, "t", { "retention.bytes": "-1", "retention.ms": "1000" });
    await runAgain();
    expect(await start()).toBe(4);
  });

  test("mq.durability from memory to quorum-fsync: what comes waits for the disk", async () => {
    const { connection, clock, disk, dial } = await brokerWith({ "mq.durability": "memory" });
    const reader = await dial();
    const highWatermark = async (): Promise<number> => (await fetchFrom(reader, "t")).highWatermark;
    await produceTo(connection, "t", batchOf(["a"]));
    expect([await highWatermark(), durableBytes(disk)]).toEqual([1, 0]);
    await alterTopic(connection, "t", { "mq.durability": "quorum-fsync" });
    await clock.settle();
    expect(durableBytes(disk)).toBeGreaterThan(0);
    disk.failNext("sync", "no-handles");
    connection.send(produce, PRODUCE_VERSION, produceBody("t", batchOf(["b"])));
    await clock.settle();
    expect([connection.answerCount, await highWatermark()]).toEqual([0, 1]);
    await clock.advance(100);
    expect([connection.answerCount, await highWatermark()]).toEqual([1, 2]);
  });

  test("mq.durability from quorum-fsync to memory: who waits is answered", async () => {
    const { connection, clock, disk, dial } = await brokerWith();
    disk.failNext("sync", "no-handles");
    connection.send(produce, PRODUCE_VERSION, produceBody("t", batchOf(["a"])));
    await clock.settle();
    expect(connection.answerCount).toBe(0);
    await alterTopic(await dial(), "t", { "mq.durability": "memory" });
    await clock.settle();
    expect(connection.answerCount).toBe(1);
    expect(
      connection.answer(produce, PRODUCE_VERSION).responses[0]?.partitionResponses[0]?.errorCode,
    )
      .toBe(ErrorCode.None);
  });

  test("flush.ms: a shorter time counts for what is already there", async () => {
    const { connection, clock, disk } = await brokerWith({
      "mq.durability": "memory",
      "flush.ms": "20000",
    });
    await produceTo(connection, "t", batchOf(["a"]));
    await alterTopic(connection, "t", { "flush.ms": "100" });
    expect(durableBytes(disk)).toBe(0);
    await clock.advance(100);
    expect(durableBytes(disk)).toBeGreaterThan(0);
  });
});
