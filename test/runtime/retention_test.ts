import { describe, expect, test } from "bun:test";
import { DiskFault, type DiskFaultKind } from "../../src/env/disk.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { BrokerSettings } from "../../src/runtime/broker_settings.ts";
import { Retention } from "../../src/runtime/retention.ts";
import { type Managed, ManagedFixture } from "./managed_fixture.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const DAY = { "retention.ms": String(DAY_MS) };
const INTERVAL_MS = 300_000;

interface Setup {
  readonly logs: ManagedFixture;
  readonly retention: Retention;
  readonly run: () => Promise<void>;
}

function setUp(): Setup {
  const logs = new ManagedFixture();
  const { clock, trace } = logs;
  const settings = new BrokerSettings(new Map());
  const retention = new Retention({ clock, trace, logs, settings, isFull: () => false });
  return { logs, retention, run: () => clock.until(retention.task.runNow()) };
}

function fault(kind: DiskFaultKind, path: string): DiskFault {
  return new DiskFault(kind, path, `Cannot write ${path}: the test wants it so`);
}

describe("Retention", () => {
  test("takes old segments out of all logs, with one write of their starts", async () => {
    const { logs, retention, run } = setUp();
    const one = await logs.add("one", DAY);
    const two = await logs.add("two", { "retention.ms": "-1", "retention.bytes": "1" });
    const kept = await logs.add("kept", DAY);
    one.fill(3 * DAY_MS, 2 * DAY_MS, HOUR_MS, 0);
    two.fill(0, 0);
    kept.fill(HOUR_MS, 3 * DAY_MS);
    await run();
    expect([one.segments, two.segments, kept.segments]).toEqual([[2, 3], [1], [0, 1]]);
    expect([one, two, kept].map(({ log }) => log.logStartOffset as number)).toEqual([2, 1, 0]);
    expect(logs.startsWritten).toBe(1);
    expect(retention.metrics.segmentsDeleted).toBe(3);
    expect(logs.removed.filter((path) => path.endsWith(".log.deleted"))).toEqual([
      "/data/one-0/00000000000000000000.log.deleted",
      "/data/one-0/00000000000000000001.log.deleted",
      "/data/two-0/00000000000000000000.log.deleted",
    ]);
    for (const path of logs.removed) expect(logs.disk.info(path)).toBeDefined();
    const told = logs.events.filter((event) => event.includes("old segments"));
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/"partition":"one-0","segments":2,"bytes":\d+,"reason":"2 by time"/);
    expect(told[1]).toContain('"reason":"1 by bytes"');
    await run();
    expect(logs.startsWritten).toBe(1);
  });

  test("runs after 30 seconds, and then every log.retention.check.interval.ms", async () => {
    const { logs, retention } = setUp();
    const { clock } = logs;
    const one = await logs.add("one", DAY);
    one.fill(2 * DAY_MS, 0);
    retention.task.start();
    await clock.advance(29 * SECOND_MS);
    expect(one.segments).toEqual([0, 1]);
    await clock.advance(2 * SECOND_MS);
    expect(one.segments).toEqual([1]);
    one.append(2 * DAY_MS);
    one.log.roll();
    one.append();
    await clock.advance(INTERVAL_MS + SECOND_MS);
    expect(one.segments).toEqual([1, 3]); // its first record is young enough
    await clock.advance(DAY_MS);
    expect(one.log.logStartOffset as number).toBe(4);
    await retention.task.stop();
  });

  test("an active segment that is old is rolled first, and appends go on behind it", async () => {
    const { logs, run } = setUp();
    const one = await logs.add("one", DAY);
    one.fill(3 * DAY_MS, 2 * DAY_MS);
    await run();
    expect(one.segments).toEqual([2]);
    expect(one.log.logStartOffset as number).toBe(2);
    one.append();
    expect(one.log.logEndOffset as number).toBe(3);
    await run();
    expect(one.segments).toEqual([2]);
  });

  test("opens no file where nothing has changed since it last looked", async () => {
    const { logs, run } = setUp();
    const one = await logs.add("one", DAY);
    const plain = await logs.add("plain", { "retention.ms": "-1" });
    one.fill(HOUR_MS, 0);
    plain.fill(HOUR_MS, 0);
    await run();
    const before = { ...logs.disk.calls };
    await run();
    await logs.clock.advance(22 * HOUR_MS);
    await run();
    expect(logs.disk.calls).toEqual(before);
    expect(one.segments).toEqual([0, 1]);
    await logs.clock.advance(HOUR_MS + 1);
    await run();
    expect(one.segments).toEqual([1]);
  });

  test("a segment without time ages from when it was first seen as it is", async () => {
    const { logs, run } = setUp();
    const one = await logs.add("one", DAY);
    const timeless = { timestamps: [-1] };
    one.append(0, timeless);
    one.log.roll();
    one.append(0, timeless);
    await run();
    await logs.clock.advance(HOUR_MS);
    one.append(0, timeless); // the active one is another from here on
    await run();
    await logs.clock.advance(23 * HOUR_MS);
    await run();
    expect(one.segments).toEqual([0, 1]);
    await logs.clock.advance(1);
    await run();
    expect(one.segments).toEqual([1]);
    await logs.clock.advance(HOUR_MS);
    await run();
    expect(one.segments).toEqual([3]);
  });

  test("a compacted log keeps what is old, and loses what lies below its start", async () => {
    const { logs, run } = setUp();
    const one = await logs.add("one", {
      ...DAY,
      "cleanup.policy": "compact",
      "retention.bytes": "0",
    });
    one.fill(3 * DAY_MS, 3 * DAY_MS, 3 * DAY_MS);
    await run();
    expect(one.segments).toEqual([0, 1, 2]);
    one.log.moveStart(toOffset(1));
    await run();
    expect(one.segments).toEqual([1, 2]);
    expect(logs.events.at(-1)).toContain("1 by start");
  });

  test("keeps what is not committed, and what has a time in the future", async () => {
    const { logs, run } = setUp();
    const late = await logs.add("late", { ...DAY, "mq.durability": "quorum-fsync" });
    const future = await logs.add("future", DAY);
    future.fill(-YEAR_MS, 3 * DAY_MS, 0);
    late.fill(3 * DAY_MS, 3 * DAY_MS);
    logs.disk.failNext("sync", "no-space", true);
    await run();
    expect(late.partition.highWatermark as number).toBe(0);
    expect([late.segments, future.segments]).toEqual([[0, 1], [0, 1, 2]]);
    logs.disk.healFaults();
    await logs.clock.advance(SECOND_MS);
    await run();
    expect(late.segments).toEqual([2]);
  });
});

describe("Retention and the wall clock", () => {
  async function tenSegments({ logs }: Setup): Promise<Managed> {
    const one = await logs.add("one", DAY);
    one.fill(...Array.from({ length: 10 }, (_, index) => (10 - index) * HOUR_MS));
    return one;
  }

  test("a jump of ten years ahead deletes nothing at first, and what is due goes on", async () => {
    const setup = setUp();
    const { logs, retention } = setup;
    const one = await tenSegments(setup);
    retention.task.start();
    await logs.clock.advance(HOUR_MS);
    logs.clock.jumpWall(10 * YEAR_MS);
    await logs.clock.advance(14 * HOUR_MS + INTERVAL_MS);
    expect(one.segments).toEqual([2, 3, 4, 5, 6, 7, 8, 9]); // two are a day old by now
    const warnings = logs.events.filter((event) => event.startsWith("warn"));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`"jumpMs":${10 * YEAR_MS},"believedInMs":${DAY_MS}`);
    logs.clock.jumpWall(-10 * YEAR_MS);
    await logs.clock.advance(HOUR_MS);
    expect(one.segments[0]).toBe(3);
    expect(logs.events.filter((event) => event.includes("by the wall clock again"))).toHaveLength(
      1,
    );
    await retention.task.stop();
  });

  test("a jump ahead that lasts a day is believed", async () => {
    const setup = setUp();
    const { logs, retention } = setup;
    const one = await tenSegments(setup);
    retention.task.start();
    await logs.clock.advance(HOUR_MS);
    logs.clock.jumpWall(10 * YEAR_MS);
    one.append();
    one.log.roll();
    one.append();
    await logs.clock.advance(DAY_MS + 2 * INTERVAL_MS);
    expect(one.segments).toEqual([12]);
    await retention.task.stop();
  });

  test("a jump of ten years back deletes nothing", async () => {
    const setup = setUp();
    const { logs, retention } = setup;
    const one = await tenSegments(setup);
    retention.task.start();
    logs.clock.jumpWall(-10 * YEAR_MS);
    await logs.clock.advance(3 * DAY_MS);
    expect(one.segments).toHaveLength(10);
    await retention.task.stop();
  });
});

describe("Retention and disks that fail", () => {
  async function twoLogs(logs: ManagedFixture): Promise<readonly [Managed, Managed]> {
    const pair = [await logs.add("one", DAY), await logs.add("two", DAY)] as const;
    for (const managed of pair) managed.fill(3 * DAY_MS, 0);
    return pair;
  }

  test("one log that fails is told of, and the others have their turn", async () => {
    const { logs, run } = setUp();
    const [, two] = await twoLogs(logs);
    logs.disk.failNext("rename", "io");
    await run();
    expect(logs.faults).toHaveLength(1);
    expect(logs.faults[0]).toMatch(/^one: Cannot rename \/data\/one-0\//);
    expect(two.segments).toEqual([1]);
  });

  test("goes on where the starts find no room on the disk, which is what room is wanted for", async () => {
    const { logs, run } = setUp();
    const [one, two] = await twoLogs(logs);
    logs.onWrite = () => {
      throw fault("no-space", "/data/log-start-offset-checkpoint");
    };
    await run();
    expect([one.segments, two.segments]).toEqual([[1], [1]]);
    expect(logs.faults).toEqual([]);
  });

  test("leaves the files where the starts could not be written", async () => {
    const { logs, run } = setUp();
    const [one, two] = await twoLogs(logs);
    logs.onWrite = () => {
      throw fault("io", "/data/log-start-offset-checkpoint");
    };
    await run();
    expect([one.segments, two.segments]).toEqual([[0, 1], [0, 1]]);
    expect(logs.faults).toHaveLength(1);
    await run(); // what was moved before goes now
    expect([one.segments, two.segments]).toEqual([[1], [1]]);
  });

  test("touches nothing of a partition that went offline meanwhile", async () => {
    const { logs, run, retention } = setUp();
    const [one, two] = await twoLogs(logs);
    logs.onWrite = () => one.partition.goOffline();
    await run();
    expect([one.segments, two.segments]).toEqual([[0, 1], [1]]);
    expect(retention.metrics.segmentsDeleted).toBe(1);
  });

  test("a run under way ends soon after it is told to stop", async () => {
    const { logs, retention } = setUp();
    const [one] = await twoLogs(logs);
    const run = retention.task.runNow();
    await logs.clock.until(retention.task.stop());
    await run;
    expect(one.segments).toEqual([0, 1]);
    await logs.clock.until(retention.task.runNow());
    expect(one.segments).toEqual([0, 1]);
  });
});
