import { describe, expect, test } from "bun:test";
import process from "node:process";
import { join } from "node:path";
import { createHostDisk } from "../../src/host/disk.ts";
import { lockOwner } from "../../src/host/lock_owner.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";

describe("lockOwner()", () => {
  test("names the process that has the lock, where the system tells", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, ".lock");
    expect(lockOwner(path)).toBeUndefined();
    const lock = createHostDisk().lock(path);
    expect([process.pid, undefined]).toContain(lockOwner(path)?.processId);
    lock?.release();
    expect(lockOwner(path)).toBeUndefined();
  });
});
