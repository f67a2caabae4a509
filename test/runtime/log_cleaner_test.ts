import { describe, expect, test } from "bun:test";
import { decodeCheckpoint } from "../../src/log/checkpoint_file.ts";
import { BrokerSettings } from "../../src/runtime/broker_settings.ts";
import { LogCleaner } from "../../src/runtime/log_cleaner.ts";
import type { ManagedLog, ManagedLogs } from "../../src/runtime/managed_logs.ts";
import type { Partition } from "../../src/runtime/partition.ts";
import { partitionSettings } from "../../src/runtime/partition_settings.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { LogFixture } from "../log/log_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";
import { batchOf, bytesOfText, cursorOver, tools } from "../record/batches.ts";

const CHECKPOINT = "/data/cleaner-offset-checkpoint";

interface Added {
  readonly partition: Partition & { isOnline: boolean };
  readonly fixture: LogFixture;
}

/** Some logs of one directory, and a cleaner for them. */
class Cleaning implements ManagedLogs {
  readonly clock = new ManualClock();
  readonly disk = new MemoryDisk();
  readonly events: string[] = [];
  readonly faults: unknown[] = [];
  readonly removed: string[] = [];
  readonly cleaner: LogCleaner;
  readonly #logs: ManagedLog[] = [];

  constructor(settings: Readonly<Record<string, string>> = {}) {
    this.cleaner = new LogCleaner({
      clock: this.clock,
      disk: this.disk,
      trace: { event: (_, message) => void this.events.push(message) },
      crypto: { randomBytes: (count) => new Uint8Array(count).fill(9) },
      crc32c: tools.crc32c,
      compressors: createHostCompressors(),
      logs: this,
      settings: new BrokerSettings(new Map(Object.entries(settings))),
    });
  }

  async add(topic: string, own: Readonly<Record<string, string>> = {}): Promise<Added> {
    const fixture = await LogFixture.open({ disk: this.disk, directory: `/data/${topic}-0` });
    const policy = { "cleanup.policy": "compact", ...own };
    const settings = partitionSettings(new Map(Object.entries(policy)), () => undefined);
    const { log } = fixture;
    const partition = {
      topic,
      topicId: `id-of-${topic}`,
      partitionId: 0,
      log,
      settings,
      isOnline: true,
      get highWatermark() {
        return log.logEndOffset;
      },
    } as unknown as Added["partition"];
    this.#logs.push({ partition, directory: "/data" });
    return { partition, fixture };
  }

  remove({ partition }: Added): void {
    this.#logs.splice(this.#logs.findIndex((each) => each.partition === partition), 1);
  }

  async run(): Promise<void> {
    await this.clock.until(this.cleaner.task.runNow());
  }

  managed(): readonly ManagedLog[] {
    return this.#logs;
  }

  writeLogStarts(): Promise<void> {
    return Promise.resolve();
  }

  removeLater(_: ManagedLog, paths: readonly string[]): void {
    this.removed.push(...paths);
  }

  onFault(_: ManagedLog, fault: unknown): void {
    this.faults.push(fault);
  }

  checkpoint(): string[] {
    const bytes = this.disk.readWhole(CHECKPOINT);
    return (bytes === undefined ? [] : decodeCheckpoint(bytes) ?? [])
      .map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`);
  }
}

/** One batch of a record for each key, and a new segment behind it. */
function fill({ fixture }: Added, keys: string, valueBytes = 10): void {
  const value = new Uint8Array(valueBytes);
  const records = [...keys].map((key) => ({ key: bytesOfText(key), value, timestamp: 1000 }));
  const { logEndOffset } = fixture.log;
  fixture.appendBytes(batchOf(records, { baseOffset: logEndOffset, partitionLeaderEpoch: 0 }));
  fixture.log.roll();
}

async function hasTombstone(fixture: LogFixture): Promise<boolean> {
  const batches = await fixture.readAll();
  return batches.some((bytes) => {
    const cursor = cursorOver(bytes);
    return cursor.next() && cursor.value() === null;
  });
}

describe("LogCleaner", () => {
  test("compacts every log that is dirty, and writes down how far", async () => {
    const cleaning = new Cleaning();
    const [orders, users] = [await cleaning.add("orders"), await cleaning.add("users")];
    const sizes = () => [orders, users].map(({ fixture }) => fixture.log.sizeInBytes());
    fill(orders, "aab");
    fill(users, "xxxyyy");
    const before = sizes();
    await cleaning.run();
    expect(sizes()[0]).toBeLessThan(before[0] as number);
    expect(sizes()[1]).toBeLessThan(before[1] as number);
    expect(cleaning.checkpoint().sort()).toEqual(["orders 0 3", "users 0 6"]);
    expect(cleaning.removed.length).toBeGreaterThan(0);
    expect(cleaning.cleaner.metrics.runs).toBe(2);
    expect(cleaning.cleaner.metrics.bytesRead).toBeGreaterThan(before[1] as number);
    expect(cleaning.events).toEqual(["log compacted", "log compacted"]);
    await cleaning.run();
    expect(cleaning.cleaner.metrics.runs).toBe(2);
    expect(cleaning.faults).toEqual([]);
  });

  test("leaves alone what is not compacted, not online, or clean enough", async () => {
    const cleaning = new Cleaning();
    const deleted = await cleaning.add("deleted", { "cleanup.policy": "delete" });
    const offline = await cleaning.add("offline");
    const clean = await cleaning.add("clean", { "min.cleanable.dirty.ratio": "0.9" });
    for (const log of [deleted, offline]) fill(log, "aaa");
    fill(clean, "abcdefgh");
    offline.partition.isOnline = false;
    await cleaning.run(); // a log never compacted is dirty as a whole
    expect(cleaning.cleaner.metrics.runs).toBe(1);
    fill(clean, "a");
    await cleaning.run();
    expect(cleaning.cleaner.metrics.runs).toBe(1);
  });

  test("is switched off by log.cleaner.enable", async () => {
    const cleaning = new Cleaning({ "log.cleaner.enable": "false" });
    fill(await cleaning.add("orders"), "aaa");
    await cleaning.run();
    expect(cleaning.cleaner.metrics.runs).toBe(0);
  });

  test("forgets the logs that are not there any more", async () => {
    const cleaning = new Cleaning();
    const orders = await cleaning.add("orders");
    fill(orders, "aaa");
    await cleaning.run();
    fill(await cleaning.add("users"), "bb");
    cleaning.remove(orders);
    await cleaning.run();
    expect(cleaning.checkpoint()).toEqual(["users 0 2"]);
    const { bytesRead } = cleaning.cleaner.metrics;
    await cleaning.run();
    expect(cleaning.cleaner.metrics.bytesRead).toBe(bytesRead);
  });

  test("leaves a damaged log alone for an hour, and cleans the others", async () => {
    const cleaning = new Cleaning();
    const [bad, good] = [await cleaning.add("bad"), await cleaning.add("good")];
    fill(bad, "aaa");
    fill(good, "aaa");
    const path = "/data/bad-0/00000000000000000000.log";
    const file = cleaning.disk.open(path, "write");
    const last = file.readNow(file.bytes() - 1, 1);
    file.write(file.bytes() - 1, [Uint8Array.of(77)]);
    await cleaning.run();
    expect(cleaning.cleaner.metrics.uncleanablePartitions).toBe(1);
    expect(cleaning.checkpoint()).toEqual(["good 0 3"]);
    expect(cleaning.events).toContain("a log cannot be compacted and is left as it is");
    file.write(file.bytes() - 1, [last]);
    file.close();
    await cleaning.run();
    expect(cleaning.cleaner.metrics.runs).toBe(1);
    await cleaning.clock.advance(3_600_000);
    await cleaning.run();
    expect(cleaning.cleaner.metrics.runs).toBe(2);
    expect(cleaning.cleaner.metrics.uncleanablePartitions).toBe(0);
    expect(cleaning.faults).toEqual([]);
  });

  test("takes a file that cannot be read for its log's fault, and one that cannot be written for the disk's", async () => {
    const cleaning = new Cleaning();
    fill(await cleaning.add("orders"), "aaa");
    cleaning.disk.failNext("read", "io");
    await cleaning.run();
    expect(cleaning.cleaner.metrics.uncleanablePartitions).toBe(1);
    expect(cleaning.faults).toEqual([]);
    cleaning.disk.failNext("write", "io");
    await cleaning.clock.advance(3_700_000);
    expect(cleaning.faults).toHaveLength(1);
    expect(cleaning.cleaner.metrics.uncleanablePartitions).toBe(0);
  });

  test("gives up without harm where the disk is full, and tries again", async () => {
    const cleaning = new Cleaning();
    const orders = await cleaning.add("orders");
    fill(orders, "aaa");
    cleaning.disk.roomBytes = 10;
    await cleaning.run();
    expect(cleaning.events).toEqual(["a compaction was given up"]);
    expect(cleaning.faults).toEqual([]);
    cleaning.disk.roomBytes = Infinity;
    await cleaning.run();
    expect(cleaning.checkpoint()).toEqual(["orders 0 3"]);
  });

  test("takes no more bytes in a second than it may", async () => {
    const cleaning = new Cleaning({ "log.cleaner.io.max.bytes.per.second": "10000" });
    const orders = await cleaning.add("orders");
    for (let round = 0; round < 20; round++) fill(orders, "abc", 1000);
    const startMs = cleaning.clock.monotonicMs();
    await cleaning.run();
    const { bytesRead, bytesWritten } = cleaning.cleaner.metrics;
    const seconds = (cleaning.clock.monotonicMs() - startMs) / 1000;
    expect(bytesRead).toBeGreaterThan(100_000);
    expect((bytesRead + bytesWritten) / seconds).toBeLessThanOrEqual(11_000);
  });

  test("stop() leaves at the next step, and nothing is left behind", async () => {
    const cleaning = new Cleaning({ "log.cleaner.io.max.bytes.per.second": "10000" });
    const orders = await cleaning.add("orders");
    for (let round = 0; round < 50; round++) fill(orders, "abc", 1000);
    const before = orders.fixture.log.sizeInBytes();
    void cleaning.cleaner.task.runNow();
    await cleaning.clock.advance(2000);
    await cleaning.clock.until(cleaning.cleaner.task.stop());
    expect(orders.fixture.log.sizeInBytes()).toBe(before);
    expect(cleaning.checkpoint()).toEqual([]);
    const left = cleaning.disk.list("/data/orders-0").filter(({ name }) => /cleaned/.test(name));
    expect(left).toEqual([]);
  });

  test("lets no tombstone go by a clock that has jumped ahead", async () => {
    const cleaning = new Cleaning({});
    const orders = await cleaning.add("orders", {
      "delete.retention.ms": "1000",
      "min.cleanable.dirty.ratio": "0",
    });
    const { fixture } = orders;
    const tombstone = { key: bytesOfText("a"), value: null, timestamp: 1 };
    fixture.appendBytes(batchOf([tombstone], { baseOffset: 0, partitionLeaderEpoch: 0 }));
    fixture.log.roll();
    await cleaning.run();
    cleaning.clock.jumpWall(10 * 365 * 86_400_000);
    fill(orders, "b");
    await cleaning.run();
    expect(await hasTombstone(fixture)).toBeTrue();
    await cleaning.clock.advance(24 * 3_600_000);
    fill(orders, "c");
    await cleaning.run();
    fill(orders, "d");
    await cleaning.run();
    expect(await hasTombstone(fixture)).toBeFalse();
  });
});
