import { describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { DiskFault } from "../../src/env/disk.ts";
import { createHostDisk } from "../../src/host/disk.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";

const disk = createHostDisk();

function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** The kind of the fault that `action` throws. */
function faultOf(action: () => unknown): string {
  try {
    action();
  } catch (fault) {
    return fault instanceof DiskFault ? fault.kind : "no DiskFault";
  }
  return "none";
}

describe("DiskFile", () => {
  test("writes parts one behind the other and reads them back", async () => {
    using directory = temporaryDirectory();
    const file = disk.open(`${directory.path}/a`, "write");
    file.write(2, [bytes(1, 2), bytes(), bytes(3)]);
    expect(file.bytes()).toBe(5);
    expect(file.readNow(0, 5)).toEqual(bytes(0, 0, 1, 2, 3));
    expect(await file.read(1, 3)).toEqual(bytes(0, 1, 2));
    expect(await file.read(3, 100)).toEqual(bytes(2, 3));
    expect(await file.read(5, 0)).toEqual(bytes());
    expect(file.readNow(9, 4)).toEqual(bytes());
    file.truncate(3);
    expect(file.readNow(0, 10)).toEqual(bytes(0, 0, 1));
    await file.sync();
    file.close();
    expect(() => file.close()).toThrow("a file is closed once");
  });

  test("writes more parts than the system takes in one call", () => {
    using directory = temporaryDirectory();
    const file = disk.open(`${directory.path}/a`, "write");
    const parts = Array.from({ length: 3000 }, (_, index) => bytes(index & 255, index >> 8));
    file.write(1, parts);
    const read = readFileSync(`${directory.path}/a`);
    expect(read.length).toBe(6001);
    for (const [index, part] of parts.entries()) {
      expect(read[index * 2 + 1] === part[0] && read[index * 2 + 2] === part[1]).toBeTrue();
    }
    file.close();
  });

  test("tells of a full disk", () => {
    const full = disk.open("/dev/full", "write");
    expect(faultOf(() => full.write(0, [bytes(1)]))).toBe("no-space");
    full.close();
  });
});

describe("Disk", () => {
  test("tells what is not there from what is", () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/none`;
    expect(faultOf(() => disk.open(path, "read"))).toBe("not-found");
    expect(disk.readWhole(path)).toBeUndefined();
    expect(disk.info(path)).toBeUndefined();
    expect(disk.list(path)).toEqual([]);
    disk.remove(path);
    expect(faultOf(() => disk.rename(path, `${path}2`))).toBe("not-found");
    writeFileSync(path, "abc");
    expect(disk.info(path)).toEqual({ name: "none", isDirectory: false, bytes: 3 });
    expect(disk.readWhole(path)).toEqual(bytes(97, 98, 99));
    expect(disk.list(path)).toEqual([]);
  });

  test("removes a file off the event loop", async () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/file`;
    writeFileSync(path, "abc");
    const file = disk.open(path, "read");
    await disk.removeFile(path);
    expect(disk.info(path)).toBeUndefined();
    expect(file.readNow(0, 3)).toEqual(bytes(97, 98, 99)); // who holds it reads on
    file.close();
    await disk.removeFile(path);
    writeFileSync(path, "abc");
    await expect(disk.removeFile(`${path}/below`)).rejects.toThrow("Cannot use");
  });

  test("makes, lists, syncs and removes directories", async () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/b/c`;
    disk.makeDirectory(path);
    disk.makeDirectory(path);
    disk.open(`${path}/2`, "write").close();
    writeFileSync(`${path}/10`, "four");
    disk.makeDirectory(`${path}/3`);
    await disk.syncDirectory(path);
    expect(disk.list(path)).toEqual([
      { name: "10", isDirectory: false, bytes: 4 },
      { name: "2", isDirectory: false, bytes: 0 },
      { name: "3", isDirectory: true, bytes: 0 },
    ]);
    disk.rename(path, `${directory.path}/d`);
    disk.remove(`${directory.path}/d`);
    expect(disk.list(directory.path).map((entry) => entry.name)).toEqual(["b"]);
    await expect(disk.syncDirectory(path)).rejects.toThrow("Cannot use");
    expect(disk.freeBytes(directory.path)).toBeGreaterThan(0);
    expect(disk.totalBytes(directory.path)).toBeGreaterThan(disk.freeBytes(directory.path) - 1);
  });

  test("tells bytes that cannot be read from a disk that does not take them", async () => {
    using directory = temporaryDirectory();
    // The system refuses to read a directory as a file with EISDIR, which is none of the known codes.
    const file = disk.open(directory.path, "read");
    expect(faultOf(() => file.readNow(0, 1))).toBe("unreadable");
    await expect(file.read(0, 1)).rejects.toThrow("Cannot use");
    expect(await file.read(0, 1).then(() => "none", (fault: DiskFault) => fault.kind)).toBe(
      "unreadable",
    );
    expect(faultOf(() => file.write(0, [new Uint8Array(1)]))).toBe("io");
    file.close();
  });

  test("tells of a lack of rights", () => {
    if (process.getuid?.() === 0) return; // to root everything is permitted
    using directory = temporaryDirectory();
    chmodSync(directory.path, 0o500);
    expect(faultOf(() => disk.open(`${directory.path}/a`, "write"))).toBe("not-permitted");
  });
});

test("a fault is told in words, without what the system calls the call", () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/file`;
  disk.open(path, "write").close();
  const messageOf = (action: () => unknown): string => {
    try {
      action();
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  expect(messageOf(() => disk.makeDirectory(path)))
    .toBe(`Cannot use ${path}: something else has the name already`);
  expect(messageOf(() => disk.open(`${path}.none`, "read")))
    .toBe(`Cannot use ${path}.none: no such file or directory`);
});

describe("lock()", () => {
  test("has one holder at a time", () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/.lock`;
    const first = disk.lock(path);
    expect(first).toBeDefined();
    expect(disk.lock(path)).toBeUndefined();
    first?.release();
    first?.release();
    const second = disk.lock(path);
    expect(second).toBeDefined();
    second?.release();
  });

  test("ends with the process that held it, also by kill -9", async () => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/.lock`;
    const source = new URL("../../src/host/disk.ts", import.meta.url).href;
    const program = `${directory.path}/hold.ts`;
    writeFileSync(
      program,
      `import { createHostDisk } from ${JSON.stringify(source)};
       const lock = createHostDisk().lock(${JSON.stringify(path)});
       console.log(lock === undefined ? "taken" : "held");
       setInterval(() => {}, 1000);`,
    );
    const isDeno = process.versions["deno"] !== undefined;
    const run = isDeno ? ["run", "-A", "--no-config", program] : [program];
    const holder = spawn(process.execPath, run, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise((resolve) => holder.on("exit", resolve));
    const said = await new Promise((resolve) => {
      holder.stdout?.on("data", (chunk) => resolve(String(chunk).trim()));
    });
    expect(said).toBe("held");
    expect(disk.lock(path)).toBeUndefined();
    holder.kill("SIGKILL");
    await ended;
    const lock = disk.lock(path);
    expect(lock).toBeDefined();
    lock?.release();
  });
});
