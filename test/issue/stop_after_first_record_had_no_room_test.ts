/**
 * The first record of a partition whose folder was still to be made found no room for it. The index that
 * it had been about to get was to be written at the next clean stop, into a folder that was not there:
 * the stop failed, and the next start took the whole log directory for one that had crashed.
 */
import { expect, test } from "bun:test";
import { toMs, toOffset } from "../../src/ground/numbers.ts";
import { Log } from "../../src/log/log.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { LogFixture, makeBatch, SETTINGS } from "../log/log_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

const FOLDER = "/data/new-0";

async function openNew(disk: MemoryDisk): Promise<Log> {
  const { tools } = await LogFixture.open({ disk });
  return await Log.open({
    directory: FOLDER,
    settings: SETTINGS,
    tools,
    isClean: true,
    recoveryPoint: toOffset(0),
    isFolderDurable: false,
    makeFolder: () => disk.makeDirectory(FOLDER),
  });
}

function append(log: Log, baseOffset = log.logEndOffset): void {
  const bytes = makeBatch(baseOffset);
  const batch = new BatchView(bytes);
  const lastOffset = toOffset(batch.lastOffset());
  log.append(bytes, { lastOffset, maxTimestamp: batch.maxTimestamp(), leaderEpoch: 0 }, toMs(0));
}

test("a log whose first record found no room for a folder is closed cleanly", async () => {
  const disk = new MemoryDisk();
  const log = await openNew(disk);
  disk.failNext("makeDirectory", "no-space");
  expect(() => append(log)).toThrow("the test wants it so");
  log.roll();
  await log.close();
  expect(disk.info(FOLDER)).toBeUndefined();
});

test("a log whose first record begins another segment makes its folder first", async () => {
  const disk = new MemoryDisk();
  const log = await openNew(disk);
  append(log, toOffset(2 ** 32)); // out of reach of the index of the segment at 0
  expect(log.segmentFacts().map(({ baseOffset }) => baseOffset)).toEqual([toOffset(2 ** 32)]);
  await log.close();
});
