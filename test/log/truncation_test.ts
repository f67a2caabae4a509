import { describe, expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { openFive, PAIR } from "./five_segments.ts";
import { LogFixture, makeBatch, noted } from "./log_fixture.ts";
import type { MemoryDisk } from "./memory_disk.ts";

describe("truncateTo()", () => {
  test("remembers an end that lies in a gap, and appends go on there", async () => {
    const fixture = await LogFixture.open();
    fixture.append(PAIR);
    fixture.appendBytes(makeBatch(10, PAIR));
    const { log, memoryDisk } = fixture;
    await log.truncateTo(toOffset(7), noted);
    expect(log.logEndOffset).toBe(toOffset(7));
    await log.close();
    const disk = memoryDisk.crash();
    const reopened = await LogFixture.open({ disk, isClean: true, recoveryPoint: 7 });
    expect(reopened.log.logEndOffset).toBe(toOffset(7));
    reopened.append(PAIR);
    expect(reopened.log.logEndOffset).toBe(toOffset(9));
    expect((await reopened.readAll()).length).toBe(2);
  });

  test("ends at the offset or before it, wherever gaps are, and is no lost end afterwards", async () => {
    const [bases, settings] = [[0, 2, 7, 9, 20, 22, 31, 40], { segmentBytes: 330 }];
    for (let offset = 0; offset <= 42; offset++) {
      const fixture = await LogFixture.open({ settings });
      for (const base of bases) fixture.appendBytes(makeBatch(base, PAIR));
      const { log, memoryDisk } = fixture;
      await log.sync();
      await log.truncateTo(toOffset(offset), noted);
      const { logEndOffset, recoveryPoint } = log;
      expect(logEndOffset).toBeLessThanOrEqual(offset);
      expect(recoveryPoint).toBe(logEndOffset);
      const kept = await fixture.readAll();
      expect(kept.length).toBe(bases.filter((base) => base + 2 <= offset).length);
      const known = { settings, isRecoveryPointWritten: true, recoveryPoint };
      const killed = await LogFixture.open({ ...known, disk: memoryDisk.crash() });
      await log.close();
      const closed = await LogFixture.open({ ...known, disk: memoryDisk.crash(), isClean: true });
      for (const reopened of [killed, closed]) {
        expect(reopened.log.logEndOffset).toBe(logEndOffset);
        expect(await reopened.readAll()).toEqual(kept);
      }
    }
  });

  test("lets the recovery point be written down that no crash on the way leaves the end below", async () => {
    const settings = { segmentBytes: 330 };
    for (const offset of [0, 1, 5, 8, 10, 15, 21, 25, 30, 35]) {
      const fixture = await LogFixture.open({ settings });
      for (const base of [0, 2, 7, 9, 20, 22, 31, 40]) fixture.appendBytes(makeBatch(base, PAIR));
      const { log, memoryDisk } = fixture;
      await log.sync();
      let written: number | undefined;
      const crashes: MemoryDisk[] = [];
      const { note } = memoryDisk;
      await log.truncateTo(toOffset(offset), () => {
        expect(log.logEndOffset).toBe(toOffset(42)); // nothing is cut yet
        written = log.recoveryPoint;
        memoryDisk.note = (call, path) => {
          crashes.push(memoryDisk.kill(), memoryDisk.crash());
          note.call(memoryDisk, call, path);
        };
        return Promise.resolve();
      });
      expect(written).toBeLessThanOrEqual(offset);
      expect(crashes.length).toBeGreaterThan(3);
      for (const disk of crashes) {
        const recoveryPoint = written as number;
        const known = { settings, disk, isRecoveryPointWritten: true, recoveryPoint };
        const reopened = await LogFixture.open(known);
        expect(reopened.log.logEndOffset).toBeGreaterThanOrEqual(recoveryPoint);
      }
    }
  });

  test("leaves the log as it was where that cannot be written down", async () => {
    const { log } = await openFive();
    const fails = (): Promise<void> => Promise.reject(new Error("there is no room"));
    await expect(log.truncateTo(toOffset(6), fails)).rejects.toThrow("there is no room");
    expect(log.logEndOffset).toBe(toOffset(20));
    expect(log.isUsable).toBeTrue();
    expect(await log.sync()).toBe(toOffset(20));
  });

  test("lets nobody append meanwhile", async () => {
    const fixture = await openFive();
    const batch = makeBatch(20, PAIR);
    const cutting = fixture.log.truncateTo(toOffset(6), noted);
    fixture.memoryDisk.syncDirectory = () => {
      expect(() => fixture.appendBytes(batch)).toThrow("being cut");
      return Promise.resolve();
    };
    await cutting;
    expect(fixture.log.logEndOffset).toBe(toOffset(6));
    fixture.append(PAIR);
  });
});
