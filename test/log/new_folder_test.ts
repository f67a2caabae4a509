/** A log whose folder is not durable yet, or not even there. */
import { describe, expect, test } from "bun:test";
import { toMs, toOffset } from "../../src/ground/numbers.ts";
import { Log, type LogTools } from "../../src/log/log.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { LogFixture, makeBatch, SETTINGS } from "./log_fixture.ts";
import { MemoryDisk } from "./memory_disk.ts";

const FOLDER = "/data/new-0";
const FIRST = `${FOLDER}/00000000000000000000.log`;

async function openNew(
  disk: MemoryDisk,
  makeFolder?: () => void,
  given?: LogTools,
): Promise<Log> {
  const tools = given ?? (await LogFixture.open({ disk })).tools;
  return await Log.open({
    directory: FOLDER,
    settings: { ...SETTINGS, segmentBytes: 300 },
    tools,
    isClean: true,
    recoveryPoint: toOffset(0),
    isFolderDurable: false,
    ...(makeFolder === undefined ? {} : { makeFolder }),
  });
}

function append(log: Log): void {
  const bytes = makeBatch(log.logEndOffset);
  const batch = new BatchView(bytes);
  const lastOffset = toOffset(batch.lastOffset());
  log.append(bytes, { lastOffset, maxTimestamp: batch.maxTimestamp(), leaderEpoch: 0 }, toMs(0));
}

describe("a log whose folder is not durable", () => {
  test("begins no second segment before it is: that one alone would be all there ever was", async () => {
    const disk = new MemoryDisk();
    disk.makeDirectory(FOLDER);
    const log = await openNew(disk);
    for (let count = 0; count < 10; count++) append(log);
    log.roll();
    expect(log.isFolderNew).toBeTrue();
    expect(log.segmentCount()).toBe(1);
    await log.sync(); // the log has asked for one itself; this one comes behind it
    expect(log.isFolderNew).toBeFalse();
    append(log);
    expect(log.segmentCount()).toBe(2);
    expect(disk.crash().info(FIRST)?.bytes).toBeGreaterThan(300);
  });

  test("asks for that by itself", async () => {
    const disk = new MemoryDisk();
    disk.makeDirectory(FOLDER);
    const log = await openNew(disk);
    for (let count = 0; count < 3; count++) append(log);
    for (let turn = 0; turn < 100 && log.isFolderNew; turn++) await Promise.resolve();
    append(log);
    while (log.segmentCount() === 1) {
      expect(log.logEndOffset).toBeLessThan(10);
      append(log);
      for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    }
    expect(disk.crash().info(FIRST)).toBeDefined();
  });

  test("is made durable with its first record by four calls, and by none with the next", async () => {
    const disk = new MemoryDisk();
    disk.makeDirectory(FOLDER);
    disk.open(`${FOLDER}/partition.metadata`, "write").close();
    const log = await openNew(disk);
    append(log);
    await log.sync();
    expect([disk.calls["sync"], disk.calls["syncDirectory"]]).toEqual([2, 2]);
    append(log);
    await log.sync();
    expect([disk.calls["sync"], disk.calls["syncDirectory"]]).toEqual([3, 2]);
  });

  test("tells of the worst where several of these calls fail", async () => {
    const disk = new MemoryDisk();
    disk.makeDirectory(FOLDER);
    const log = await openNew(disk);
    append(log);
    disk.failNext("syncDirectory", "no-handles");
    disk.failNext("syncDirectory", "io");
    await expect(log.sync()).rejects.toThrow("Cannot syncDirectory");
    expect(log.isUsable).toBeFalse();
  });

  test("finds its leader epochs in its batches where a crash took their file", async () => {
    const disk = new MemoryDisk();
    disk.makeDirectory(FOLDER);
    const log = await openNew(disk);
    append(log);
    await log.sync();
    const after = disk.crash();
    expect(after.info(`${FOLDER}/leader-epoch-checkpoint`)?.bytes).toBe(0);
    const { log: found } = await LogFixture.open({
      disk: after,
      directory: FOLDER,
      isClean: false,
      recoveryPoint: 1,
    });
    expect(found.epochs.entries()).toEqual([{ leaderEpoch: 0, startOffset: 0 }]);
  });
});

describe("a log whose folder is made later", () => {
  test("touches no disk before its first record, and makes it once", async () => {
    const disk = new MemoryDisk();
    let madeCount = 0;
    const log = await openNew(disk, () => {
      madeCount++;
      disk.makeDirectory(FOLDER);
    });
    expect(await log.sync()).toBe(toOffset(0));
    log.roll();
    expect(disk.info(FOLDER)).toBeUndefined();
    append(log);
    log.makeFolder();
    await log.sync();
    expect(madeCount).toBe(1);
    expect(disk.crash().info(FIRST)).toBeDefined();
  });

  test("tries again where it could not be made; the record is not there then", async () => {
    const disk = new MemoryDisk();
    const log = await openNew(disk, () => disk.makeDirectory(FOLDER));
    disk.failNext("makeDirectory", "no-space");
    expect(() => append(log)).toThrow("the test wants it so");
    expect(log.logEndOffset).toBe(toOffset(0));
    append(log);
    expect(log.logEndOffset).toBe(toOffset(1));
  });

  test("is closed without ever having been there", async () => {
    const disk = new MemoryDisk();
    const log = await openNew(disk, () => disk.makeDirectory(FOLDER));
    await log.close();
    log.makeFolder();
    expect(disk.info(FOLDER)).toBeUndefined();
  });

  test("has whole indexes when others take its handle, though they have no entry yet", async () => {
    const disk = new MemoryDisk();
    const { tools, events } = await LogFixture.open({ disk, openSegments: 1 });
    const log = await openNew(disk, () => disk.makeDirectory(FOLDER), tools);
    append(log);
    tools.openSegments.touch({ closeFiles: () => undefined }); // another log's
    append(log);
    expect(events).toEqual([]); // no index was made anew
  });
});
