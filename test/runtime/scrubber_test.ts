import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { BrokerSettings } from "../../src/runtime/broker_settings.ts";
import type { ManagedLog, ManagedLogs } from "../../src/runtime/managed_logs.ts";
import type { Partition } from "../../src/runtime/partition.ts";
import { Scrubber } from "../../src/runtime/scrubber.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { LogFixture, seedOf } from "../log/log_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

const HOUR_MS = 3_600_000;
const LOG = { segmentBytes: 1500, indexIntervalBytes: 200 };

interface Scrubbing {
  readonly scrubber: Scrubber;
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  readonly fixtures: readonly LogFixture[];
  readonly told: { message: string; fields: Record<string, unknown> }[];
  readonly faults: unknown[];
  isOnline: boolean;
}

async function scrubbing(
  settings: Record<string, string> = {},
  seed = 1,
): Promise<Scrubbing> {
  const clock = new ManualClock();
  const disk = new MemoryDisk();
  const fixtures: LogFixture[] = [];
  for (let index = 0; index < 3; index++) {
    const directory = `/data/t-${index}`;
    const fixture = await LogFixture.open({ disk, directory, clock, settings: LOG });
    fixture.appendMany(60, { timestamps: [7, 8] });
    await fixture.log.sync();
    fixtures.push(fixture);
  }
  const made: { told: Scrubbing["told"]; faults: unknown[]; isOnline: boolean } = {
    told: [],
    faults: [],
    isOnline: true,
  };
  const managed: ManagedLog[] = fixtures.map(({ log }, partitionId) => ({
    directory: "/data",
    partition: {
      topic: "t",
      partitionId,
      log,
      get isOnline(): boolean {
        return made.isOnline;
      },
    } as unknown as Partition,
  }));
  const logs: ManagedLogs = {
    managed: () => managed,
    writeLogStarts: () => Promise.resolve(),
    writeRecoveryPoint: () => Promise.resolve(true),
    cleanedUpTo: () => toOffset(0),
    writeCleanedUpTo: () => Promise.resolve(),
    removeLater: () => undefined,
    onFault: (_, fault) => void made.faults.push(fault),
  };
  const scrubber = new Scrubber({
    clock,
    disk,
    random: new Prng(seed),
    crc32c: crc32cTables,
    trace: { event: (_, message, fields = {}) => void made.told.push({ message, fields }) },
    logs,
    settings: new BrokerSettings(new Map(Object.entries(settings))),
  });
  return Object.assign(made, { scrubber, clock, disk, fixtures });
}

function closedBytes({ fixtures }: Scrubbing): number {
  return fixtures.flatMap(({ log }) => log.segmentFacts())
    .reduce((sum, { isActive, sizeInBytes }) => isActive ? sum : sum + sizeInBytes, 0);
}

/** Paths of all closed segments. */
function closedPaths({ fixtures }: Scrubbing): readonly string[] {
  return fixtures.flatMap(({ log }) =>
    log.segmentFacts().filter(({ isActive }) => !isActive).map(({ baseOffset }) =>
      `${log.directory}/${String(baseOffset).padStart(20, "0")}.log`
    )
  );
}

function flip(disk: MemoryDisk, path: string, at: number): void {
  const { content } = disk.files.get(path) as { content: Uint8Array };
  content[at] = (content[at] as number) ^ 4;
}

/** Lets so much time pass, and what was begun come to its end. */
async function pass(clock: ManualClock, delayMs: number): Promise<void> {
  await clock.advance(delayMs);
  for (let turn = 0; turn < 20; turn++) await clock.settle();
}

describe("Scrubber", () => {
  test("reads each closed segment once in the interval, from a random one on", async () => {
    for (let seed = 1; seed < 6; seed++) {
      const made = await scrubbing({ "mq.scrub.interval.ms": String(HOUR_MS) }, seed);
      const { scrubber, clock } = made;
      scrubber.task.start();
      await pass(clock, HOUR_MS / 2);
      expect(scrubber.metrics.bytes).toBe(closedBytes(made));
      // Step by step: a run takes many turns, and the clock must not run away from it.
      for (let step = 0; step < 30; step++) await pass(clock, HOUR_MS / 10);
      expect(scrubber.metrics.laps).toBe(4);
      expect(scrubber.metrics.bytes).toBe(closedBytes(made) * 4);
      expect(made.told).toEqual([]);
      expect(made.faults).toEqual([]);
      await scrubber.task.stop();
    }
  });

  test("is off with an interval of 0", async () => {
    const { scrubber, clock } = await scrubbing({ "mq.scrub.interval.ms": "0" });
    scrubber.task.start();
    await pass(clock, HOUR_MS * 24);
    expect(scrubber.metrics).toEqual({ bytes: 0, laps: 0 });
  });

  test("goes at its pace, and stops in the middle of a segment", async () => {
    const made = await scrubbing({ "mq.scrub.bytes.per.second": "4096" });
    const { scrubber, clock } = made;
    scrubber.task.start();
    await pass(clock, 60_000);
    await pass(clock, 2000);
    expect(scrubber.metrics.bytes).toBeLessThanOrEqual(4096 * 4);
    const stopped = scrubber.task.stop();
    await clock.until(stopped);
    expect(scrubber.metrics.laps).toBe(0);
    expect(made.faults).toEqual([]);
  });

  test("finds every damaged batch, names its place, and goes on behind it", async () => {
    const random = new Prng(seedOf("Scrubber"));
    for (let round = 0; round < 40; round++) {
      const made = await scrubbing({ "mq.scrub.interval.ms": String(HOUR_MS) }, round);
      const { scrubber, clock, disk } = made;
      const paths = closedPaths(made);
      const path = paths[random.below(paths.length)] as string;
      const size = disk.files.get(path)?.content.length as number;
      const batch = size / Math.round(size / 115);
      // One bit of the records of two batches, far enough from each other.
      const places = [0, 5].map((index) => Math.floor(index * batch) + 75 + random.below(20));
      for (const at of places) flip(disk, path, at);
      scrubber.task.start();
      await pass(clock, HOUR_MS / 2);
      expect(made.told.map(({ message, fields }) => [message, fields["segment"]])).toEqual(
        places.map(() => ["scrubbing found damage", path]),
      );
      expect(made.faults).toEqual([]);
      expect(String(made.told[0]?.fields["error"])).toMatch("mq log repair");
      expect(scrubber.damaged()).toEqual([{
        topic: "t",
        partitionId: Number(/t-(\d)/.exec(path)?.[1]),
        batches: 2,
      }]);
      for (const at of places) flip(disk, path, at);
      await pass(clock, HOUR_MS);
      expect(scrubber.damaged()).toEqual([]);
      await scrubber.task.stop();
    }
  });

  test("tells of an index whose last entry is wrong, and of what cannot be read", async () => {
    const made = await scrubbing({ "mq.scrub.interval.ms": String(HOUR_MS) });
    const { scrubber, clock, disk } = made;
    const [path = ""] = closedPaths(made);
    const index = path.replace(".log", ".index");
    flip(disk, index, (disk.files.get(index)?.content.length as number) - 1);
    scrubber.task.start();
    await pass(clock, HOUR_MS / 2);
    expect(made.told.map(({ message }) => message)).toEqual(["an index does not fit its segment"]);
    disk.failNext("read", "unreadable");
    await pass(clock, HOUR_MS);
    expect(made.told[1]?.message).toBe("scrubbing found damage");
    expect(scrubber.damaged()).toHaveLength(1);
    expect(made.faults).toEqual([]);
    await scrubber.task.stop();
  });

  test("leaves a partition that goes offline", async () => {
    const made = await scrubbing({ "mq.scrub.bytes.per.second": "4096" });
    const { scrubber, clock } = made;
    scrubber.task.start();
    await pass(clock, 60_000);
    made.isOnline = false;
    await pass(clock, 10_000);
    const { bytes } = scrubber.metrics;
    await pass(clock, 60_000);
    expect(scrubber.metrics.bytes).toBe(bytes);
    expect([made.faults, made.told]).toEqual([[], []]);
    await clock.until(scrubber.task.stop());
  });
});
