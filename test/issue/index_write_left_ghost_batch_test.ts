/**
 * Acknowledged records were cut off after a crash when an index could not be written.
 *
 *     1. A batch was written, then the indexes, which found the disk full: the append was refused.
 *     2. The batch stayed in the file; the next one was written behind it with the same base offset.
 *     3. After a kill, recovery took the second one for a torn tail and cut off all behind it.
 */
import { expect, test } from "bun:test";
import { DiskFault, type DiskFile, type OpenMode } from "../../src/env/disk.ts";
import { LogFixture } from "../log/log_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

class FullForIndexes extends MemoryDisk {
  isFull = false;
  override open(path: string, mode: OpenMode): DiskFile {
    if (this.isFull && path.endsWith("index")) throw new DiskFault("no-space", path, "no space");
    return super.open(path, mode);
  }
}

test("an index that cannot be written refuses the append before the batch is written", async () => {
  const disk = new FullForIndexes();
  const before = await LogFixture.open({ disk });
  disk.isFull = true;
  let refusals = 0;
  for (let count = 0; count < 400; count++) {
    try {
      before.append({ valueBytes: 3000 });
    } catch (fault) {
      expect((fault as DiskFault).kind).toBe("no-space");
      refusals++;
      disk.isFull = false;
    }
    await before.log.sync();
  }
  expect(refusals).toBe(1);
  const after = await LogFixture.open({ disk: disk.kill() });
  expect(after.log.logEndOffset).toBe(before.log.logEndOffset);
});
