import { describe, expect, test } from "bun:test";
import { LogDirectory } from "../../src/log/directory/log_directory.ts";
import { Place } from "../../src/runtime/log_places.ts";
import { Removals } from "../../src/runtime/removals.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

const MINUTE_MS = 60_000;
const MEBIBYTE = 1024 * 1024;

/** Removals take a millisecond each. */
class SlowDisk extends MemoryDisk {
  clock = new ManualClock();
  atOnceMax = 0;
  #atOnce = 0;

  override async removeFile(path: string): Promise<void> {
    this.atOnceMax = Math.max(this.atOnceMax, ++this.#atOnce);
    await new Promise<void>((resolve) => this.clock.after(1, resolve));
    this.#atOnce--;
    this.remove(path);
  }
}

interface Setup {
  readonly disk: SlowDisk;
  readonly clock: ManualClock;
  readonly removals: Removals;
  readonly one: Place;
  readonly two: Place;
  /** Files and folders there are, but for the directories' own. */
  readonly left: () => readonly string[];
  readonly add: (...paths: readonly string[]) => readonly string[];
}

async function setUp(): Promise<Setup> {
  const disk = new SlowDisk();
  const { clock } = disk;
  const open = async (path: string): Promise<Place> => {
    const newIds = { clusterId: "cluster", directoryId: path };
    const trace = { event: () => undefined };
    const options = { disk, clock, trace, reserveBytes: MEBIBYTE, nodeId: 1, newIds };
    return new Place(await LogDirectory.open({ ...options, path }));
  };
  const [one, two] = [await open("/one"), await open("/two")];
  const left = (): readonly string[] =>
    [...disk.files.keys(), ...disk.directories].filter((path) => path.includes("delete")).sort();
  const add = (...paths: readonly string[]): readonly string[] => {
    for (const path of paths) {
      disk.makeDirectory(path.slice(0, path.lastIndexOf("/")));
      disk.open(path, "write").close();
    }
    return paths;
  };
  return { disk, clock, removals: new Removals(clock, disk), one, two, left, add };
}

function fill({ directory: { health } }: Place, disk: MemoryDisk): void {
  disk.roomBytes = MEBIBYTE - 1;
  health.measure();
}

describe("Removals", () => {
  test("go after their delay, folders with all that is in them", async () => {
    const { clock, removals, one, add, left } = await setUp();
    removals.later(one, add("/one/t-0/0.log.deleted"), MINUTE_MS);
    add("/one/u-0.1-delete/0.log", "/one/u-0.1-delete/1.log");
    removals.later(one, ["/one/u-0.1-delete"], MINUTE_MS);
    await clock.advance(MINUTE_MS - 1);
    expect(left()).toHaveLength(4);
    await clock.advance(100);
    expect(left()).toEqual([]);
  });

  test("do not wait in a directory that is full, nor once it has become so", async () => {
    const { disk, clock, removals, one, two, add, left } = await setUp();
    removals.later(one, add("/one/t-0/0.log.deleted"), MINUTE_MS);
    removals.later(two, add("/two/t-1/0.log.deleted"), MINUTE_MS);
    one.directory.health.onNoRoom(() => removals.hurry(one));
    fill(one, disk);
    await clock.advance(10);
    expect(left()).toEqual(["/two/t-1/0.log.deleted"]);
    removals.later(one, add("/one/t-0/1.log.deleted"), MINUTE_MS);
    await clock.advance(10);
    expect(left()).toEqual(["/two/t-1/0.log.deleted"]);
    await clock.advance(MINUTE_MS);
    expect(left()).toEqual([]);
  });

  test("of one directory go one after the other, however many are hurried", async () => {
    const { disk, clock, removals, one, add, left } = await setUp();
    for (let base = 0; base < 20; base++) {
      removals.later(one, add(`/one/t-${base}/0.log.deleted`), MINUTE_MS);
    }
    removals.hurry(one);
    await clock.advance(100);
    expect(left()).toEqual([]);
    expect(disk.atOnceMax).toBe(1);
  });

  test("that find no room or no handles are tried again, and keep nothing else from going", async () => {
    const { disk, clock, removals, one, add, left } = await setUp();
    one.directory.health.onNoRoom(() => removals.hurry(one)); // and this does not go round and round
    disk.failNext("remove", "no-space");
    disk.failNext("remove", "no-space");
    const paths = ["/one/t-0/0.log.deleted", "/one/t-0/1.log.deleted", "/one/t-0/2.log.deleted"];
    removals.later(one, add(...paths), 0);
    await clock.advance(100);
    expect(left()).toHaveLength(2);
    const calls = disk.calls["remove"];
    await clock.advance(MINUTE_MS - 200);
    expect(disk.calls["remove"]).toBe(calls as number);
    await clock.advance(200);
    expect(left()).toEqual([]);
  });

  test("that were cancelled are left to the next start, also when room is wanted", async () => {
    const { clock, removals, one, add, left } = await setUp();
    removals.later(one, add("/one/t-0/0.log.deleted"), MINUTE_MS);
    removals.cancel();
    removals.hurry(one);
    removals.later(one, add("/one/t-0/1.log.deleted"), 0);
    await clock.advance(2 * MINUTE_MS);
    expect(left()).toHaveLength(2);
  });
});
