import { describe, expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { concat, DIRECTORY, LogFixture, makeBatch, noted } from "./log_fixture.ts";

const TAIL = { tailBytes: 1 << 20 };
const SMALL_SEGMENTS = { segmentBytes: 700, indexIntervalBytes: 100 };

describe("append()", () => {
  test("leaves nothing of a batch that the disk had no room for, and takes the next one", async () => {
    const fixture = await LogFixture.open(TAIL);
    const first = fixture.append();
    fixture.memoryDisk.roomBytes = 30;
    expect(() => fixture.append()).toThrow("full");
    expect(fixture.log.logEndOffset).toBe(toOffset(1));
    expect(fixture.log.sizeInBytes()).toBe(first.length);
    fixture.memoryDisk.roomBytes = Infinity;
    const second = fixture.append();
    expect(await fixture.readAll()).toEqual([first, second]);
    const reopened = await LogFixture.open({ disk: fixture.memoryDisk.kill() });
    expect(await reopened.readAll()).toEqual([first, second]);
  });

  test("refuses a batch before the log's end", async () => {
    const fixture = await LogFixture.open();
    fixture.appendMany(3);
    expect(() => fixture.appendBytes(makeBatch(2))).toThrow("a batch goes behind the log's end");
  });

  test("rolls by size, by the time of batches, and by a full index", async () => {
    const bySize = await LogFixture.open({ settings: { segmentBytes: 200 } });
    bySize.appendMany(3); // two of some 90 bytes fit
    expect(bySize.log.segmentCount()).toBe(2);

    const byTime = await LogFixture.open({ settings: { segmentMs: 100 } });
    for (const time of [1000, 1100, 1101]) byTime.append({ timestamps: [time] });
    expect(byTime.log.segmentCount()).toBe(2);

    const byClock = await LogFixture.open({ settings: { segmentMs: 100 } });
    for (const now of [5000, 5100, 5101]) byClock.append({ timestamps: [-1] }, now);
    expect(byClock.log.segmentCount()).toBe(2);

    const settings = { indexIntervalBytes: 0, segmentIndexBytes: 36 }; // 4 offsets, 3 - 1 times
    const byIndex = await LogFixture.open({ settings });
    byIndex.appendMany(4); // the first batch has no entry, then one each: full before the fourth
    expect(byIndex.log.segmentCount()).toBe(2);
  });

  test("rolls where an offset cannot be told relative to the segment's base", async () => {
    const fixture = await LogFixture.open();
    fixture.append();
    fixture.appendBytes(makeBatch(2 ** 31 - 1, { timestamps: [1] }));
    expect(fixture.log.segmentCount()).toBe(1);
    const far = makeBatch(2 ** 31, { timestamps: [2] });
    fixture.appendBytes(far);
    expect(fixture.log.segmentCount()).toBe(2);
    expect(await fixture.read(2 ** 31)).toEqual(far);
  });
});

describe("sync()", () => {
  test("makes a new log survive a loss of power, with all of its names", async () => {
    const fixture = await LogFixture.open({ settings: SMALL_SEGMENTS });
    const batches = fixture.appendMany(20);
    expect(await fixture.log.sync()).toBe(toOffset(20));
    fixture.append();
    const disk = fixture.memoryDisk.crash();
    const reopened = await LogFixture.open({ disk, recoveryPoint: 20 });
    expect(await reopened.readAll()).toEqual(batches);
    expect(reopened.log.logEndOffset).toBe(toOffset(20));
  });

  test("makes the indexes of a sealed segment durable before the recovery point passes it", async () => {
    const fixture = await LogFixture.open({ settings: { indexIntervalBytes: 0 } });
    fixture.appendMany(3);
    await fixture.log.sync();
    fixture.log.roll();
    fixture.append();
    expect(await fixture.log.sync()).toBe(toOffset(4));
    const disk = fixture.memoryDisk.crash();
    expect(disk.info(`${DIRECTORY}/00000000000000000000.index`)?.bytes).toBe(16);
    expect(disk.info(`${DIRECTORY}/00000000000000000000.timeindex`)?.bytes).toBe(24);
    const reopened = await LogFixture.open({ disk, recoveryPoint: 4 });
    const latest = await reopened.log.maxTimestampOffset(toOffset(3));
    expect(latest).toBeUndefined(); // it is in the second segment
    expect((await reopened.log.maxTimestampOffset(toOffset(4)))?.offset).toBe(toOffset(3));
    expect(reopened.events).toEqual([]);
  });

  test("serves all who come while one is under way with one more", async () => {
    const fixture = await LogFixture.open();
    fixture.append();
    const first = fixture.log.sync();
    fixture.append();
    const others = [fixture.log.sync(), fixture.log.sync(), fixture.log.sync()];
    expect(await first).toBe(toOffset(1));
    expect(await Promise.all(others)).toEqual([2, 2, 2].map((offset) => toOffset(offset)));
    // Two of the log, one of the leader epochs.
    expect(fixture.memoryDisk.calls["sync"]).toBe(3);
  });

  test("is never tried again after it failed, and nothing is appended", async () => {
    const fixture = await LogFixture.open();
    fixture.append();
    fixture.memoryDisk.failNext("sync", "io");
    await expect(fixture.log.sync()).rejects.toThrow("Cannot sync");
    await expect(fixture.log.sync()).rejects.toThrow("Cannot sync");
    expect(() => fixture.append()).toThrow("Cannot sync");
    expect(fixture.memoryDisk.calls["sync"]).toBe(1);
    expect(fixture.log.recoveryPoint).toBe(toOffset(0));
    await expect(fixture.log.close()).rejects.toThrow("Cannot sync"); // it was not closed cleanly
    expect(fixture.memoryDisk.openCount).toBe(0);
  });

  test("is tried again where it failed before anything was synced, and promises nothing meanwhile", async () => {
    const fixture = await LogFixture.open();
    fixture.append();
    fixture.memoryDisk.failNext("syncDirectory", "no-handles");
    await expect(fixture.log.sync()).rejects.toThrow("Cannot syncDirectory");
    expect(fixture.log.recoveryPoint).toBe(toOffset(0));
    expect(await fixture.log.sync()).toBe(toOffset(1));
    const after = await LogFixture.open({ disk: fixture.memoryDisk.crash() });
    expect(after.log.logEndOffset).toBe(toOffset(1)); // the directory was synced the second time
  });
});

describe("close()", () => {
  test("leaves a log that opens without reading its data", async () => {
    const fixture = await LogFixture.open({ settings: SMALL_SEGMENTS });
    const batches = fixture.appendMany(20, { producerId: 7, producerEpoch: 0, baseSequence: 0 });
    await fixture.log.close();
    expect(fixture.memoryDisk.openCount).toBe(0);
    const disk = fixture.memoryDisk.crash();
    const how = {
      isClean: true,
      recoveryPoint: fixture.log.logEndOffset,
      settings: SMALL_SEGMENTS,
    };
    const reopened = await LogFixture.open({ disk, ...how });
    expect(disk.calls["open"] ?? 0).toBe(0);
    expect(reopened.log.logEndOffset).toBe(toOffset(20));
    expect(reopened.log.recoveryPoint).toBe(toOffset(20));
    expect(reopened.log.producers.get(7)?.batches.at(-1)?.lastOffset).toBe(19);
    expect(reopened.log.epochs.entries()).toEqual([{ leaderEpoch: 0, startOffset: 0 }]);
    expect(await reopened.readAll()).toEqual(batches);
    const more = reopened.append();
    expect(await reopened.readAll()).toEqual([...batches, more]);
    expect(reopened.events).toEqual([]);
  });

  test("is believed until the first append, which looks at the end", async () => {
    const fixture = await LogFixture.open();
    const batches = fixture.appendMany(4);
    await fixture.log.close();
    const disk = fixture.memoryDisk.kill();
    const node = disk.files.get(`${DIRECTORY}/00000000000000000000.log`);
    if (node === undefined) throw new Error("a log");
    node.content = concat(batches.slice(0, 3)); // by hand, behind our back
    const reopened = await LogFixture.open({ disk, isClean: true, recoveryPoint: 4 });
    expect(() => reopened.append()).toThrow("it ends at offset 3, expected 4");
    expect(node.content).toEqual(concat(batches.slice(0, 3)));
  });

  test("keeps the end of a log whose batches are all gone", async () => {
    const fixture = await LogFixture.open({ logStartOffset: 50 });
    expect(fixture.log.logEndOffset).toBe(toOffset(50));
    fixture.append();
    await fixture.log.close();
    const reopened = await LogFixture.open({
      disk: fixture.disk,
      isClean: true,
      logStartOffset: 51,
    });
    expect(reopened.log.logStartOffset).toBe(toOffset(51));
    expect(reopened.log.logEndOffset).toBe(toOffset(51));
  });

  test("may come at any time: also for an empty log, and twice", async () => {
    const fixture = await LogFixture.open();
    await fixture.log.close();
    await fixture.log.close();
    const reopened = await LogFixture.open({ disk: fixture.memoryDisk.crash(), isClean: true });
    expect(reopened.log.logEndOffset).toBe(toOffset(0));
    expect(reopened.disk.list(DIRECTORY).map((file) => file.name)).toContain(
      "leader-epoch-checkpoint",
    );
  });
});

describe("truncateTo()", () => {
  test("drops the batch that holds the offset and all behind it, at every offset", async () => {
    for (let offset = 0; offset <= 24; offset++) {
      const fixture = await LogFixture.open({ settings: SMALL_SEGMENTS, ...TAIL });
      const batches = fixture.appendMany(12, {
        timestamps: [5, 6],
        producerId: 1,
        producerEpoch: 0,
        baseSequence: 0,
      });
      await fixture.log.sync();
      await fixture.log.truncateTo(toOffset(offset), noted);
      const kept = Math.floor(offset / 2);
      expect(fixture.log.logEndOffset).toBe(toOffset(kept * 2));
      expect(fixture.log.recoveryPoint).toBe(toOffset(kept * 2));
      expect(await fixture.readAll()).toEqual(batches.slice(0, kept));
      expect(fixture.log.producers.get(1)?.batches.at(-1)?.lastOffset).toBe(
        kept === 0 ? undefined : kept * 2 - 1,
      );
      const next = fixture.append({ timestamps: [9], partitionLeaderEpoch: 3 });
      await fixture.log.sync();
      const reopened = await LogFixture.open({ disk: fixture.memoryDisk.crash() });
      expect(await reopened.readAll()).toEqual([...batches.slice(0, kept), next]);
      expect(new BatchView(next).baseOffset()).toBe(kept * 2);
      expect(reopened.log.epochs.latest()).toEqual({ leaderEpoch: 3, startOffset: kept * 2 });
    }
  });
});
