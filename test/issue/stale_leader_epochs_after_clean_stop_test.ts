/**
 * After a clean stop and a loss of power a stale file of leader epochs was believed: the first sync of a
 * recovered log had written the newer one in its place without making it durable.
 */
import { expect, test } from "bun:test";
import { toMs, toOffset } from "../../src/ground/numbers.ts";
import { Log } from "../../src/log/log.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { LogFixture, makeBatch, SETTINGS } from "../log/log_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

const FOLDER = "/data/young-0";
const EPOCHS = `${FOLDER}/leader-epoch-checkpoint`;

/** A log of which no recovery point was written down yet. */
async function openYoung(disk: MemoryDisk, isClean: boolean): Promise<Log> {
  const { tools } = await LogFixture.open({ disk });
  const recoveryPoint = toOffset(0);
  const options = { directory: FOLDER, settings: SETTINGS, tools, recoveryPoint };
  return await Log.open({ ...options, isClean, isFolderDurable: false });
}

function append(log: Log, leaderEpoch: number): void {
  const bytes = makeBatch(log.logEndOffset, { partitionLeaderEpoch: leaderEpoch });
  const batch = new BatchView(bytes);
  const lastOffset = toOffset(batch.lastOffset());
  log.append(bytes, { lastOffset, maxTimestamp: batch.maxTimestamp(), leaderEpoch }, toMs(0));
}

/** Killed with epochs 0 and 1 durable, and a batch of epoch 2 in the page cache. */
async function killYoung(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  disk.makeDirectory(FOLDER);
  const log = await openYoung(disk, true);
  append(log, 0);
  await log.sync();
  append(log, 1);
  await log.sync();
  append(log, 2);
  return disk.kill();
}

/** As the next start finds it, by what was written down. */
async function latestAfter(
  disk: MemoryDisk,
  stop: { readonly isClean: boolean; readonly recoveryPoint: number },
): Promise<unknown> {
  const { log } = await LogFixture.open({ disk, directory: FOLDER, ...stop });
  return log.epochs.latest();
}

test("leader epochs that recovery found are durable before a stop is called clean", async () => {
  const disk = await killYoung();
  const log = await openYoung(disk, false);
  expect(log.epochs.latest()).toEqual({ leaderEpoch: 2, startOffset: 2 });
  await log.sync();
  await log.close();
  expect(await latestAfter(disk.crash(), { isClean: true, recoveryPoint: 3 })).toEqual({
    leaderEpoch: 2,
    startOffset: 2,
  });
});

test("so they are before a recovery point in a later segment is written down", async () => {
  const disk = await killYoung();
  const log = await openYoung(disk, false);
  await log.sync();
  log.roll();
  append(log, 2);
  const recoveryPoint = await log.sync();
  expect(recoveryPoint).toBe(toOffset(4));
  const found = await latestAfter(disk.crash(), { isClean: false, recoveryPoint });
  expect(found).toEqual({ leaderEpoch: 2, startOffset: 2 });
});

test("an older file of leader epochs is replaced also by a first sync that is tried again", async () => {
  const disk = new MemoryDisk();
  disk.makeDirectory(FOLDER);
  disk.open(`${FOLDER}/partition.metadata`, "write").close();
  const log = await openYoung(disk, true);
  append(log, 0);
  disk.failNext("syncDirectory", "no-handles");
  await expect(log.sync()).rejects.toThrow("Cannot syncDirectory");
  const file = disk.open(EPOCHS, "write");
  await file.sync(); // the kernel writes it back by itself
  file.close();
  append(log, 1);
  await log.sync();
  await log.close();
  expect(await latestAfter(disk.crash(), { isClean: true, recoveryPoint: 2 })).toEqual({
    leaderEpoch: 1,
    startOffset: 1,
  });
});

test("a first file of leader epochs is whole on the medium after a clean stop", async () => {
  const disk = new MemoryDisk();
  disk.makeDirectory(FOLDER);
  const log = await openYoung(disk, true);
  append(log, 4);
  await log.sync();
  expect(disk.crash().info(EPOCHS)?.bytes).toBe(0); // a crash finds it anew in the batches
  await log.close();
  expect(disk.crash().readWhole(EPOCHS)).toEqual(disk.readWhole(EPOCHS) as Uint8Array);
});

test("so is one that was found in the page cache of who was killed", async () => {
  const disk = new MemoryDisk();
  disk.makeDirectory(FOLDER);
  const killed = await openYoung(disk, true);
  append(killed, 4);
  await killed.sync();
  const after = disk.kill();
  const log = await openYoung(after, false);
  await log.close();
  expect(after.crash().readWhole(EPOCHS)).toEqual(after.readWhole(EPOCHS) as Uint8Array);
});
