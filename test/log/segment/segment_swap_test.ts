import { describe, expect, test } from "bun:test";
import { type Offset, toOffset } from "../../../src/ground/numbers.ts";
import { fileNames, openFive, PAIR, SETTINGS_SMALL } from "../five_segments.ts";
import { LogFixture } from "../log_fixture.ts";
import { replaceWithCopy, writeCleaned } from "../trivial_cleaner.ts";

/** Three to `.swap`, six and a snapshot to `.deleted`. */
const RENAMES_BEFORE = 10;

describe("replaceSegments()", () => {
  for (const tailBytes of [0, 1 << 20]) {
    test(`gives the same batches from one segment, with a tail of ${tailBytes} bytes`, async () => {
      const fixture = await openFive(undefined, tailBytes);
      const { log, memoryDisk } = fixture;
      const before = await fixture.readAll();
      const paths = await replaceWithCopy(memoryDisk, log, [4, 8, 12]);
      expect(paths?.length).toBe(11); // three files of each, and two snapshots
      const bases = log.segmentFacts().map(({ baseOffset }) => baseOffset as number);
      expect(bases).toEqual([0, 4, 16]);
      expect(await fixture.readAll()).toEqual(before);
      expect(await fixture.readAll(1)).toEqual(before);
      const left = fileNames(memoryDisk.crash());
      expect(left.filter((name) => name.endsWith(".snapshot"))).toEqual([
        "4.snapshot",
        "16.snapshot",
      ]);
      expect(left.filter((name) => /\.(cleaned|swap)$/.test(name))).toEqual([]);
      expect(memoryDisk.openCount).toBeLessThan(5);
    });
  }

  test("serves nothing of the old places from memory", async () => {
    const fixture = await LogFixture.open({
      settings: { segmentBytes: 60_000 },
      tailBytes: 1 << 20,
    });
    const batches = [1000, 20_000, 39_000, 1000].map((valueBytes) =>
      fixture.append({ valueBytes })
    );
    const { log, memoryDisk } = fixture;
    log.roll();
    batches.push(fixture.append({}));
    const bases = log.segmentFacts().slice(0, -1).map(({ baseOffset }) => baseOffset);
    const isKept = (batch: { baseOffset(): number }): boolean => batch.baseOffset() !== 0;
    const cleaned = await writeCleaned(memoryDisk, log, bases, { isKept });
    expect((await log.replaceSegments(bases, cleaned))?.length).toBeGreaterThan(4);
    expect(await fixture.readAll()).toEqual(batches.slice(1));
    expect(await fixture.readAll(1)).toEqual(batches.slice(1));
  });

  test("refuses segments that are not there any more, and removes what was cleaned", async () => {
    const { log, memoryDisk } = await openFive();
    const replaced = [4, 8].map((base) => toOffset(base));
    const cleaned = await writeCleaned(memoryDisk, log, replaced);
    log.moveStart(toOffset(9));
    await log.dropSegmentsBelowStart();
    expect(await log.replaceSegments(replaced, cleaned)).toBeUndefined();
    expect(fileNames(memoryDisk).some((name) => name.endsWith(".cleaned"))).toBeFalse();

    const rest = [8, 12].map((base) => toOffset(base));
    const second = await writeCleaned(memoryDisk, log, rest);
    log.closeNow();
    expect(await log.replaceSegments(rest, second)).toBeUndefined();
    expect(fileNames(memoryDisk).some((name) => name.endsWith(".cleaned"))).toBeFalse();
    expect(fileNames(memoryDisk)).toContain("12.log");
  });

  test("refuses the active segment and segments with a hole between them", async () => {
    const { log, memoryDisk } = await openFive();
    for (const bases of [[12, 16], [16], [0, 8], [8, 4], [1, 4]]) {
      const replaced = bases.map((base) => toOffset(base));
      const { sizeInBytes } = await writeCleaned(memoryDisk, log, [toOffset(0)]);
      const cleaned = { baseOffset: replaced[0] as Offset, sizeInBytes };
      expect(await log.replaceSegments(replaced, cleaned)).toBeUndefined();
    }
    expect(log.segmentCount()).toBe(5);
  });

  test("leaves the log as it was where the disk refuses any of its renames", async () => {
    for (let failing = 1;; failing++) {
      const fixture = await openFive();
      const { log, memoryDisk } = fixture;
      const before = await fixture.readAll();
      const files = fileNames(memoryDisk);
      const cleaned = await writeCleaned(memoryDisk, log, [toOffset(4), toOffset(8)]);
      let count = 0;
      const { note } = memoryDisk;
      memoryDisk.note = (call, path) => {
        if (call === "rename" && ++count === failing) memoryDisk.failNext("rename", "no-space");
        note.call(memoryDisk, call, path);
      };
      const replacing = log.replaceSegments([toOffset(4), toOffset(8)], cleaned);
      const result = await replacing.catch(({ kind }) => kind);
      memoryDisk.note = note;
      if (count < failing) {
        expect(failing).toBe(RENAMES_BEFORE + 4); // and three to the final names
        return;
      }
      if (failing > RENAMES_BEFORE) { // done, and the names wait for the next time
        expect((result as readonly string[]).length).toBe(7);
        expect((await replaceWithCopy(memoryDisk, log, [4]))?.length).toBe(3);
        expect(fileNames(memoryDisk).some((name) => name.endsWith(".swap"))).toBeFalse();
        expect(await fixture.readAll()).toEqual(before);
        continue;
      }
      expect(result).toBe("no-space");
      expect(log.isUsable).toBeTrue();
      expect(fileNames(memoryDisk)).toEqual(files);
      expect(await fixture.readAll()).toEqual(before);
      fixture.append(PAIR);
      expect((await replaceWithCopy(memoryDisk, log, [4, 8]))?.length).toBe(7);
      expect((await fixture.readAll()).slice(0, -1)).toEqual(before);
    }
  });

  test("makes durable what is below, so that no crash leaves a hole", async () => {
    const fixture = await LogFixture.open({ settings: SETTINGS_SMALL });
    const batches = fixture.appendMany(10, PAIR);
    const { log, memoryDisk } = fixture;
    await replaceWithCopy(memoryDisk, log, [8, 12]);
    const disk = memoryDisk.crash();
    const reopened = await LogFixture.open({ disk, settings: SETTINGS_SMALL });
    expect((await reopened.readAll()).slice(0, 8)).toEqual(batches.slice(0, 8));
  });

  test("waits for a sync, and a sync for it", async () => {
    const fixture = await openFive();
    const { log, memoryDisk } = fixture;
    const before = [...await fixture.readAll(), fixture.append(PAIR)];
    const cleaned = await writeCleaned(memoryDisk, log, [toOffset(0), toOffset(4)]);
    const done: string[] = [];
    const first = log.sync().then(() => done.push("sync"));
    const replacing = log.replaceSegments([toOffset(0), toOffset(4)], cleaned);
    const second = replacing.then(() => done.push("replaced"));
    const third = log.sync().then((recoveryPoint) => done.push(`sync to ${recoveryPoint}`));
    await Promise.all([first, second, third]);
    expect(done).toEqual(["sync", "replaced", "sync to 22"]);
    expect(await fixture.readAll()).toEqual(before);
  });
});

describe("read()", () => {
  test("goes on where its segment is replaced or dropped under it", async () => {
    const fixture = await openFive();
    const { log, memoryDisk } = fixture;
    const before = await fixture.readAll();
    const cleaned = await writeCleaned(memoryDisk, log, [toOffset(4), toOffset(8)]);
    for (let round = 0; round < 2; round++) {
      const reads = before.map((_, index) => fixture.read(index * 2, { bytesMax: 1 }));
      const times = log.offsetForTimestamp(6, log.logEndOffset);
      if (round === 0) await log.replaceSegments([toOffset(4), toOffset(8)], cleaned);
      else {
        log.moveStart(toOffset(12));
        await log.dropSegmentsBelowStart();
      }
      const found = await Promise.all(reads);
      // What was dropped under a read may be missing from it; what it gives is right.
      const from = round === 0 ? 0 : 6;
      expect(found.slice(from)).toEqual(before.slice(from));
      expect((await times)?.timestamp).toBe(6);
    }
  });
});
