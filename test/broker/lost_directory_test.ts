/** Log directories that are not where they were: not mounted, moved, replaced, taken out of log.dirs. */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { bytesOf, textOf } from "../../src/ground/text.ts";
import type { MemoryDisk } from "../log/memory_disk.ts";
import { assembleBroker, batchOf, type Fixture, startBroker } from "./broker_fixture.ts";
import { contentOf, deleteTopic, refusal, TWO, valuesOf } from "./disk_questions.ts";
import { createTopic, produceTo } from "./topic_requests.ts";

describe("a directory that is not the one it was", () => {
  /** What is told, with its fields. */
  async function startTold(
    settings: Readonly<Record<string, string>>,
    disk: MemoryDisk,
  ): Promise<Fixture & { readonly told: readonly string[] }> {
    const fixture = assembleBroker(settings, disk);
    const told: string[] = [];
    Object.assign(fixture.env.trace, {
      event: (level: string, message: string, fields: object = {}) => {
        told.push(`${level} ${message} ${JSON.stringify(fields)}`);
      },
    });
    await fixture.clock.until(fixture.broker.start());
    return { ...fixture, told };
  }

  /** Line of the directory in `log-directories`. */
  function noted(disk: MemoryDisk, path: string): string {
    const lines = textOf(disk.readWhole("/one/log-directories") as Uint8Array).split("\n");
    return lines.find((line) => line.endsWith(` ${path}`)) ?? "none";
  }

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
    disk.makeDirectory("/two");
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
      expect(refused.errorMessage).toBe("its log may lie in /two, which is offline");
      expect(disk.list("/two")).toEqual([]); // the mount point is left as it is
      await fixture.clock.until(fixture.broker.stop());
      left = disk;
    }
    mount();
    const after = await startBroker(TWO, disk);
    const connection = await after.dial();
    expect(await valuesOf(connection, "t")).toEqual(["0:a"]);
    expect((await produceTo(connection, "t", batchOf(["b"]))).baseOffset).toBe(1);
  });

  test("it is told of once, with the partitions that are offline", async () => {
    const { disk } = await unmounted();
    const [id] = noted(disk, "/two").split(" ");
    const { told } = await startTold(TWO, disk);
    const errors = told.filter((event) => event.startsWith("error"));
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatch(
      'error log directory is offline {"path":"/two","error":"Cannot use log directory /two: it has ' +
        `no meta.properties, and was directory.id ${id} when this broker last ran; is it mounted?"`,
    );
    expect(errors[0]).toMatch("/one/log-directories");
    expect(errors[1]).toBe('error partitions are offline {"count":1,"partitions":"t-0"}');
  });

  test("no more than ten offline partitions are named", async () => {
    const { disk, mount } = await unmounted();
    mount();
    const before = await startBroker(TWO, disk);
    const connection = await before.dial();
    for (let count = 0; count < 30; count++) await createTopic(connection, `t${count}`);
    await before.clock.until(before.broker.stop());
    disk.treeFaults.set("/two", "io");
    const { told } = await startTold(TWO, disk);
    const [, named, more] = /"partitions":"(.*) and (\d+) more"/.exec(told.join("\n")) ?? [];
    expect(named?.split(", ")).toHaveLength(10);
    expect(Number(more)).toBeGreaterThan(0);
    expect(told.join("\n")).toMatch(`"count":${Number(more) + 10},`);
  });

  test("it is not made anew where its path is written otherwise, or where nothing lay on it", async () => {
    const first = await startBroker(TWO);
    await first.clock.until(first.broker.stop());
    const disk = first.disk.kill();
    disk.remove("/two");
    for (const directories of ["/one,/two/", "/./two,/one", "/one,/two"]) {
      const { told, clock, broker } = await startTold({ "log.dirs": directories }, disk);
      expect(told.filter((event) => event.includes("is it mounted?"))).toHaveLength(1);
      expect(disk.info("/two")).toBeUndefined();
      await clock.until(broker.stop());
    }
  });

  test("it is replaced on purpose by taking its line out of log-directories", async () => {
    const { disk } = await unmounted();
    const line = noted(disk, "/two");
    const left = textOf(disk.readWhole("/one/log-directories") as Uint8Array)
      .replace(`${line}\n`, "");
    const file = disk.open("/one/log-directories", "write");
    file.truncate(0);
    file.write(0, [bytesOf(left)]);
    file.close();
    const { dial } = await startBroker(TWO, disk);
    const connection = await dial();
    expect((await produceTo(connection, "t", batchOf(["new"]))).baseOffset).toBe(0);
    expect(disk.info("/two/meta.properties")).toBeDefined();
    expect(noted(disk, "/two")).not.toBe(line);
  });

  test("one that is another now is told of as long as partitions are missed", async () => {
    const { disk } = await unmounted();
    const other = await startBroker({ "log.dirs": "/two" });
    await other.clock.until(other.broker.stop());
    const identity = textOf(disk.readWhole("/one/meta.properties") as Uint8Array)
      .replace(/directory\.id=.*/, "directory.id=another");
    disk.open("/two/meta.properties", "write").write(0, [bytesOf(identity)]);
    const [id] = noted(disk, "/two").split(" ");
    const { told } = await startTold(TWO, disk);
    const errors = told.filter((event) => event.startsWith("error"));
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatch(
      `error a log directory is missing {"path":"/two","directoryId":"${id}"`,
    );
    expect(errors[1]).toMatch('partitions are offline {"count":1,"partitions":"t-0"}');
  });

  test("a disk that moved to another path leaves its old path to a new one", async () => {
    const { disk } = await unmounted();
    disk.rename("/aside", "/three");
    const { dial } = await startBroker({ "log.dirs": "/one,/two,/three" }, disk);
    expect(await valuesOf(await dial(), "t")).toEqual(["0:a"]);
    expect(disk.info("/two/meta.properties")).toBeDefined();
  });

  test("without the one of the metadata log nothing starts and nothing is made, in either order", async () => {
    const { disk, mount } = await unmounted();
    mount();
    disk.rename("/one", "/aside");
    disk.makeDirectory("/one");
    const before = contentOf(disk);
    for (const directories of ["/one,/two", "/two,/one", "/two"]) {
      expect(await refusal(startBroker({ "log.dirs": directories }, disk))).toBe(
        "IO: Cannot find the metadata log: /two was in use before, and no log directory has " +
          "__cluster_metadata-0",
      );
      expect(contentOf(disk)).toBe(before);
    }
    disk.remove("/one");
    disk.rename("/aside", "/one");
    const { dial } = await startBroker(TWO, disk);
    expect(await valuesOf(await dial(), "t")).toEqual(["0:a"]);
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
