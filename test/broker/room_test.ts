/** Room on a small disk: who trims a topic or deletes one has it back before producers give up. */
import { describe, expect, test } from "bun:test";
import { deleteRecords } from "../../src/api/delete_records.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { MemoryDisk } from "../log/memory_disk.ts";
import { batchOf, type Fixture, type RawConnection, startBroker } from "./broker_fixture.ts";
import { deleteTopic, MEBIBYTE, metric } from "./disk_questions.ts";
import { createTopic, fetchFrom, produceTo } from "./topic_requests.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const VALUE = "x".repeat(600_000);
/** Every batch of one such value begins a segment. */
const SMALL = { "segment.bytes": "1048576" };
const SIZE_BYTES = 16 * MEBIBYTE;

/** What is removed gives its room back. */
class SmallDisk extends MemoryDisk {
  override roomBytes = SIZE_BYTES;
  override sizeBytes = SIZE_BYTES;

  override remove(path: string): void {
    const before = this.#usedBytes();
    super.remove(path);
    this.roomBytes += before - this.#usedBytes();
  }

  #usedBytes(): number {
    let bytes = 0;
    for (const { content } of this.files.values()) bytes += content.length;
    return bytes;
  }
}

interface Setup extends Fixture {
  readonly connection: RawConnection;
  /** Produces until it is refused: how many batches were taken. */
  fill(topic?: string): Promise<number>;
  /** The error code. */
  trim(offset: number): Promise<number>;
  produce(topic?: string, ageMs?: number): Promise<number>;
  /** Base offsets of the segments of "t", and of those that are out of the log. */
  segments(): { readonly kept: readonly number[]; readonly deleted: readonly number[] };
}

async function setUp(
  config: Readonly<Record<string, string>> = {},
  disk: MemoryDisk = new SmallDisk(),
): Promise<Setup> {
  const fixture = await startBroker({ "connections.max.idle.ms": "-1" }, disk);
  const { clock, dial } = fixture;
  const connection = await dial();
  await createTopic(connection, "t", { ...SMALL, ...config });
  const produce = async (topic = "t", ageMs = 0): Promise<number> => {
    const batch = batchOf([VALUE], { timestamp: clock.wallMs() - ageMs });
    return (await produceTo(connection, topic, batch)).errorCode;
  };
  return {
    ...fixture,
    connection,
    produce,
    fill: async (topic) => {
      for (let count = 0; count < 100; count++) {
        if (await produce(topic) === ErrorCode.KafkaStorageError) return count;
        await clock.advance(SECOND_MS); // so that room is measured
      }
      throw new Error("The disk is not small enough");
    },
    trim: async (offset) => {
      const partitions = [{ partitionIndex: 0, offset }];
      const body = { topics: [{ name: "t", partitions }], timeoutMs: 1000 };
      const { topics } = await connection.ask(deleteRecords, 2, body);
      return topics[0]?.partitions[0]?.errorCode as number;
    },
    segments: () => {
      const names = disk.list("/data/t-0").map(({ name }) => name);
      const bases = (end: string): readonly number[] =>
        names.filter((name) => name.endsWith(end)).map((name) => Number(name.split(".")[0]));
      return { kept: bases(".log"), deleted: bases(".log.deleted") };
    },
  };
}

describe("a topic that is trimmed", () => {
  test("is out of the log at once; its files wait for their delay while there is room", async () => {
    const { produce, trim, segments, clock } = await setUp({}, new MemoryDisk());
    for (let count = 0; count < 4; count++) await produce();
    expect(await trim(2)).toBe(ErrorCode.None);
    await clock.advance(10);
    expect(segments()).toEqual({ kept: [2, 3], deleted: [0, 1] });
    await clock.advance(MINUTE_MS + SECOND_MS);
    expect(segments()).toEqual({ kept: [2, 3], deleted: [] });
  });

  test("again and again has one run of retention in a second", async () => {
    const { produce, trim, segments, clock } = await setUp({}, new MemoryDisk());
    for (let count = 0; count < 6; count++) await produce();
    await trim(1);
    await clock.advance(10);
    for (const offset of [2, 3, 4]) {
      await trim(offset);
      await clock.advance(100);
    }
    expect(segments().kept).toEqual([1, 2, 3, 4, 5]);
    await clock.advance(SECOND_MS);
    expect(segments().kept).toEqual([4, 5]);
  });
});

describe("a full disk", () => {
  test("takes batches again within seconds of a trim", async () => {
    const { fill, trim, produce, segments, clock, connection } = await setUp();
    expect(await fill()).toBeGreaterThan(20);
    await clock.advance(HOUR_MS); // it stays full by itself
    expect(await produce()).toBe(ErrorCode.KafkaStorageError);
    const end = segments().kept.length;
    expect(await trim(end - 3)).toBe(ErrorCode.None);
    await clock.advance(2 * SECOND_MS);
    expect(await produce()).toBe(ErrorCode.None);
    expect(segments().deleted).toEqual([]);
    expect((await fetchFrom(connection, "t", { offset: end - 3 })).errorCode).toBe(ErrorCode.None);
  });

  test("does not wait for what was trimmed before it was full, nor for topics deleted before", async () => {
    const { fill, trim, produce, segments, clock, connection, disk } = await setUp();
    await createTopic(connection, "gone", { ...SMALL });
    for (let count = 0; count < 8; count++) await produce("gone");
    for (let count = 0; count < 8; count++) await produce();
    await clock.advance(HOUR_MS);
    expect(await trim(6)).toBe(ErrorCode.None);
    expect(await deleteTopic(connection, "gone")).toBe(ErrorCode.None);
    await clock.advance(10);
    expect(segments().deleted).toHaveLength(6);
    expect(disk.list("/data").filter(({ name }) => name.endsWith("-delete"))).toHaveLength(1);
    await fill();
    await clock.advance(SECOND_MS);
    expect(segments().deleted).toEqual([]);
    expect(disk.list("/data").filter(({ name }) => name.endsWith("-delete"))).toEqual([]);
    expect(await produce()).toBe(ErrorCode.None);
  });

  test("has what is over its limits taken away at once, and nothing that is within them", async () => {
    const { fill, produce, segments, clock } = await setUp({ "retention.ms": String(HOUR_MS) });
    for (let count = 0; count < 5; count++) await produce("t", 2 * HOUR_MS);
    await fill();
    expect(segments().kept[0]).toBe(0); // it was not time yet
    await clock.advance(2 * SECOND_MS);
    expect(segments().kept[0]).toBe(5);
    expect(await produce()).toBe(ErrorCode.None);
    await fill();
    await clock.advance(HOUR_MS / 2);
    expect(segments().kept[0]).toBe(5);
    expect(await produce()).toBe(ErrorCode.KafkaStorageError);
  });

  test("is looked after every few seconds: what comes to be over its limits goes", async () => {
    const { fill, produce, clock } = await setUp({ "retention.ms": String(HOUR_MS) });
    await clock.advance(MINUTE_MS);
    const filledMs = clock.monotonicMs();
    await fill();
    await clock.advance(HOUR_MS - (clock.monotonicMs() - filledMs) + 7 * SECOND_MS);
    expect(await produce()).toBe(ErrorCode.None);
  });

  test("at the start is looked after without the delay of a start", async () => {
    const { produce, clock, broker, disk } = await setUp({ "retention.ms": String(HOUR_MS) });
    for (let count = 0; count < 5; count++) await produce("t", 2 * HOUR_MS);
    await clock.until(broker.stop());
    disk.roomBytes = MEBIBYTE / 2;
    const after = await startBroker({ "log.initial.task.delay.ms": String(HOUR_MS) }, disk);
    expect(metric(after, "mq_disk_is_full")).toBe("1");
    await after.clock.advance(7 * SECOND_MS);
    expect(metric(after, "mq_disk_is_full")).toBe("0");
  });
});
