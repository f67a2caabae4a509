/** Folders of new partitions: made late and durable late, with nothing lost by it that was promised. */
import { describe, expect, test } from "bun:test";
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteRecords } from "../../src/api/delete_records.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import { produce } from "../../src/api/produce.ts";
import { textOf } from "../../src/ground/text.ts";
import { MemoryDisk } from "../log/memory_disk.ts";
import {
  batchOf,
  type Fixture,
  type RawConnection,
  recordsOf,
  startBroker,
} from "./broker_fixture.ts";
import { createTopic, fetchFrom, PRODUCE_VERSION, produceTo } from "./topic_requests.ts";

const MANY = 100;
const AT_ONCE = 32;

/** Notes whether the medium had a folder whenever log starts were written down. */
class StartsDisk extends MemoryDisk {
  readonly hadFolder: boolean[] = [];

  override rename(source: string, target: string): void {
    super.rename(source, target);
    if (!target.endsWith("/log-start-offset-checkpoint")) return;
    this.hadFolder.push(this.crash().info("/data/t-0") !== undefined);
  }
}

/** One topic with many partitions, in one request. */
async function createMany(connection: RawConnection): Promise<void> {
  const topic = { name: "many", replicationFactor: 1, assignments: [], configs: [] };
  const { topics } = await connection.ask(createTopics, 7, {
    topics: [{ ...topic, numPartitions: MANY }],
    timeoutMs: 1000,
  });
  expect(topics[0]?.errorCode).toBe(0);
}

async function produceInto(connection: RawConnection, index: number): Promise<number | undefined> {
  const { responses } = await connection.ask(produce, PRODUCE_VERSION, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: "many", partitionData: [{ index, records: batchOf(["a"]) }] }],
  });
  return responses[0]?.partitionResponses[0]?.errorCode;
}

function foldersOf(disk: MemoryDisk): number {
  return disk.list("/data").filter(({ name }) => /^many-\d+$/.test(name)).length;
}

function ownerIn(disk: MemoryDisk, folder: string): string | undefined {
  const bytes = disk.readWhole(`/data/${folder}/partition.metadata`);
  return bytes === undefined ? undefined : textOf(bytes);
}

async function valuesOf(fixture: Fixture, topic: string): Promise<readonly string[]> {
  return recordsOf((await fetchFrom(await fixture.dial(), topic)).records);
}

describe("the folder of a new partition", () => {
  test("costs no sync before its first record", async () => {
    const { dial, disk } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "first");
    const syncs = (): number => (disk.calls["sync"] ?? 0) + (disk.calls["syncDirectory"] ?? 0);
    const before = syncs();
    await createTopic(connection, "one");
    const ofOne = syncs() - before;
    await createMany(connection);
    expect(syncs() - before - ofOne).toBe(ofOne); // those of the decision
  });

  test("is durable with its first record, and says whose it is", async () => {
    const { dial, disk } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    expect(disk.crash().info("/data/t-0")).toBeUndefined();
    await produceTo(connection, "t", batchOf(["a"]));
    const owner = ownerIn(disk, "t-0");
    expect(owner).toMatch(/^version: 0\ntopic_id: \S{22}\n$/);
    expect(ownerIn(disk.crash(), "t-0")).toBe(owner);
  });

  test("is durable with its first record also where it is older than this process", async () => {
    for (const isKilled of [false, true]) {
      const before = await startBroker();
      await createTopic(await before.dial(), "t");
      if (!isKilled) await before.clock.until(before.broker.stop());
      const between = await startBroker({}, before.disk.kill());
      await produceTo(await between.dial(), "t", batchOf(["a"]));
      const medium = between.disk.crash();
      expect(ownerIn(medium, "t-0")).toBe(ownerIn(between.disk, "t-0"));
      expect(await valuesOf(await startBroker({}, medium), "t")).toEqual(["0:a"]);
    }
  });

  test("is made anew, or completed, after a loss of power", async () => {
    const { dial, disk } = await startBroker();
    await createTopic(await dial(), "t");
    const owner = ownerIn(disk, "t-0");
    for (const found of ["nothing", "no file", "an empty file", "zeros", "half of it"]) {
      const medium = disk.crash();
      if (found !== "nothing") medium.makeDirectory("/data/t-0");
      if (found !== "nothing" && found !== "no file") {
        const file = medium.open("/data/t-0/partition.metadata", "write");
        if (found === "zeros") file.write(0, [new Uint8Array(44)]);
        if (found === "half of it") file.write(0, [new TextEncoder().encode(owner?.slice(0, 30))]);
        file.close();
      }
      const after = await startBroker({}, medium);
      const connection = await after.dial();
      expect((await produceTo(connection, "t", batchOf(["a"]))).errorCode).toBe(0);
      const again = after.disk.crash();
      expect(ownerIn(again, "t-0")).toBe(owner);
      expect(await valuesOf(await startBroker({}, again), "t")).toEqual(["0:a"]);
    }
  });

  test("is durable before it is written down where its log starts", async () => {
    const disk = new StartsDisk();
    const { dial } = await startBroker({}, disk);
    const connection = await dial();
    await createTopic(connection, "t", { "mq.durability": "memory" });
    for (const value of ["a", "b"]) await produceTo(connection, "t", batchOf([value]));
    expect(disk.crash().info("/data/t-0")).toBeUndefined();
    await connection.ask(deleteRecords, 2, {
      topics: [{ name: "t", partitions: [{ partitionIndex: 0, offset: 2 }] }],
      timeoutMs: 1000,
    });
    expect(disk.hadFolder).toEqual([true]);
    const after = await startBroker({}, disk.crash());
    const { topics } = await (await after.dial()).ask(listOffsets, 6, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{
        name: "t",
        partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1 }],
      }],
    });
    expect(Number(topics[0]?.partitions[0]?.offset)).toBe(2); // no offset is given out again
  });
});

describe("the folders of many new partitions", () => {
  test("are made later than the topic is answered, or with a first record", async () => {
    const { dial, disk, clock } = await startBroker();
    const connection = await dial();
    await createMany(connection);
    expect(foldersOf(disk)).toBe(AT_ONCE);
    expect(await produceInto(connection, MANY - 1)).toBe(0);
    expect(foldersOf(disk)).toBe(AT_ONCE + 1);
    expect(ownerIn(disk.crash(), `many-${MANY - 1}`)).toBe(ownerIn(disk, "many-0"));
    await clock.advance(1000);
    expect(foldersOf(disk)).toBe(MANY);
    expect(ownerIn(disk, `many-${MANY - 2}`)).toBe(ownerIn(disk, "many-0"));
    expect(await produceInto(connection, MANY - 2)).toBe(0);
  });

  test("are there or not: the topic goes all the same, and comes again", async () => {
    const { dial, disk, clock, events } = await startBroker();
    const connection = await dial();
    await createMany(connection);
    const { responses } = await connection.ask(deleteTopics, 5, {
      topicNames: ["many"],
      timeoutMs: 1000,
    });
    expect(responses[0]?.errorCode).toBe(0);
    await clock.advance(1000);
    expect(foldersOf(disk)).toBe(0);
    await createMany(connection);
    await clock.advance(1000);
    expect(foldersOf(disk)).toBe(MANY);
    expect(events.filter((event) => /^(warn|error)/.test(event))).toEqual([]);
  });

  test("a full disk is told of by a first record, and takes it later", async () => {
    const { dial, disk, clock } = await startBroker();
    const connection = await dial();
    await createMany(connection);
    disk.failNext("makeDirectory", "no-space");
    expect(await produceInto(connection, MANY - 1)).not.toBe(0);
    await clock.advance(60_000); // free space is looked at again
    expect(await produceInto(connection, MANY - 1)).toBe(0);
  });

  test("a stop before they are made, clean or not, leaves partitions that can be produced to", async () => {
    for (const isKilled of [false, true]) {
      const before = await startBroker();
      await createMany(await before.dial());
      if (!isKilled) await before.clock.until(before.broker.stop());
      const after = await startBroker({}, before.disk.kill());
      const connection = await after.dial();
      for (const index of [0, AT_ONCE, MANY - 1]) {
        expect(await produceInto(connection, index)).toBe(0);
      }
      await after.clock.advance(1000);
      expect(foldersOf(after.disk)).toBe(MANY);
    }
  });
});
