import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import { DIRECTORY, type FixtureOptions, LogFixture, makeMarker } from "../log_fixture.ts";
import type { MemoryDisk } from "../memory_disk.ts";

const SETTINGS = { segmentBytes: 330, indexIntervalBytes: 100 };
const MIB = 1024 * 1024;

function snapshotPath(offset: number): string {
  return `${DIRECTORY}/${String(offset).padStart(20, "0")}.snapshot`;
}

function appendOf(fixture: LogFixture, producerId: number, baseSequence: number): void {
  fixture.append({ producerId, producerEpoch: 0, baseSequence, timestamps: [5, 6] });
}

/** Producers 1 to 3 in segments that were synced; the last segment began behind the last sync. */
async function openRolled(): Promise<{ fixture: LogFixture; known: FixtureOptions }> {
  const fixture = await LogFixture.open({ settings: SETTINGS });
  for (const producerId of [1, 2, 3]) appendOf(fixture, producerId, 0);
  const recoveryPoint = await fixture.log.sync();
  fixture.log.roll();
  appendOf(fixture, 9, 0);
  fixture.log.moveStart(recoveryPoint);
  const isRecoveryPointWritten = true;
  const known = { settings: SETTINGS, recoveryPoint, isRecoveryPointWritten, logStartOffset: 6 };
  return { fixture, known };
}

function expectKnown({ log }: LogFixture): void {
  const offsets = [1, 2, 3].map((id) => log.producers.get(id)?.batches.at(-1)?.lastOffset);
  expect(offsets).toEqual([1, 3, 5]);
}

describe("dropSegmentsBelowStart()", () => {
  test("takes none before what it knows of producers is durable elsewhere", async () => {
    const { fixture, known } = await openRolled();
    const { memoryDisk } = fixture;
    const { note } = memoryDisk;
    memoryDisk.note = (call, path) => {
      if (call === "rename") expect(memoryDisk.durableFiles.has(snapshotPath(6))).toBeTrue();
      note.call(memoryDisk, call, path);
    };
    await fixture.log.dropSegmentsBelowStart();
    expect(fixture.log.segmentCount()).toBe(1);
    expectKnown(await LogFixture.open({ ...known, disk: fixture.memoryDisk.crash() }));
  });

  test("finds it in the batches where the snapshot is missing or bad", async () => {
    for (const isMissing of [true, false]) {
      const { fixture, known } = await openRolled();
      if (isMissing) fixture.disk.remove(snapshotPath(6));
      else fixture.disk.open(snapshotPath(6), "write").truncate(9);
      await fixture.log.dropSegmentsBelowStart();
      expectKnown(await LogFixture.open({ ...known, disk: fixture.memoryDisk.crash() }));
    }
  });

  test("goes on where there is no room for it, and stops where the disk fails", async () => {
    const full = (await openRolled()).fixture;
    full.memoryDisk.failNext("sync", "no-space");
    expect((await full.log.dropSegmentsBelowStart()).length).toBeGreaterThan(2);
    expect(full.events).toContain(
      "segments go before what their producers sent is written down",
    );
    const broken = (await openRolled()).fixture;
    broken.memoryDisk.failNext("sync", "io");
    await expect(broken.log.dropSegmentsBelowStart()).rejects.toThrow("Cannot sync");
    expect(broken.log.segmentCount()).toBe(3);
    expect(broken.log.isUsable).toBeFalse();
  });

  test("knows it where the start was durable and nothing was dropped before the crash", async () => {
    const { fixture, known } = await openRolled();
    const disk: MemoryDisk = fixture.memoryDisk.kill();
    disk.open(snapshotPath(6), "write").truncate(9); // torn
    const reopened = await LogFixture.open({ ...known, disk });
    expect(reopened.log.segmentCount()).toBe(1);
    expectKnown(reopened);
    expectKnown(await LogFixture.open({ ...known, disk: reopened.memoryDisk.crash() }));
  });
});

describe("onCheckpoint()", () => {
  /** Three MiB in one segment, written down as durable after the second. */
  async function openLarge(): Promise<LogFixture> {
    const fixture = await LogFixture.open();
    const grow = (bytes: number): void => {
      const end = fixture.log.sizeInBytes() + bytes;
      while (fixture.log.sizeInBytes() < end) {
        fixture.append({ producerId: 4, producerEpoch: 0, baseSequence: 0, valueBytes: 16_000 });
      }
    };
    grow(2 * MIB);
    await fixture.log.sync();
    return fixture;
  }

  test("bounds what a start after a crash walks", async () => {
    const { log, memoryDisk } = await openLarge();
    const { recoveryPoint } = log;
    expect(log.wantsSnapshot).toBeTrue();
    expect(await log.onCheckpoint(recoveryPoint)).toBeTrue();
    expect(log.wantsSnapshot).toBeFalse();
    expect(await log.onCheckpoint(recoveryPoint)).toBeFalse();
    const disk = memoryDisk.kill();
    // Who reads the beginning finds no batches there.
    const file = disk.open(`${DIRECTORY}/${"0".repeat(20)}.log`, "write");
    file.write(0, [new Uint8Array(MIB)]);
    const reopened = await LogFixture.open({ disk, recoveryPoint, isRecoveryPointWritten: true });
    expect(reopened.log.logEndOffset).toBe(log.logEndOffset);
    expect(reopened.log.producers.get(4)?.batches.at(-1)?.lastOffset).toBe(recoveryPoint - 1);
  });

  test("is not asked for by a log that was closed cleanly, or is closed", async () => {
    const { log, memoryDisk } = await openLarge();
    await log.close();
    expect(await log.onCheckpoint(log.recoveryPoint)).toBeFalse();
    const { recoveryPoint } = log;
    const again = await LogFixture.open({ disk: memoryDisk.crash(), isClean: true, recoveryPoint });
    expect(again.log.wantsSnapshot).toBeFalse();
  });

  test("a cut takes the snapshots behind it, and asks for others", async () => {
    const fixture = await openLarge();
    const { log, memoryDisk } = fixture;
    await log.onCheckpoint(log.recoveryPoint);
    expect(memoryDisk.info(snapshotPath(log.logEndOffset))).toBeDefined();
    const before = log.logEndOffset;
    await log.truncateTo(toOffset(100), () => Promise.resolve());
    expect(memoryDisk.info(snapshotPath(before))).toBeUndefined();
    expect(log.wantsSnapshot).toBeTrue();
  });

  test("there is room or there is not: only a broken disk ends the log", async () => {
    const { log, memoryDisk } = await openLarge();
    memoryDisk.failNext("write", "no-space");
    await expect(log.onCheckpoint(log.recoveryPoint)).rejects.toThrow("Cannot write");
    expect(log.isUsable).toBeTrue();
    expect(log.wantsSnapshot).toBeTrue();
    memoryDisk.failNext("write", "io");
    await expect(log.onCheckpoint(log.recoveryPoint)).rejects.toThrow("Cannot write");
    expect(log.isUsable).toBeFalse();
  });
});

describe("the file of aborted transactions", () => {
  test("is durable with the batches, its name too, and also when its segment was put away", async () => {
    const fixture = await LogFixture.open({ settings: SETTINGS, openSegments: 1 });
    const { log, memoryDisk } = fixture;
    fixture.append();
    await log.sync();
    fixture.append({ producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true });
    fixture.appendBytes(makeMarker(2, { producerId: 7, isAbort: true }));
    await log.sync();
    const path = `${DIRECTORY}/${"0".repeat(20)}.txnindex`;
    expect(memoryDisk.durableFiles.has(path)).toBeTrue();
    log.roll();
    fixture.appendMany(4); // the one handle goes to the new segment
    await log.sync();
    expect(memoryDisk.files.get(path)?.durable.length).toBe(34);
  });
});
