import { describe, expect, test } from "bun:test";
import { partitionSettings } from "../../src/runtime/partition_settings.ts";
import type { LogFixture } from "../log/log_fixture.ts";
import { batchOf, bytesOfText, cursorOver } from "../record/batches.ts";
import { type Added, Cleaning } from "./cleaner_fixture.ts";

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
    expect(cleaning.cleaned.sort()).toEqual(["orders 3", "users 6"]);
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

  test("makes what it cleans durable first, and that known", async () => {
    const cleaning = new Cleaning();
    const orders = await cleaning.add("orders");
    fill(orders, "aaa");
    const before = orders.fixture.log.sizeInBytes();
    cleaning.canWrite = false;
    await cleaning.run();
    expect(cleaning.events).toEqual(["a compaction was given up"]);
    expect(orders.fixture.log.sizeInBytes()).toBe(before);
    cleaning.canWrite = true;
    await cleaning.run();
    expect(orders.fixture.log.sizeInBytes()).toBeLessThan(before);
    expect(cleaning.recoveryPoints).toEqual(["orders 3", "orders 3"]);
  });

  test("rolls an idle log whose last records have waited for max.compaction.lag.ms", async () => {
    const cleaning = new Cleaning();
    const lag = { "max.compaction.lag.ms": "60000" };
    const [orders, others] = [await cleaning.add("orders", lag), await cleaning.add("others")];
    for (const { fixture } of [orders, others]) {
      const value = new Uint8Array(1);
      const timestamp = cleaning.clock.wallMs();
      const records = [..."aab"].map((key) => ({ key: bytesOfText(key), value, timestamp }));
      fixture.appendBytes(batchOf(records, { baseOffset: 0, partitionLeaderEpoch: 0 }));
    }
    await cleaning.run();
    expect(cleaning.cleaned).toEqual([]);
    await cleaning.clock.advance(61_000);
    await cleaning.run();
    expect(cleaning.cleaned).toEqual(["orders 3"]);
    await cleaning.clock.advance(61_000);
    await cleaning.run();
    expect(orders.fixture.log.segmentCount()).toBe(2);
    expect(others.fixture.log.segmentCount()).toBe(1);
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
    expect(cleaning.cleaned).toEqual(["good 3"]);
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
    expect(cleaning.cleaned).toEqual(["orders 3"]);
  });

  test("tries again where the disk was full in the middle, and leaves nothing behind", async () => {
    const cleaning = new Cleaning();
    const orders = await cleaning.add("orders");
    fill(orders, "aaa");
    cleaning.disk.failNext("write", "no-space");
    await cleaning.run();
    expect(cleaning.events).toEqual(["a compaction was given up"]);
    const left = cleaning.disk.list("/data/orders-0").filter(({ name }) => /cleaned/.test(name));
    expect(left).toEqual([]);
    await cleaning.run();
    expect(cleaning.cleaned).toEqual(["orders 3"]);
    expect(cleaning.faults).toEqual([]);
  });

  test("leaves a log whose topic is deleted, or not to be compacted any more, meanwhile", async () => {
    for (const end of ["alter", "delete"] as const) {
      const cleaning = new Cleaning({ "log.cleaner.io.max.bytes.per.second": "10000" });
      const orders = await cleaning.add("orders");
      for (let round = 0; round < 50; round++) fill(orders, "abc", 1000);
      const before = orders.fixture.log.sizeInBytes();
      const run = cleaning.cleaner.task.runNow();
      await cleaning.clock.advance(2000);
      if (end === "alter") {
        const settings = partitionSettings(new Map(), () => undefined);
        Object.assign(orders.partition, { settings });
      } else {
        orders.partition.isOnline = false;
        cleaning.remove(orders);
      }
      await cleaning.clock.until(run);
      expect(orders.fixture.log.sizeInBytes()).toBe(before);
      expect([...cleaning.cleaned, ...cleaning.events, ...cleaning.faults]).toEqual([]);
    }
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
    expect(cleaning.cleaned).toEqual([]);
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
