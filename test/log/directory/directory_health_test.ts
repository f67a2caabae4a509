import { describe, expect, test } from "bun:test";
import { DiskFault } from "../../../src/env/disk.ts";
import { bytesOf } from "../../../src/ground/text.ts";
import { DirectoryHealth } from "../../../src/log/directory/directory_health.ts";
import { ManualClock } from "../../client/manual_clock.ts";
import { MemoryDisk } from "../memory_disk.ts";

const PATH = "/data";
const MEBIBYTE = 1024 * 1024;
const RESERVE = 64 * MEBIBYTE;

interface Fixture {
  readonly disk: MemoryDisk;
  readonly clock: ManualClock;
  readonly health: DirectoryHealth;
  readonly events: string[];
  readonly faults: DiskFault[];
}

function start(freeBytes: number, sizeBytes = Infinity): Fixture {
  const disk = new MemoryDisk();
  disk.makeDirectory(PATH);
  disk.open(`${PATH}/meta.properties`, "write").write(0, [bytesOf("version=1\n")]);
  disk.roomBytes = freeBytes;
  disk.sizeBytes = sizeBytes;
  const clock = new ManualClock();
  const events: string[] = [];
  const faults: DiskFault[] = [];
  const trace = { event: (_level: string, message: string): void => void events.push(message) };
  const health = new DirectoryHealth({ path: PATH, disk, clock, trace, reserveBytes: RESERVE });
  health.onOffline((fault) => faults.push(fault));
  return { disk, clock, health, events, faults };
}

function measures(disk: MemoryDisk): number {
  return disk.calls["statfs"] ?? 0;
}

describe("admit()", () => {
  test("asks for free space once in 8 MiB", () => {
    const { disk, health } = start(1024 * MEBIBYTE);
    for (let kibibytes = 0; kibibytes < 64 * 1024; kibibytes++) {
      expect(health.admit(1024)).toBeUndefined();
    }
    expect(measures(disk)).toBeGreaterThanOrEqual(8);
    expect(measures(disk)).toBeLessThanOrEqual(9);
  });

  test("asks again after half a second where something is appended, and never where nothing is", async () => {
    const { disk, clock, health } = start(1024 * MEBIBYTE);
    health.admit(1);
    health.admit(1);
    expect(measures(disk)).toBe(1);
    await clock.advance(499);
    health.admit(1);
    expect(measures(disk)).toBe(1);
    await clock.advance(1);
    health.admit(1);
    expect(measures(disk)).toBe(2);
    await clock.advance(3_600_000);
    expect(measures(disk)).toBe(2);
  });

  test("never goes into the reserve, and says what is full and what is needed", () => {
    const { disk, health, events } = start(RESERVE + 1000);
    expect(health.admit(600)).toBeUndefined();
    disk.roomBytes -= 600;
    expect(health.admit(600)).toBe(
      "log directory /data is full: 64.0 MiB are free, 72.0 MiB are needed (mq.disk.reserve.bytes)",
    );
    expect(events).toEqual(["log directory is full"]);
    expect(health.isOnline).toBeTrue();
  });

  test("takes batches again by itself, when there is room and some more", async () => {
    const { disk, clock, health, events } = start(RESERVE - 1);
    expect(health.admit(1)).toMatch("is full");
    const asked = measures(disk);
    for (let count = 0; count < 1000; count++) expect(health.admit(1)).toMatch("is full");
    expect(measures(disk)).toBe(asked); // who is refused costs nothing
    disk.roomBytes = RESERVE + 1;
    await clock.advance(5000);
    expect(health.admit(1)).toMatch("is full");
    disk.roomBytes = RESERVE + RESERVE / 8;
    await clock.advance(500);
    expect(health.state.kind).toBe("online"); // nobody had to append for that
    expect(health.admit(1)).toBeUndefined();
    expect(events).toEqual(["log directory is full", "log directory has room again"]);
  });

  test("a file system of 32 MiB is of use", () => {
    const { disk, health } = start(32 * MEBIBYTE, 32 * MEBIBYTE);
    let taken = 0;
    while (health.admit(MEBIBYTE) === undefined) {
      disk.roomBytes -= MEBIBYTE;
      taken++;
    }
    expect(taken).toBe(30);
  });
});

describe("onFault()", () => {
  test("a write or a sync that fails is the end, told once; nothing is asked of the disk again", async () => {
    const { disk, clock, health, events, faults } = start(Infinity);
    health.admit(1);
    health.onFault(new DiskFault("io", `${PATH}/t-0/x.log`, "Cannot use x.log: i/o error"));
    health.onFault(new DiskFault("io", `${PATH}/t-0/x.log`, "again"));
    expect(health.state).toEqual({ kind: "offline", reason: "Cannot use x.log: i/o error" });
    expect(faults).toHaveLength(1);
    expect(events).toEqual(["log directory is offline"]);
    expect(health.admit(1)).toBe("log directory /data is offline: Cannot use x.log: i/o error");
    const asked = measures(disk);
    health.measure();
    await clock.advance(10_000);
    expect(measures(disk)).toBe(asked);
  });

  test("what cannot be read is not the directory's matter; no room and no handles are none", () => {
    const { health, disk } = start(Infinity);
    for (const kind of ["unreadable", "no-handles", "no-space"] as const) {
      health.onFault(new DiskFault(kind, PATH, kind));
      expect(health.state.kind).toBe("online");
    }
    disk.roomBytes = 10;
    health.onFault(new DiskFault("no-space", PATH, "full"));
    expect(health.state.kind).toBe("full");
  });

  test("rights that are gone, a file system that is read-only and a missing path are", () => {
    for (const kind of ["not-permitted", "not-found", "exists"] as const) {
      const { health } = start(Infinity);
      health.onFault(new DiskFault(kind, PATH, kind));
      expect(health.isOnline).toBeFalse();
    }
  });
});

describe("measure()", () => {
  test("finds that the directory is gone, which no write and no sync would tell", () => {
    const { disk, health, faults } = start(Infinity);
    const file = disk.open(`${PATH}/x.log`, "write");
    disk.remove(PATH);
    file.write(0, [bytesOf("still taken")]);
    health.measure();
    expect(faults.map(({ message }) => message)).toEqual([
      "Cannot use /data: its files are gone",
    ]);
  });

  test("finds that another directory has come in its place", () => {
    const { disk, health } = start(Infinity);
    disk.remove(PATH);
    disk.makeDirectory(PATH);
    health.measure();
    expect(health.isOnline).toBeFalse();
  });
});

describe("onNoRoom()", () => {
  /** How often it was told. */
  function listen(health: DirectoryHealth): { count: number } {
    const told = { count: 0 };
    health.onNoRoom(() => told.count++);
    return told;
  }

  test("hears when the directory becomes full, once for each time", async () => {
    const { disk, clock, health } = start(RESERVE - 1);
    const told = listen(health);
    for (let count = 0; count < 10; count++) {
      health.admit(1);
      await clock.advance(5000);
    }
    expect(told.count).toBe(1);
    disk.roomBytes = 2 * RESERVE;
    await clock.advance(5000);
    disk.roomBytes = 0;
    health.admit(1);
    expect(told.count).toBe(2);
  });

  test("hears of a write without room, where room is measured (a quota), and not of missing handles", () => {
    const { health } = start(2 * RESERVE);
    const told = listen(health);
    health.onFault(new DiskFault("no-handles", PATH, "too many open files"));
    expect(told.count).toBe(0);
    health.onFault(new DiskFault("no-space", PATH, "quota"));
    expect(told.count).toBe(1);
  });
});
