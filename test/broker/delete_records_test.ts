/** DeleteRecords at a whole broker: Kafka's answers, and starts that never go back. */
import { describe, expect, test } from "bun:test";
import { deleteRecords } from "../../src/api/delete_records.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import type { RequestInput } from "../../src/api/schema.ts";
import { exchange, RECORDS, TOPICS } from "../golden/delete_records_exchange.ts";
import kafkaAnswers from "../golden/kafka_4_1_delete_records.json" with { type: "json" };
import {
  batchOf,
  type Fixture,
  type RawConnection,
  recordsOf,
  startBroker,
} from "./broker_fixture.ts";
import { createTopic, fetchFrom, produceTo } from "./topic_requests.ts";

function bodyOf(topic: string, offset: number): RequestInput<typeof deleteRecords> {
  return {
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }],
    timeoutMs: 1000,
  };
}

/** The new start, or the error. */
async function trim(connection: RawConnection, topic: string, offset: number): Promise<string> {
  const { topics } = await connection.ask(deleteRecords, 2, bodyOf(topic, offset));
  return shown(topics[0]?.partitions[0]);
}

function shown(
  result: { readonly errorCode: number; readonly lowWatermark: number } | undefined,
): string {
  return result?.errorCode === 0 ? `start ${result.lowWatermark}` : `error ${result?.errorCode}`;
}

async function startOf(connection: RawConnection, topic: string): Promise<number> {
  const { topics } = await connection.ask(listOffsets, 8, {
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -2 }] }],
  });
  return topics[0]?.partitions[0]?.offset ?? NaN;
}

/** A broker with a topic "t" of records a to e. */
async function startFilled(
  config: Readonly<Record<string, string>> = {},
): Promise<Fixture & { readonly connection: RawConnection }> {
  const fixture = await startBroker();
  const connection = await fixture.dial();
  await createTopic(connection, "t", config);
  for (const value of RECORDS) await produceTo(connection, "t", batchOf([value]));
  await fixture.disk.syncDirectory("/"); // the data directory is no news to the disk
  return { ...fixture, connection };
}

describe("DeleteRecords", () => {
  test("answers as Kafka does, and Fetch and ListOffsets follow at once", async () => {
    const connection = await (await startBroker()).dial();
    for (const [name, policy] of TOPICS) {
      await createTopic(connection, name, { "cleanup.policy": policy });
    }
    await produceTo(connection, "plain", batchOf(RECORDS));
    const answers = await exchange(connection);
    expect(answers).toHaveLength(kafkaAnswers.length);
    for (const [index, answer] of answers.entries()) {
      expect(answer as unknown).toEqual(kafkaAnswers[index]);
    }
  });

  test("an internal topic is none of a client's (Kafka 4.1: 17)", async () => {
    const connection = await (await startBroker()).dial();
    await createTopic(connection, "__consumer_offsets");
    expect(await trim(connection, "__consumer_offsets", 0)).toBe(
      `error ${ErrorCode.InvalidTopicException}`,
    );
  });

  test("what is in the middle of a batch is cut there for those who ask", async () => {
    const connection = await (await startBroker()).dial();
    await createTopic(connection, "t");
    await produceTo(connection, "t", batchOf(RECORDS));
    expect(await trim(connection, "t", 3)).toBe("start 3");
    expect((await fetchFrom(connection, "t", { offset: 2 })).errorCode).toBe(
      ErrorCode.OffsetOutOfRange,
    );
    const { records, logStartOffset } = await fetchFrom(connection, "t", { offset: 3 });
    expect(recordsOf(records).at(-1)).toBe("4:e");
    expect(logStartOffset).toBe(3);
    expect((await produceTo(connection, "t", batchOf(["f"]))).logStartOffset).toBe(3);
  });

  test("the start stays where it was said to be, after a kill and after a loss of power", async () => {
    const { connection, disk } = await startFilled();
    expect(await trim(connection, "t", 3)).toBe("start 3");
    for (const left of [disk.kill(), disk.crash()]) {
      const after = await (await startBroker({}, left)).dial();
      expect(await startOf(after, "t")).toBe(3);
      expect(recordsOf((await fetchFrom(after, "t", { offset: 3 })).records)).toEqual([
        "3:d",
        "4:e",
      ]);
      expect((await fetchFrom(after, "t")).errorCode).toBe(ErrorCode.OffsetOutOfRange);
      expect(await trim(after, "t", 1)).toBe("start 3");
    }
  });

  test("the start stays even where the records themselves are lost", async () => {
    const { connection, disk } = await startFilled({ "mq.durability": "memory" });
    expect(await trim(connection, "t", -1)).toBe("start 5");
    const after = await (await startBroker({}, disk.crash())).dial();
    expect(await startOf(after, "t")).toBe(5);
    expect((await produceTo(after, "t", batchOf(["f"]))).baseOffset).toBe(5);
    expect(recordsOf((await fetchFrom(after, "t", { offset: 5 })).records)).toEqual(["5:f"]);
  });

  test("the start stays over a graceful stop", async () => {
    const { connection, disk, clock, broker } = await startFilled();
    await trim(connection, "t", 4);
    await clock.until(broker.stop());
    expect(await startOf(await (await startBroker({}, disk.kill())).dial(), "t")).toBe(4);
  });

  test("requests that come together share the writes", async () => {
    const { connection, disk, clock } = await startFilled();
    for (const topic of ["u", "v", "w"]) {
      await createTopic(connection, topic);
      await produceTo(connection, topic, batchOf(RECORDS));
    }
    const before = disk.calls["rename"] ?? 0;
    for (let offset = 1; offset <= 5; offset++) {
      for (const topic of ["t", "u", "v", "w"]) {
        connection.send(deleteRecords, 2, bodyOf(topic, offset));
      }
    }
    for (let turn = 0; turn < 10; turn++) await clock.settle();
    expect(connection.answerCount).toBe(20);
    expect((disk.calls["rename"] ?? 0) - before).toBeLessThanOrEqual(5);
    const starts = Array.from({ length: 20 }, () => {
      return shown(connection.answer(deleteRecords, 2).topics[0]?.partitions[0]);
    });
    expect(starts.at(-1)).toBe("start 5");
  });

  test("no room for the new start is an error, and the next request may find some", async () => {
    const { connection, disk } = await startFilled();
    disk.failNext("write", "no-space");
    expect(await trim(connection, "t", 3)).toBe(`error ${ErrorCode.KafkaStorageError}`);
    expect(await trim(connection, "t", 3)).toBe("start 3");
    const after = await (await startBroker({}, disk.crash())).dial();
    expect(await startOf(after, "t")).toBe(3);
  });

  test("a directory that fails while it writes the start says so, and the others are trimmed", async () => {
    const fixture = await startBroker({ "log.dirs": "/one,/two" });
    const connection = await fixture.dial();
    for (const topic of ["a", "b"]) {
      await createTopic(connection, topic);
      await produceTo(connection, topic, batchOf(RECORDS));
    }
    const onTwo = fixture.disk.info("/two/a-0") === undefined ? "b" : "a";
    const onOne = onTwo === "a" ? "b" : "a";
    fixture.disk.failNext("sync", "io");
    expect(await trim(connection, onTwo, 3)).toBe(`error ${ErrorCode.KafkaStorageError}`);
    expect(await trim(connection, onTwo, 3)).toBe(`error ${ErrorCode.KafkaStorageError}`);
    expect(await trim(connection, onOne, 3)).toBe("start 3");
  });
});
