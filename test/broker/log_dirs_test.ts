import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { textOf } from "../../src/ground/text.ts";
import { MemoryDisk } from "../log/memory_disk.ts";
import { batchOf, startBroker } from "./broker_fixture.ts";
import {
  contentOf,
  deleteTopic,
  MEBIBYTE,
  metric,
  ready,
  refusal,
  TWO,
  valuesOf,
} from "./disk_questions.ts";
import { createTopic, fetchFrom, produceTo } from "./topic_requests.ts";

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

describe("log.dirs", () => {
  test("a new directory may be named before those that there are", async () => {
    const first = await startBroker({ "log.dirs": "/one" });
    const { clusterId } = first.broker;
    await first.clock.until(first.broker.stop());
    const after = await startBroker({ "log.dirs": "/new,/one" }, first.disk.kill());
    expect(after.broker.clusterId).toBe(clusterId);
    expect(textOf(after.disk.readWhole("/new/meta.properties") as Uint8Array)).toMatch(clusterId);
  });

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
    // A start takes the mark of a clean stop away, and its node votes for itself.
    const marks = /^.*\/(\.(cleanshutdown|lock)|__cluster_metadata-0\/.*) .*\n?/gm;
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
