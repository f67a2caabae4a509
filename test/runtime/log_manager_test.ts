/** Longer than most: one call of the manager after the other, on the same few logs. */
import { describe, expect, test } from "bun:test";
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { DiskFault } from "../../src/env/disk.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { textOf } from "../../src/ground/text.ts";
import { LogFault } from "../../src/log/log_fault.ts";
import { LogManager } from "../../src/runtime/log_manager.ts";
import { Counter, Histogram } from "../../src/runtime/metrics.ts";
import type { ManagedLog } from "../../src/runtime/managed_logs.ts";
import type { Partition } from "../../src/runtime/partition.ts";
import { assembleBroker, batchOf, type Fixture, startBroker } from "../broker/broker_fixture.ts";
import { createTopic, produceTo } from "../broker/topic_requests.ts";
import type { MemoryDisk } from "../log/memory_disk.ts";

const STARTS = "/data/log-start-offset-checkpoint";
const POINTS = "/data/recovery-point-offset-checkpoint";

interface Managed {
  readonly logs: LogManager;
  readonly disk: MemoryDisk;
  readonly fixture: Fixture;
  readonly events: string[];
  readonly failed: DiskFault[];
  log(topic: string): ManagedLog;
}

/** Logs of a broker that was killed, with topics "a", "b", "c" of ten records each. */
async function openLogs(directories = "/data"): Promise<Managed> {
  const first = await startBroker({ "log.dirs": directories });
  const connection = await first.dial();
  for (const topic of ["a", "b", "c"]) {
    await createTopic(connection, topic);
    for (let count = 0; count < 10; count++) await produceTo(connection, topic, batchOf(["x"]));
  }
  first.broker.halt();
  const disk = first.disk.kill();
  return openAgain(disk, directories);
}

async function openAgain(disk: MemoryDisk, directories = "/data"): Promise<Managed> {
  const fixture = assembleBroker({}, disk);
  const events: string[] = [];
  const failed: DiskFault[] = [];
  const trace = {
    event: (level: string, message: string): void => void events.push(`${level} ${message}`),
  };
  const logs = await fixture.clock.until(LogManager.open({
    env: { ...fixture.env, trace },
    settings: fixture.broker.settings,
    directories: directories.split(","),
    fsyncSeconds: new Histogram(),
    appendErrors: new Counter(),
    onFailed: (fault) => void failed.push(fault),
  }));
  const log = (topic: string): ManagedLog =>
    logs.managed().find(({ partition }) => partition.topic === topic) as ManagedLog;
  return { logs, disk, fixture, events, failed, log };
}

function contentOf(disk: MemoryDisk, path: string): string {
  return textOf(disk.readWhole(path) ?? new Uint8Array(0));
}

function moveStart({ partition }: ManagedLog, offset: number): void {
  partition.log.moveStart(toOffset(offset));
}

describe("writeLogStarts()", () => {
  test("makes starts durable before it resolves, and the next start knows them", async () => {
    const { logs, disk, log } = await openLogs();
    moveStart(log("a"), 4);
    moveStart(log("b"), 10);
    await logs.writeLogStarts();
    expect(contentOf(disk, STARTS)).toBe("0\n4\na 0 4\na  0  4\nb 0 10\nb  0  10\n");
    const again = await openAgain(disk.crash());
    expect(again.log("a").partition.log.logStartOffset).toBe(toOffset(4));
    expect(again.log("b").partition.log.logStartOffset).toBe(toOffset(10));
    expect(again.log("c").partition.log.logStartOffset).toBe(toOffset(0));
  });

  test("costs no write where nothing has moved", async () => {
    const { logs, disk, log } = await openLogs();
    await logs.writeLogStarts();
    expect(disk.info(STARTS)).toBeUndefined();
    moveStart(log("a"), 4);
    await logs.writeLogStarts();
    const syncs = disk.calls["sync"];
    await logs.writeLogStarts();
    expect(disk.calls["sync"]).toBe(syncs);
  });

  test("those who come together share a write, and each finds its own start in it", async () => {
    const { logs, disk, log } = await openLogs();
    const syncs = disk.calls["sync"] ?? 0;
    const written: number[] = [];
    const all = ["a", "b", "c"].flatMap((topic) =>
      [1, 2, 3, 4, 5].map(async (offset) => {
        moveStart(log(topic), offset);
        await logs.writeLogStarts();
        const line = new RegExp(`^${topic} 0 (\\d+)$`, "m").exec(contentOf(disk, STARTS));
        expect(Number(line?.[1])).toBeGreaterThanOrEqual(offset);
        written.push(offset);
      })
    );
    await Promise.all(all);
    expect(written).toHaveLength(15);
    expect((disk.calls["sync"] ?? 0) - syncs).toBeLessThanOrEqual(2);
  });

  test("rejects where there is no room, and the next call tries again", async () => {
    const { logs, disk, log } = await openLogs();
    moveStart(log("a"), 4);
    disk.failNext("write", "no-space");
    await expect(logs.writeLogStarts()).rejects.toThrow("Cannot write");
    await logs.writeLogStarts();
    expect(contentOf(disk, STARTS)).toBe("0\n2\na 0 4\na  0  4\n");
  });

  test("a directory that fails is offline and keeps no other from being written", async () => {
    const { logs, disk, log, failed } = await openLogs("/one,/two");
    for (const topic of ["a", "b", "c"]) moveStart(log(topic), 4);
    const onTwo = logs.managed().filter(({ directory }) => directory === "/two");
    expect(onTwo.length).toBeGreaterThan(0);
    disk.treeFaults.set("/two", "io");
    await logs.writeLogStarts();
    expect(onTwo.some(({ partition }) => partition.isOnline)).toBeFalse();
    expect(logs.managed().every(({ directory }) => directory === "/one")).toBeTrue();
    expect(contentOf(disk, "/one/log-start-offset-checkpoint")).toMatch(/ 0 4\n/);
    expect(failed).toEqual([]);
    expect(logs.directories().map(({ state }) => state)).toEqual(["online", "offline"]);
  });
});

async function appendOne({ clock }: Fixture, partition: Partition): Promise<void> {
  const batch = batchOf(["y"]);
  new DataView(batch.buffer, batch.byteOffset).setBigInt64(0, 10n);
  const facts = { lastOffset: toOffset(10), maxTimestamp: 0, leaderEpoch: 0 };
  partition.log.append(batch, facts, clock.wallMs());
  partition.onAppended();
  await clock.settle();
}

describe("open() after a kill", () => {
  test("waits for what recovery kept to be durable, but where the class is memory", async () => {
    const first = await startBroker();
    const connection = await first.dial();
    await createTopic(connection, "synced");
    await createTopic(connection, "kept", { "mq.durability": "memory" });
    for (const topic of ["synced", "kept"]) await produceTo(connection, topic, batchOf(["x"]));
    first.broker.halt();
    const { log } = await openAgain(first.disk.kill());
    expect(log("synced").partition.log.recoveryPoint).toBe(toOffset(1));
    expect(log("kept").partition.log.recoveryPoint).toBe(toOffset(0));
    expect(log("kept").partition.highWatermark).toBe(toOffset(1));
  });
});

describe("writeRecoveryPoint()", () => {
  test("writes where it is not written, for nothing where it is", async () => {
    const { logs, disk, fixture, log } = await openLogs();
    await appendOne(fixture, log("a").partition);
    const syncs = (): number => disk.calls["sync"] ?? 0;
    const before = syncs();
    expect(await logs.writeRecoveryPoint(log("a"), toOffset(10))).toBeTrue();
    expect(syncs()).toBe(before);
    expect(await logs.writeRecoveryPoint(log("a"), toOffset(11))).toBeTrue();
    expect(contentOf(disk, POINTS)).toMatch(/^a 0 11$/m);
    expect(syncs()).toBeGreaterThan(before);
    const after = syncs();
    expect(await logs.writeRecoveryPoint(log("a"), toOffset(11))).toBeTrue();
    expect(syncs()).toBe(after);
  });

  test("says where there was no room for it", async () => {
    const { logs, disk, fixture, log } = await openLogs();
    await appendOne(fixture, log("a").partition);
    disk.failNext("write", "no-space");
    expect(await logs.writeRecoveryPoint(log("a"), toOffset(11))).toBeFalse();
    expect(await logs.writeRecoveryPoint(log("a"), toOffset(11))).toBeTrue();
  });
});

describe("writeCleanedUpTo()", () => {
  test("is known to the next start, each log's own", async () => {
    const { logs, disk, fixture, log } = await openLogs();
    await logs.writeCleanedUpTo(log("a"), toOffset(4));
    await logs.writeCleanedUpTo(log("b"), toOffset(7));
    expect(["a", "b", "c"].map((topic) => logs.cleanedUpTo(log(topic)) as number)).toEqual([
      4,
      7,
      0,
    ]);
    await fixture.clock.settle();
    const again = await openAgain(disk.kill());
    const known = ["a", "b", "c"].map((topic) =>
      again.logs.cleanedUpTo(again.log(topic)) as number
    );
    expect(known).toEqual([4, 7, 0]);
  });
});

describe("keepUp()", () => {
  test("writes recovery points when they have moved, and does nothing else", async () => {
    const { logs, disk, fixture, log } = await openLogs();
    expect(contentOf(disk, POINTS)).toMatch(/^a 0 10$/m); // a start writes what recovery has moved
    await fixture.clock.until(logs.keepUp());
    expect(contentOf(disk, POINTS)).toMatch(/^a 0 10$/m);
    const syncs = disk.calls["sync"] ?? 0;
    await fixture.clock.until(logs.keepUp());
    expect(disk.calls["sync"]).toBe(syncs);
    await appendOne(fixture, log("a").partition);
    await fixture.clock.until(logs.keepUp());
    expect(contentOf(disk, POINTS)).toMatch(/^a 0 11$/m);
  });

  test("tries again where there was no room", async () => {
    const { logs, disk, fixture, log } = await openLogs();
    await appendOne(fixture, log("a").partition);
    disk.failNext("write", "no-space");
    await fixture.clock.until(logs.keepUp());
    expect(contentOf(disk, POINTS)).toMatch(/^a 0 10$/m);
    await fixture.clock.until(logs.keepUp());
    expect(contentOf(disk, POINTS)).toMatch(/^a 0 11$/m);
  });
});

describe("keepUp(), for logs that have grown", () => {
  const isSnapshot = ({ name }: { readonly name: string }): boolean => name.endsWith(".snapshot");

  /** One log with more than a mebibyte behind its last producer snapshot, all of it durable. */
  async function openGrown(): Promise<Managed & { snapshots: () => number }> {
    const managed = await openLogs();
    const { fixture, log, disk } = managed;
    const { partition } = log("a");
    const batch = batchOf(["z".repeat(1024 * 1024)]);
    new DataView(batch.buffer, batch.byteOffset).setBigInt64(0, 10n);
    const facts = { lastOffset: toOffset(10), maxTimestamp: 0, leaderEpoch: 0 };
    partition.log.append(batch, facts, fixture.clock.wallMs());
    partition.onAppended();
    await fixture.clock.settle();
    return { ...managed, snapshots: () => disk.list("/data/a-0").filter(isSnapshot).length };
  }

  /** The next write of a producer snapshot fails. */
  function failSnapshot({ disk }: Managed, kind: "no-space" | "io"): void {
    const { note } = disk;
    let isDone = false;
    disk.note = (call, path) => {
      if (call === "write" && path.endsWith(".snapshot") && !isDone) {
        isDone = true;
        disk.failNext("write", kind);
      }
      note.call(disk, call, path);
    };
  }

  test("writes a producer snapshot, which is once", async () => {
    const { logs, disk, fixture, snapshots } = await openGrown();
    expect(snapshots()).toBe(0);
    await fixture.clock.until(logs.keepUp());
    expect(snapshots()).toBe(1);
    const writes = disk.calls["write"];
    await fixture.clock.until(logs.keepUp());
    expect(disk.calls["write"]).toBe(writes);
  });

  test("lets one wait that finds no room", async () => {
    const managed = await openGrown();
    failSnapshot(managed, "no-space");
    await managed.fixture.clock.until(managed.logs.keepUp());
    expect(managed.log("a").partition.isOnline).toBeTrue();
    expect(managed.failed).toEqual([]);
  });

  test("takes a directory offline whose disk fails", async () => {
    const managed = await openGrown();
    failSnapshot(managed, "io");
    await managed.fixture.clock.until(managed.logs.keepUp());
    expect(managed.logs.managed()).toEqual([]);
    expect(managed.failed.map(({ kind }) => kind)).toEqual(["io"]);
  });
});

describe("removeLater()", () => {
  test("removes files after the delay of their topic, one in a turn", async () => {
    const { logs, disk, fixture, log } = await openLogs();
    const paths = ["x", "y", "z"].map((name) => `/data/a-0/${name}.deleted`);
    for (const path of paths) disk.open(path, "write").close();
    logs.removeLater(log("a"), paths);
    await fixture.clock.advance(59_999);
    expect(paths.filter((path) => disk.info(path) !== undefined)).toHaveLength(3);
    await fixture.clock.advance(1);
    expect(paths.filter((path) => disk.info(path) !== undefined)).toHaveLength(0);
  });

  test("does nothing for a topic that is gone: its folder goes as a whole", async () => {
    const fixture = await startBroker();
    const connection = await fixture.dial();
    await connection.ask(createTopics, 7, {
      topics: [{
        name: "t",
        numPartitions: 3,
        replicationFactor: 1,
        assignments: [],
        configs: [{ name: "file.delete.delay.ms", value: "5" }],
      }],
      timeoutMs: 1000,
    });
    await produceTo(connection, "t", batchOf(["a"]));
    await connection.ask(deleteTopics, 5, { topicNames: ["t"], timeoutMs: 1000 });
    const left = (): number =>
      fixture.disk.list("/data").filter(({ name }) => name.endsWith("-delete")).length;
    expect(left()).toBe(3);
    await fixture.clock.advance(5);
    expect(left()).toBe(0);
  });
});

describe("onFault()", () => {
  test("a broken disk takes its directory, a damaged log and a lost read do not", async () => {
    const { logs, log, events, failed } = await openLogs();
    logs.onFault(log("a"), new LogFault("/data/a-0", "Cannot read /data/a-0: damaged"));
    logs.onFault(log("a"), new DiskFault("unreadable", "/data/a-0/x.log", "Cannot read"));
    expect(logs.managed()).toHaveLength(3);
    expect(events.filter((event) => event.startsWith("error"))).toEqual([
      "error log is damaged",
      "error work on a log has failed",
    ]);
    logs.onFault(log("a"), new DiskFault("io", "/data/a-0/x.log", "Cannot write"));
    expect(logs.managed()).toHaveLength(0);
    expect(failed).toHaveLength(1);
  });

  test("anything else is a broken program", async () => {
    const { logs, log } = await openLogs();
    expect(() => logs.onFault(log("a"), new TypeError("x is undefined"))).toThrow("x is undefined");
  });
});
