/**
 * A log directory went with a loss of power, and all that had been acknowledged in it.
 *
 *     1. The first life made the directory, and was killed before it was durable in its parent.
 *     2. The next ones found it there, and took it for durable.
 */
import { expect, test } from "bun:test";
import { LogDirectory } from "../../src/log/directory/log_directory.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

function open(disk: MemoryDisk): Promise<LogDirectory> {
  return LogDirectory.open({
    path: "/disks/data",
    disk,
    trace: { event: () => undefined },
    clock: new ManualClock(),
    reserveBytes: 0,
    nodeId: 1,
    newIds: { clusterId: "cluster", directoryId: "directory" },
  });
}

/** Stopped at the first, or at the second directory that was to be made durable. */
for (const stopAt of [0, 1]) {
  test(`a directory whose making was cut short is durable before it is used (${stopAt})`, async () => {
    const first = new MemoryDisk();
    let left = stopAt;
    const sync = first.syncDirectory.bind(first);
    first.syncDirectory = (path: string): Promise<void> => {
      if (left-- === 0) return Promise.reject(new Error("killed"));
      return sync(path);
    };
    await expect(open(first)).rejects.toThrow("killed");
    const second = first.kill();
    await open(second);
    expect(second.crash().files.has("/disks/data/meta.properties")).toBeTrue();
  });
}
