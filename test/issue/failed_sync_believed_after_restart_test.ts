/**
 * Records that a failed sync had dropped were called durable by the next start.
 *
 *     1. A sync failed. Linux takes the pages for clean then, and keeps them in the page cache.
 *     2. The broker ended, as it should, and was started again.
 *     3. Recovery read the records from the page cache and synced, which carried nothing to the disk.
 *     4. They were served and acknowledged; a loss of power took them away.
 */
import { expect, test } from "bun:test";
import { LogFixture } from "../log/log_fixture.ts";

test("what recovery keeps is on the disk, also where an earlier sync has dropped it", async () => {
  const first = await LogFixture.open();
  first.appendMany(3);
  await first.log.sync();
  const recoveryPoint = first.log.recoveryPoint;
  first.appendMany(40, { valueBytes: 3000 });
  first.memoryDisk.failNext("sync", "io");
  await expect(first.log.sync()).rejects.toThrow("Cannot sync");
  const again = await LogFixture.open({ disk: first.memoryDisk.kill(), recoveryPoint });
  expect(again.log.logEndOffset).toBe(first.log.logEndOffset);
  await again.log.sync();
  const after = await LogFixture.open({
    disk: again.memoryDisk.crash(),
    recoveryPoint: again.log.recoveryPoint,
  });
  expect(after.log.logEndOffset).toBe(first.log.logEndOffset);
});
