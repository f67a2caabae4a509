/** Retention at a whole broker: what goes, when its files go, and what a stop in between leaves. */
import { describe, expect, test } from "bun:test";
import { deleteRecords } from "../../src/api/delete_records.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { MemoryDisk } from "../log/memory_disk.ts";
import {
  batchOf,
  type Fixture,
  type RawConnection,
  recordsOf,
  startBroker,
} from "./broker_fixture.ts";
import { createTopic, fetchFrom, produceTo } from "./topic_requests.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A little more than the pause between two runs of retention. */
const RUN_MS = 5 * MINUTE_MS + 1000;
const FIRST_RUN_MS = 31_000;
const VALUE = "x".repeat(600_000);
/** As small as may be: every batch of one such value begins a segment. */
const SMALL = { "segment.bytes": "1048576" };

interface Setup extends Fixture {
  readonly connection: RawConnection;
  /** Records of now, each in a segment of its own. */
  fill(count: number, timestamp?: number): Promise<void>;
  /** So much time, and a run of retention behind it. */
  pass(delayMs: number): Promise<void>;
  /** First offset that is there. */
  start(): Promise<number>;
  /** Names of the files of segments, shortened: "3.log". */
  files(): readonly string[];
}

async function setUp(
  config: Readonly<Record<string, string>>,
  settings: Readonly<Record<string, string>> = {},
  disk: MemoryDisk = new MemoryDisk(),
): Promise<Setup> {
  const fixture = await startBroker({ "connections.max.idle.ms": "-1", ...settings }, disk);
  const connection = await fixture.dial();
  await createTopic(connection, "t", { ...SMALL, ...config });
  await fixture.disk.syncDirectory("/"); // the data directory is no news to the disk
  return {
    ...fixture,
    connection,
    fill: async (count, timestamp = fixture.clock.wallMs()) => {
      for (let index = 0; index < count; index++) {
        const { errorCode } = await produceTo(connection, "t", batchOf([VALUE], { timestamp }));
        expect(errorCode).toBe(ErrorCode.None);
      }
    },
    pass: async (delayMs) => {
      fixture.clock.leap(delayMs);
      await fixture.clock.advance(RUN_MS);
    },
    start: () => startOf(connection),
    files: () => filesOf(fixture.disk),
  };
}

function filesOf(disk: MemoryDisk): readonly string[] {
  return disk.list("/data/t-0").map(({ name }) => name.replace(/^0+(?=\d)/, ""))
    .filter((name) => /^\d+\./.test(name));
}

async function startOf(connection: RawConnection): Promise<number> {
  const { logStartOffset, highWatermark } = await fetchFrom(connection, "t", { offset: 0 });
  if (logStartOffset >= 0) return logStartOffset;
  for (let offset = 1;; offset++) {
    const { errorCode } = await fetchFrom(connection, "t", { offset });
    if (errorCode === 0) return offset;
    if (offset > Math.max(highWatermark, 1000)) throw new Error("Cannot find the start");
  }
}

/** Offsets of all records from there on. */
async function offsetsFrom(connection: RawConnection, start: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (let offset = start;;) {
    const { records } = await fetchFrom(connection, "t", { offset });
    const offsets = recordsOf(records).map((record) => Number(record.split(":")[0]));
    found.push(...offsets);
    if (offsets.length === 0) return found;
    offset = (offsets.at(-1) as number) + 1;
  }
}

/** What a kill and a loss of power would leave before each of its calls. */
class RecordingDisk extends MemoryDisk {
  isRecording = false;
  /** A start that somebody was told of. */
  acknowledged = 0;
  readonly stops: { left: MemoryDisk; acknowledged: number; call: string }[] = [];

  override note(...[call, path]: Parameters<MemoryDisk["note"]>): void {
    if (this.isRecording) {
      const { acknowledged } = this;
      for (const [how, left] of [["kill", this.kill()], ["crash", this.crash()]] as const) {
        this.stops.push({ left, acknowledged, call: `${how} before ${call} ${path}` });
      }
    }
    super.note(call, path);
  }
}

describe("retention", () => {
  test("after eight days nothing of seven days' retention is left but room for more", async () => {
    const { fill, start, files, connection, pass } = await setUp({});
    await fill(3);
    await pass(7 * DAY_MS - HOUR_MS);
    expect(await start()).toBe(0);
    await pass(DAY_MS);
    expect(await start()).toBe(3);
    expect((await fetchFrom(connection, "t", { offset: 2 })).errorCode).toBe(
      ErrorCode.OffsetOutOfRange,
    );
    await fill(1);
    expect(files().filter((name) => name.includes(".log"))).toEqual(["3.log"]);
    expect(recordsOf((await fetchFrom(connection, "t", { offset: 3 })).records)).toHaveLength(
      1,
    );
  });

  test("retention.ms: what is young stays, and the broker's default counts too", async () => {
    const { fill, start, pass } = await setUp({}, { "log.retention.hours": "1" });
    await fill(2);
    await pass(40 * MINUTE_MS);
    await fill(2);
    await pass(30 * MINUTE_MS);
    expect(await start()).toBe(2);
  });

  test("retention.bytes: as much stays as is wanted, by whole segments", async () => {
    const { fill, start, pass } = await setUp({
      "retention.bytes": "1800000",
      "retention.ms": "-1",
    });
    await fill(10);
    await pass(0);
    expect(await start()).toBe(7);
    await fill(1);
    await pass(0);
    expect(await start()).toBe(8);
  });

  test("both: either of them deletes", async () => {
    const both = { "retention.bytes": "1800000", "retention.ms": String(HOUR_MS) };
    const { fill, start, pass } = await setUp(both);
    await fill(4);
    await pass(0);
    expect(await start()).toBe(1); // by size
    await pass(HOUR_MS);
    expect(await start()).toBe(4); // by time
  });

  test("a record with a time in the future keeps its segment and all behind it", async () => {
    const { fill, start, clock, pass } = await setUp({
      "retention.ms": String(HOUR_MS),
      "message.timestamp.after.max.ms": String(10 * DAY_MS),
    });
    await fill(2);
    await fill(1, clock.wallMs() + 3 * DAY_MS);
    await fill(2);
    await pass(2 * DAY_MS);
    expect(await start()).toBe(2);
    await pass(DAY_MS + 2 * HOUR_MS);
    expect(await start()).toBe(5);
  });

  test("LogAppendTime: the broker's time counts, whatever the producer says", async () => {
    const { fill, start, pass } = await setUp({
      "retention.ms": String(HOUR_MS),
      "message.timestamp.type": "LogAppendTime",
    });
    await fill(2, 0);
    await pass(HOUR_MS - 10 * MINUTE_MS);
    expect(await start()).toBe(0);
    await pass(10 * MINUTE_MS);
    expect(await start()).toBe(2);
  });

  test("a wall clock that jumps ten years ahead deletes nothing", async () => {
    const { fill, start, clock, events, pass } = await setUp({});
    await fill(3);
    await pass(HOUR_MS);
    clock.jumpWall(10 * 365 * DAY_MS);
    await pass(20 * HOUR_MS);
    expect(await start()).toBe(0);
    clock.jumpWall(-10 * 365 * DAY_MS);
    await pass(2 * DAY_MS);
    expect(await start()).toBe(0);
    expect(events.filter((event) => event.includes("has jumped ahead"))).toHaveLength(1);
  });
});

describe("file.delete.delay.ms", () => {
  const CONFIG = {
    "retention.bytes": "1000",
    "retention.ms": "-1",
    "file.delete.delay.ms": String(2 * MINUTE_MS),
  };

  test("files get another name first, and go after the delay", async () => {
    const { fill, files, clock } = await setUp(CONFIG);
    await fill(3);
    await clock.advance(FIRST_RUN_MS);
    expect(files().filter((name) => name.includes(".log"))).toEqual([
      "0.log.deleted",
      "1.log.deleted",
      "2.log",
    ]);
    await clock.advance(2 * MINUTE_MS);
    expect(files().filter((name) => name.endsWith(".deleted"))).toEqual([]);
    expect(files()).toContain("2.log");
  });

  test("a stop before that leaves them to the next start", async () => {
    const { fill, clock, broker, disk } = await setUp(CONFIG);
    await fill(3);
    await clock.advance(FIRST_RUN_MS);
    await clock.until(broker.stop());
    expect(filesOf(disk).some((name) => name.endsWith(".deleted"))).toBeTrue();
    const next = await startBroker({}, disk.kill());
    await next.clock.advance(MINUTE_MS);
    expect(filesOf(next.disk).filter((name) => name.endsWith(".deleted"))).toEqual([]);
    expect(await startOf(await next.dial())).toBe(2);
  });
});

describe("retention and crashes", () => {
  test("the start never goes back, and nothing else goes, at whatever call it stops", async () => {
    const disk = new RecordingDisk();
    const { connection, clock } = await setUp(
      { "segment.ms": "1", "retention.bytes": "150", "retention.ms": "-1" },
      {},
      disk,
    );
    for (let index = 0; index < 6; index++) {
      const timestamp = clock.wallMs() + index * 10;
      await produceTo(connection, "t", batchOf(["x".repeat(60)], { timestamp }));
    }
    disk.isRecording = true;
    const partitions = [{ partitionIndex: 0, offset: 2 }];
    await connection.ask(deleteRecords, 2, { topics: [{ name: "t", partitions }], timeoutMs: 0 });
    disk.acknowledged = 2;
    await clock.advance(FIRST_RUN_MS + 2 * MINUTE_MS);
    disk.isRecording = false;
    expect(await startOf(connection)).toBe(4);
    expect(disk.stops.length).toBeGreaterThan(40);
    for (const { left, acknowledged, call } of disk.stops) {
      const after = await (await startBroker({}, left)).dial();
      const start = await startOf(after);
      const wanted = Array.from({ length: 6 - start }, (_, index) => start + index);
      expect([call, ...await offsetsFrom(after, start)]).toEqual([call, ...wanted]);
      const isRight = start >= acknowledged && start <= 4;
      expect([call, start, isRight]).toEqual([call, start, true]);
    }
  });

  test("records that were deleted give their room back, those of the active segment too", async () => {
    const wide = { "segment.bytes": "1073741824" };
    const { connection, fill, files, clock, disk } = await setUp(wide);
    await fill(5);
    const partitions = [{ partitionIndex: 0, offset: -1 }];
    await connection.ask(deleteRecords, 2, { topics: [{ name: "t", partitions }], timeoutMs: 0 });
    await clock.advance(RUN_MS + MINUTE_MS);
    const logs = disk.list("/data/t-0").filter(({ name }) => name.includes(".log"));
    expect(logs.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(0);
    await fill(1);
    expect(files().filter((name) => name.includes(".log"))).toEqual(["5.log"]);
    expect(recordsOf((await fetchFrom(connection, "t", { offset: 5 })).records)).toHaveLength(1);
  });

  test("works on a full disk", async () => {
    const { fill, start, clock, disk, connection } = await setUp(
      { "retention.bytes": "1000", "retention.ms": "-1", "file.delete.delay.ms": "0" },
      { "mq.disk.reserve.bytes": "2000000" },
    );
    const used = (): number => {
      return disk.list("/data/t-0").reduce((sum, { bytes }) => sum + bytes, 0);
    };
    disk.roomBytes = 5_000_000;
    let count = 0;
    while ((await produceTo(connection, "t", batchOf([VALUE]))).errorCode === 0) count++;
    expect(count).toBeGreaterThan(2);
    const before = used();
    await clock.advance(RUN_MS);
    expect(await start()).toBe(count - 1);
    disk.roomBytes += before - used(); // the disk in memory does not do that by itself
    await clock.advance(MINUTE_MS);
    await fill(1);
  });
});
