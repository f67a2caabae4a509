import { describe, expect, test } from "bun:test";
import { DiskFault } from "../../src/env/disk.ts";
import { LogFixture, makeBatch, makeMarker } from "./log_fixture.ts";
import { replaceWithCopy } from "./trivial_cleaner.ts";

const SETTINGS = { segmentBytes: 700, indexIntervalBytes: 50 };
const STEPS = 24;

/** Data of three producers, one of them in transactions that are aborted. */
function batchAt(step: number, baseOffset: number): Uint8Array {
  const producerId = 1 + step % 3;
  if (step % 6 === 5) return makeMarker(baseOffset, { producerId, isAbort: true });
  const fields = {
    producerId,
    producerEpoch: 0,
    baseSequence: step,
    isTransactional: producerId === 3,
  };
  return makeBatch(baseOffset, { ...fields, timestamps: [step, step + 1], valueBytes: 10 + step });
}

/** Appends, and tries again when the disk has room; returns what is in the log then. */
function appendAll(fixture: LogFixture, onFull: () => void): Uint8Array[] {
  const batches: Uint8Array[] = [];
  for (let step = 0; step < STEPS; step++) {
    const batch = batchAt(step, fixture.log.logEndOffset);
    try {
      fixture.appendBytes(batch);
    } catch (fault) {
      if (!(fault instanceof DiskFault) || fault.kind !== "no-space") throw fault;
      expect(fixture.log.isUsable).toBeTrue();
      onFull();
      fixture.appendBytes(batch);
    }
    batches.push(batch);
  }
  return batches;
}

async function expectSound(fixture: LogFixture, batches: readonly Uint8Array[]): Promise<void> {
  const { log } = fixture;
  expect(await fixture.readAll()).toEqual([...batches]);
  const aborted = await log.abortedTransactions(log.logStartOffset, log.logEndOffset);
  expect(aborted.map(({ producerId }) => producerId)).toEqual([3, 3, 3, 3]);
  expect(log.producers.get(1)?.batches.at(-1)?.lastSequence).toBe(22);
}

async function expectReopens(
  fixture: LogFixture,
  batches: readonly Uint8Array[],
  isClean: boolean,
): Promise<void> {
  await expectSound(fixture, batches);
  const recoveryPoint = await fixture.log.sync();
  if (isClean) await fixture.log.close();
  const disk = fixture.memoryDisk.crash();
  const options = { disk, settings: SETTINGS, isClean, recoveryPoint };
  await expectSound(await LogFixture.open(options), batches);
  const early = { ...options, disk: fixture.memoryDisk.crash(), isClean: false, recoveryPoint: 0 };
  await expectSound(await LogFixture.open(early), batches);
}

describe("a full disk", () => {
  for (const isClean of [true, false]) {
    test(`stops no log for good, wherever the room ends (closed: ${isClean})`, async () => {
      let fullCount = 0;
      for (let room = 0; room < 3400; room += 23) {
        const fixture = await LogFixture.open({ settings: SETTINGS });
        const { memoryDisk } = fixture;
        memoryDisk.roomBytes = room;
        const batches = appendAll(fixture, () => {
          fullCount++;
          memoryDisk.roomBytes = Infinity;
        });
        await expectReopens(fixture, batches, isClean);
      }
      expect(fullCount).toBeGreaterThan(100);
    });

    test(`may come and go (closed: ${isClean})`, async () => {
      for (let room = 60; room < 400; room += 37) {
        const fixture = await LogFixture.open({ settings: SETTINGS });
        const { memoryDisk } = fixture;
        memoryDisk.roomBytes = room;
        const batches = appendAll(fixture, () => memoryDisk.roomBytes = room + 300);
        memoryDisk.roomBytes = Infinity;
        await expectReopens(fixture, batches, isClean);
      }
    });
  }

  test("makes no file and leaves all as it was", async () => {
    for (let failing = 1; failing < 14; failing++) {
      const fixture = await LogFixture.open({ settings: SETTINGS });
      const { memoryDisk } = fixture;
      const { note } = memoryDisk;
      let count = 0;
      memoryDisk.note = (call, path) => {
        if (call === "open" && ++count === failing) memoryDisk.failNext("open", "no-space");
        note.call(memoryDisk, call, path);
      };
      const batches = appendAll(fixture, () => {});
      expect(count).toBeGreaterThan(failing);
      memoryDisk.note = note;
      await expectReopens(fixture, batches, failing % 2 === 0);
    }
  });

  test("lets the log begin later, drop segments and be cleaned", async () => {
    const fixture = await LogFixture.open({ settings: SETTINGS });
    const { log, memoryDisk } = fixture;
    const batches = appendAll(fixture, () => {});
    await log.sync();
    const bases = log.segmentFacts().map(({ baseOffset }) => baseOffset);
    expect(bases.length).toBeGreaterThan(4);
    memoryDisk.roomBytes = 0;
    const full = replaceWithCopy(memoryDisk, log, bases.slice(1, 3));
    expect(await full.catch(({ kind }) => kind)).toBe("no-space");
    memoryDisk.roomBytes = Infinity;
    expect((await replaceWithCopy(memoryDisk, log, bases.slice(1, 3)))?.length).toBeGreaterThan(4);
    await expectSound(fixture, batches);
    memoryDisk.roomBytes = 0;
    log.moveStart(bases[3] as typeof bases[0]);
    expect((await log.dropSegmentsBelowStart()).length).toBeGreaterThan(4);
    expect(log.segmentCount()).toBe(bases.length - 3);
  });
});
