import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { textOf } from "../../src/ground/text.ts";
import { MemoryDisk } from "../log/memory_disk.ts";
import { batchOf, startBroker } from "./broker_fixture.ts";
import { deleteTopic, MEBIBYTE, metric, ready, refusal, TWO, valuesOf } from "./disk_questions.ts";
import { createTopic, fetchFrom, produceTo } from "./topic_requests.ts";

/** Every file of a disk with its content. */
function contentOf(disk: MemoryDisk): string {
  return [...disk.files].map(([path, { content }]) => `${path} ${content}`).sort().join("\n");
}

describe("a directory that cannot be had at the start", () => {
  /** Topics "a" and "b", each with a record, in a directory of its own. */
  async function twoDirectories(): Promise<{ disk: MemoryDisk; onOne: string; onTwo: string }> {
    const first = await startBroker(TWO);
    const connection = await first.dial();
    for (const topic of ["a", "b"]) {
      await createTopic(connection, topic);
      await produceTo(connection, topic, batchOf([topic]));
    }
    const onTwo = first.disk.info("/two/a-0") === undefined ? "b" : "a";
    await first.clock.until(first.broker.stop());
    return { disk: first.disk.kill(), onOne: onTwo === "a" ? "b" : "a", onTwo };
  }

  test("is offline, the others serve, and nothing of it is made anew elsewhere", async () => {
    for (const kind of ["not-permitted", "io"] as const) {
      const { disk, onOne, onTwo } = await twoDirectories();
      disk.treeFaults.set("/two", kind);
      const fixture = await startBroker(TWO, disk);
      const connection = await fixture.dial();
      expect(await valuesOf(connection, onOne)).toEqual([`0:${onOne}`]);
      const refused = await produceTo(connection, onTwo, batchOf(["lost?"]));
      expect(refused.errorCode).toBe(ErrorCode.KafkaStorageError);
      expect(refused.errorMessage).toBe("its log may lie in /two, which is offline");
      expect((await fetchFrom(connection, onTwo)).errorCode).toBe(ErrorCode.KafkaStorageError);
      expect(disk.info(`/one/${onTwo}-0`)).toBeUndefined();
      expect(metric(fixture, "kafka_log_logmanager_offlinelogdirectorycount")).toBe("1");
      expect(metric(fixture, 'kafka_log_logmanager_logdirectoryoffline{logdirectory="/two"}')).toBe(
        "1",
      );
      expect(metric(fixture, "kafka_server_replicamanager_offlinereplicacount")).toBe("1");
      expect(ready(fixture)).toMatch('{"path":"/two","state":"offline"}');
      await createTopic(connection, "new");
      expect(disk.info("/one/new-0")?.isDirectory).toBeTrue();

      await fixture.clock.until(fixture.broker.stop());
      const healed = disk.kill();
      const after = await startBroker(TWO, healed);
      const again = await after.dial();
      expect(await valuesOf(again, onTwo)).toEqual([`0:${onTwo}`]);
      expect((await produceTo(again, onTwo, batchOf(["more"]))).baseOffset).toBe(1);
    }
  });

  test("a topic that is deleted meanwhile is gone when the directory is back", async () => {
    const { disk, onTwo } = await twoDirectories();
    disk.treeFaults.set("/two", "not-permitted");
    const fixture = await startBroker(TWO, disk);
    expect(await deleteTopic(await fixture.dial(), onTwo)).toBe(ErrorCode.None);
    expect(metric(fixture, "kafka_server_replicamanager_offlinereplicacount")).toBe("0");
    await fixture.clock.until(fixture.broker.stop());
    const after = await startBroker(TWO, disk.kill());
    expect(after.disk.info(`/two/${onTwo}-0`)).toBeUndefined();
  });

  test("keeps the broker from starting where it may hold the metadata, or where none is left", async () => {
    const { disk } = await twoDirectories();
    disk.treeFaults.set("/one", "io");
    expect(await refusal(startBroker(TWO, disk))).toMatch(
      /^IO: Cannot .*\/one.*, and none of the other log directories holds the metadata log$/,
    );
    disk.treeFaults.set("/two", "not-permitted");
    expect(await refusal(startBroker(TWO, disk))).toMatch(/^IO: Cannot .*\/one/);
    disk.treeFaults.clear();
    expect(await refusal(startBroker(TWO, disk))).toBe("none"); // and no lock was kept
  });
});

describe("a directory that is not the one it was", () => {
  /** A topic "t" with a record on /two, which is then not mounted: there is an empty directory. */
  async function unmounted(): Promise<{ disk: MemoryDisk; mount: () => void }> {
    const first = await startBroker(TWO);
    const connection = await first.dial();
    await createTopic(connection, "t");
    if (first.disk.info("/two/t-0") === undefined) {
      await deleteTopic(connection, "t");
      await createTopic(connection, "other"); // to /one again, so that "t" goes to the other
      await createTopic(connection, "t");
    }
    await produceTo(connection, "t", batchOf(["a"]));
    await first.clock.until(first.broker.stop());
    const disk = first.disk.kill();
    disk.rename("/two", "/aside");
    const mount = (): void => {
      disk.remove("/two");
      disk.rename("/aside", "/two");
    };
    return { disk, mount };
  }

  test("its partitions are missed and not made anew, at this start and at the next", async () => {
    const { disk, mount } = await unmounted();
    let left = disk;
    for (let start = 0; start < 3; start++) {
      const fixture = await startBroker(TWO, left);
      const refused = await produceTo(await fixture.dial(), "t", batchOf(["b"]));
      expect(refused.errorCode).toBe(ErrorCode.KafkaStorageError);
      expect(refused.errorMessage).toMatch(/^its log may lie in the log directory that was \/two /);
      await fixture.clock.until(fixture.broker.stop());
      left = disk;
    }
    mount();
    const after = await startBroker(TWO, disk);
    const connection = await after.dial();
    expect(await valuesOf(connection, "t")).toEqual(["0:a"]);
    expect((await produceTo(connection, "t", batchOf(["b"]))).baseOffset).toBe(1);
  });

  test("it is forgotten once nothing is missed: the topic was deleted, or all was moved away", async () => {
    const { disk } = await unmounted();
    const second = await startBroker({ "log.dirs": "/one" }, disk);
    const connection = await second.dial();
    expect((await produceTo(connection, "t", batchOf(["b"]))).errorCode).toBe(
      ErrorCode.KafkaStorageError,
    );
    expect(await deleteTopic(connection, "t")).toBe(ErrorCode.None);
    await createTopic(connection, "t");
    expect((await produceTo(connection, "t", batchOf(["new"]))).baseOffset).toBe(0);
    const known = (): number =>
      textOf(disk.readWhole("/one/log-directories") as Uint8Array)
        .split("\n").length - 2;
    expect(known()).toBe(2);
    await second.clock.until(second.broker.stop());
    const third = await startBroker({ "log.dirs": "/one" }, disk);
    expect(known()).toBe(1);
    expect(await valuesOf(await third.dial(), "t")).toEqual(["0:new"]);
  });
});

describe("log.dirs", () => {
  test("names a directory once, and none inside another", async () => {
    for (const directories of ["/a,/a", "/a,/a/", "/a,/./a", "/a,/a/b", "/a/b,/a", "/x,/a//b,/a"]) {
      const disk = new MemoryDisk();
      expect(await refusal(startBroker({ "log.dirs": directories }, disk))).toMatch(
        /^BAD_SETTING: Cannot use log.dirs: it names /,
      );
      expect(disk.files.size).toBe(0);
    }
    expect(await refusal(startBroker({ "log.dirs": "/a,/ab" }))).toBe("none");
  });

  test("names no copy of another", async () => {
    const first = await startBroker(TWO);
    await first.clock.until(first.broker.stop());
    const disk = first.disk.kill();
    const identity = disk.readWhole("/one/meta.properties") as Uint8Array;
    disk.open("/two/meta.properties", "write").write(0, [identity]);
    expect(await refusal(startBroker(TWO, disk))).toMatch(
      "Cannot use log directory /two: it has the directory.id of /one",
    );
  });

  test("a partition that lies in two of them is not chosen by chance, and nothing is changed", async () => {
    const first = await startBroker(TWO);
    const connection = await first.dial();
    await createTopic(connection, "t");
    await produceTo(connection, "t", batchOf(["a"]));
    await first.clock.until(first.broker.stop());
    const disk = first.disk.kill();
    const [from, to] = disk.info("/one/t-0") === undefined ? ["/two", "/one"] : ["/one", "/two"];
    disk.makeDirectory(`${to}/t-0`);
    for (const { name } of disk.list(`${from}/t-0`)) {
      const copy = disk.open(`${to}/t-0/${name}`, "write");
      copy.write(0, [disk.readWhole(`${from}/t-0/${name}`) as Uint8Array]);
    }
    const before = contentOf(disk);
    expect(await refusal(startBroker(TWO, disk))).toBe(
      "CORRUPT: Cannot tell which log of t-0 is the right one: /one/t-0 or /two/t-0",
    );
    const marks = /^.*\/\.(cleanshutdown|lock) .*\n?/gm;
    expect(contentOf(disk).replace(marks, "")).toBe(before.replace(marks, ""));
  });

  test("new partitions go where there are the fewest, then where there is the most room", async () => {
    class TwoSizes extends MemoryDisk {
      override freeBytes(path = "/"): number {
        return super.freeBytes(path) - (path.startsWith("/two") ? 0 : MEBIBYTE);
      }
    }
    const disk = new TwoSizes();
    disk.roomBytes = 1024 * MEBIBYTE;
    const { dial } = await startBroker({ "log.dirs": "/one,/two,/three" }, disk);
    const connection = await dial();
    await createTopic(connection, "first");
    expect(disk.info("/two/first-0")?.isDirectory).toBeTrue();
    for (let count = 0; count < 8; count++) await createTopic(connection, `t${count}`);
    for (const directory of ["/one", "/two", "/three"]) {
      const partitions = disk.list(directory).filter(({ name }) => /^(t\d|first)-0$/.test(name));
      expect(partitions).toHaveLength(3);
    }
  });
});
