import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { fetch } from "../../src/api/fetch.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import type { MemoryDisk } from "../log/memory_disk.ts";
import {
  batchOf,
  type Fixture,
  type RawConnection,
  recordsOf,
  startBroker,
} from "./broker_fixture.ts";
import { createTopic, FETCH_VERSION, fetchBody, produceTo } from "./topic_requests.ts";

const TOPICS = ["a", "b", "c"];

/** Three topics with two batches each, of a broker that was stopped and started again. */
async function restarted(hurt: (disk: MemoryDisk) => void): Promise<Fixture> {
  const before = await startBroker();
  const connection = await before.dial();
  for (const topic of TOPICS) {
    await createTopic(connection, topic);
    for (const value of ["x", "y"]) {
      await produceTo(connection, topic, batchOf([`${topic}${value}`]));
    }
  }
  await before.clock.until(before.broker.stop());
  const disk = before.disk.kill();
  hurt(disk);
  return await startBroker({}, disk);
}

function flip(disk: MemoryDisk, topic: string, at: number): void {
  const { content } = disk.files.get(`/data/${topic}-0/${"0".repeat(20)}.log`) as {
    content: Uint8Array;
  };
  content[at] = (content[at] as number) ^ 1;
}

/** "error: records" of each topic, asked for in one request. */
async function fetchAll(connection: RawConnection, offset = 0): Promise<readonly string[]> {
  const topics = TOPICS.flatMap((topic) => fetchBody(topic, { offset }).topics ?? []);
  const body = { ...fetchBody("a"), maxWaitMs: 60_000, topics };
  const { responses } = await connection.ask(fetch, FETCH_VERSION, body);
  return responses.map(({ partitions: [partition] }) =>
    `${partition?.errorCode}: ${recordsOf(partition?.records ?? null).join(" ")}`
  );
}

async function timeOf(connection: RawConnection, topic: string): Promise<number | undefined> {
  const { topics } = await connection.ask(listOffsets, 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{
      name: topic,
      partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: 1 }],
    }],
  });
  return topics[0]?.partitions[0]?.errorCode;
}

describe("a damaged batch", () => {
  test("is CORRUPT_MESSAGE for its partition, the others are answered", async () => {
    const { dial, events } = await restarted((disk) => flip(disk, "b", 66));
    const connection = await dial();
    const both = (topic: string): string => `0: 0:${topic}x 1:${topic}y`;
    for (let round = 0; round < 3; round++) {
      expect(await fetchAll(connection)).toEqual([
        both("a"),
        `${ErrorCode.CorruptMessage}: `,
        both("c"),
      ]);
    }
    expect(events.filter((event) => event.includes("a batch is damaged"))).toHaveLength(1);
    expect(await timeOf(connection, "b")).toBe(ErrorCode.CorruptMessage);
    expect((await fetchAll(connection, 1))[1]).toBe("0: 1:by");
  });

  test("what lies before it is served", async () => {
    const { dial, disk } = await restarted(() => undefined);
    const { content } = disk.files.get(`/data/b-0/${"0".repeat(20)}.log`) as {
      content: Uint8Array;
    };
    flip(disk, "b", content.length - 1);
    const connection = await dial();
    expect((await fetchAll(connection))[1]).toBe("0: 0:bx");
    expect((await fetchAll(connection, 1))[1]).toBe(`${ErrorCode.CorruptMessage}: `);
  });
});

describe("a read that the disk refuses", () => {
  test("is KAFKA_STORAGE_ERROR for its partition in that fetch only", async () => {
    const { dial, disk } = await restarted(() => undefined);
    const connection = await dial();
    disk.failNext("read", "unreadable");
    expect(await fetchAll(connection)).toEqual([
      `${ErrorCode.KafkaStorageError}: `,
      "0: 0:bx 1:by",
      "0: 0:cx 1:cy",
    ]);
    expect((await fetchAll(connection))[0]).toBe("0: 0:ax 1:ay");
    disk.failNext("read", "unreadable");
    expect(await timeOf(connection, "a")).toBe(ErrorCode.KafkaStorageError);
    expect((await produceTo(connection, "a", batchOf(["z"]))).errorCode).toBe(0);
  });
});
