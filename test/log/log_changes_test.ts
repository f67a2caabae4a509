import { describe, expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { rollJitterMs, rollReason } from "../../src/log/segment/segment_policy.ts";
import { fileNames, openFive, PAIR, SETTINGS_SMALL } from "./five_segments.ts";
import { DIRECTORY, LogFixture, SETTINGS } from "./log_fixture.ts";

describe("segmentFacts()", () => {
  test("tells the segments in order, and which one is written to", async () => {
    const { log } = await openFive();
    const facts = log.segmentFacts();
    expect(facts.map(({ baseOffset }) => baseOffset as number)).toEqual([0, 4, 8, 12, 16]);
    expect(facts.map(({ nextOffset }) => nextOffset as number)).toEqual([4, 8, 12, 16, 20]);
    expect(facts.map(({ isActive }) => isActive)).toEqual([false, false, false, false, true]);
    expect(facts.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)).toBe(log.sizeInBytes());
  });
});

describe("maxTimestampOf()", () => {
  test("is the latest time of the segment, and -1 of one that is not there", async () => {
    const fixture = await LogFixture.open({ settings: { segmentBytes: 200 } });
    for (const time of [50, 90, 70]) fixture.append({ timestamps: [time, time - 20] });
    const { log } = fixture;
    const bases = log.segmentFacts().map(({ baseOffset }) => baseOffset);
    expect(await Promise.all(bases.map((base) => log.maxTimestampOf(base)))).toEqual([50, 90, 70]);
    expect(await log.maxTimestampOf(toOffset(1))).toBe(-1);
    log.roll();
    expect(await log.maxTimestampOf(log.logEndOffset)).toBe(-1);
  });
});

describe("withSegment()", () => {
  test("holds the file open while it is read, also of a segment that goes meanwhile", async () => {
    const { log, memoryDisk } = await openFive();
    const size = (log.segmentFacts()[0] as { sizeInBytes: number }).sizeInBytes;
    const read = await log.withSegment(toOffset(0), async (file, sizeInBytes) => {
      expect(sizeInBytes).toBe(size);
      log.moveStart(toOffset(9));
      await log.dropSegmentsBelowStart();
      expect(memoryDisk.info(`${DIRECTORY}/00000000000000000000.log`)).toBeUndefined();
      return (await file.read(0, sizeInBytes)).length;
    });
    expect(read).toBe(size);
    expect(await log.withSegment(toOffset(0), () => Promise.resolve(1))).toBeUndefined();
    expect(await log.withSegment(toOffset(9), () => Promise.resolve(1))).toBeUndefined();
  });
});

describe("moveStart()", () => {
  test("goes forward only, and cuts the epochs", async () => {
    const fixture = await LogFixture.open();
    for (const partitionLeaderEpoch of [1, 1, 3, 3]) {
      fixture.append({ partitionLeaderEpoch, ...PAIR });
    }
    const { log } = fixture;
    log.moveStart(toOffset(3));
    expect(log.logStartOffset).toBe(toOffset(3));
    expect(log.epochs.entries()).toEqual([
      { leaderEpoch: 1, startOffset: 3 },
      { leaderEpoch: 3, startOffset: 4 },
    ]);
    log.moveStart(toOffset(2));
    expect(log.logStartOffset).toBe(toOffset(3));
    log.moveStart(toOffset(7));
    expect(log.epochs.entries()).toEqual([{ leaderEpoch: 3, startOffset: 7 }]);
    expect(log.read(toOffset(6), { bytesMax: 1, upTo: toOffset(8) })).toBeUndefined();
    expect(() => log.moveStart(toOffset(9))).toThrow("does not start behind its end");
    await log.close();
    const reopened = await LogFixture.open({
      disk: fixture.memoryDisk.crash(),
      isClean: true,
      logStartOffset: 7,
      recoveryPoint: 8,
    });
    expect(reopened.log.logStartOffset).toBe(toOffset(7));
    expect(reopened.log.epochs.entries()).toEqual([{ leaderEpoch: 3, startOffset: 7 }]);
  });
});

describe("dropSegmentsBelowStart()", () => {
  test("renames what lies wholly below the start, and nothing else", async () => {
    const { log, memoryDisk } = await openFive();
    log.moveStart(toOffset(11)); // within the third
    const paths = await log.dropSegmentsBelowStart();
    expect(log.segmentFacts().map(({ baseOffset }) => baseOffset as number)).toEqual([8, 12, 16]);
    const gone = fileNames(memoryDisk.crash()).filter((name) => name.endsWith(".deleted"));
    expect(gone).toEqual([
      "0.index.deleted",
      "0.log.deleted",
      "0.timeindex.deleted",
      "4.index.deleted",
      "4.log.deleted",
      "4.snapshot.deleted",
      "4.timeindex.deleted",
    ]);
    expect(paths.length).toBe(gone.length);
    const digits = paths.map((path) => /\d{20}/.exec(path)?.[0] ?? "");
    expect(digits).toEqual([...digits].sort()); // the oldest first
    for (const path of paths) expect(memoryDisk.info(path)).toBeDefined();
    expect(fileNames(memoryDisk)).toContain("8.log");
    expect(await log.dropSegmentsBelowStart()).toEqual([]);
  });

  test("never takes the active segment, unless it was rolled", async () => {
    const { log } = await openFive();
    log.moveStart(log.logEndOffset);
    await log.dropSegmentsBelowStart();
    expect(log.segmentCount()).toBe(1);
    expect(log.sizeInBytes()).toBeGreaterThan(0);
    log.roll();
    await log.dropSegmentsBelowStart();
    expect(log.sizeInBytes()).toBe(0);
    expect(log.segmentFacts()[0]?.baseOffset).toBe(toOffset(20));
  });

  test("keeps a producer snapshot of the first that stays, and makes it where it is missing", async () => {
    const { log, memoryDisk } = await openFive();
    for (const base of ["8", "12", "16"]) {
      memoryDisk.remove(`${DIRECTORY}/${base.padStart(20, "0")}.snapshot`);
    }
    log.moveStart(toOffset(16));
    await log.dropSegmentsBelowStart();
    expect(fileNames(memoryDisk).filter((name) => name.endsWith("snapshot"))).toEqual([
      "16.snapshot",
    ]);
  });

  test("leaves the log as it was where the disk refuses a rename", async () => {
    const { log, memoryDisk } = await openFive();
    const before = fileNames(memoryDisk);
    log.moveStart(toOffset(16));
    let count = 0;
    const { note } = memoryDisk;
    memoryDisk.note = (call, path) => {
      if (call === "rename" && ++count === 6) memoryDisk.failNext("rename", "no-space");
      note.call(memoryDisk, call, path);
    };
    expect(await log.dropSegmentsBelowStart().catch(({ kind }) => kind)).toBe("no-space");
    expect(fileNames(memoryDisk)).toEqual(before);
    expect(log.segmentCount()).toBe(5);
    expect((await log.dropSegmentsBelowStart()).length).toBeGreaterThan(10);
    expect(log.segmentCount()).toBe(1);
  });

  test("drops no producer snapshot that waits for a sync into being again", async () => {
    const fixture = await LogFixture.open({ settings: SETTINGS_SMALL });
    fixture.appendMany(10, PAIR);
    const { log, memoryDisk } = fixture;
    log.moveStart(toOffset(16));
    await log.dropSegmentsBelowStart();
    await log.sync();
    expect(fileNames(memoryDisk).filter((name) => name.endsWith(".snapshot"))).toEqual([
      "16.snapshot",
    ]);
  });

  test("does nothing to a log that is closed", async () => {
    const { log, memoryDisk } = await openFive();
    log.moveStart(toOffset(16));
    const dropping = log.sync().then(() => {});
    const dropped = log.dropSegmentsBelowStart();
    log.closeNow();
    await dropping.catch(() => {});
    expect(await dropped).toEqual([]);
    expect(fileNames(memoryDisk).some((name) => name.endsWith(".deleted"))).toBeFalse();
  });
});

describe("segment.jitter.ms", () => {
  test("is drawn anew for each segment, below the setting and below segment.ms", () => {
    const random = new Prng(5);
    const drawn = Array.from(
      { length: 2000 },
      () => rollJitterMs({ ...SETTINGS, segmentMs: 100, segmentJitterMs: 40 }, random),
    );
    expect(Math.min(...drawn)).toBe(0);
    expect(Math.max(...drawn)).toBe(39);
    const settings = { ...SETTINGS, segmentMs: 10, segmentJitterMs: 40 };
    expect(Math.max(...drawn.map(() => rollJitterMs(settings, random)))).toBe(9);
    expect(rollJitterMs(SETTINGS, random)).toBe(0);
  });

  test("lets a segment roll so much earlier", () => {
    const facts = {
      sizeInBytes: 1,
      batchBytes: 1,
      waitedMs: 61,
      offsetEntries: 0,
      timeEntries: 0,
      isInReach: true,
    };
    const settings = { ...SETTINGS, segmentMs: 100 };
    expect(rollReason(facts, settings, 39)).toBeUndefined();
    expect(rollReason(facts, settings, 40)).toBe("time");
  });

  test("spreads the rolls of logs that began together, and a live change takes hold", async () => {
    const rolledAt: number[] = [];
    for (let seed = 0; seed < 20; seed++) {
      const settings = { segmentMs: 1000, segmentJitterMs: 500 };
      const fixture = await LogFixture.open({ seed, settings });
      let time = 0;
      while (fixture.log.segmentCount() === 1) fixture.append({ timestamps: [time += 10] });
      rolledAt.push(time);
      fixture.log.configure({ ...SETTINGS, segmentMs: 100 });
      const from = time;
      while (fixture.log.segmentCount() === 2) fixture.append({ timestamps: [time += 10] });
      expect(time - from).toBeLessThan(120);
    }
    expect(new Set(rolledAt).size).toBeGreaterThan(10);
    expect(Math.min(...rolledAt)).toBeGreaterThan(500);
    expect(Math.max(...rolledAt)).toBeLessThan(1030);
  });
});
