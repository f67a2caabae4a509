import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import { LogFault } from "../../../src/log/log_fault.ts";
import { contents, makeDurable, SMALL, stopAt } from "../crash_fixture.ts";
import { concat, DIRECTORY, LogFixture } from "../log_fixture.ts";
import type { MemoryDisk } from "../memory_disk.ts";
import { writeCleaned } from "../trivial_cleaner.ts";

const KINDS = ["index", "timeindex", "log"] as const;

/** A log of several segments, the first two of which were cleaned: only odd offsets are left of them. */
async function cleanedLog(): Promise<{
  disk: MemoryDisk;
  before: Uint8Array[];
  after: Uint8Array[];
  bases: string[];
}> {
  const fixture = await LogFixture.open({ settings: SMALL });
  const before = fixture.appendMany(24);
  await fixture.log.sync();
  const [first, second, third] = fixture.log.segmentFacts().map(({ baseOffset }) => baseOffset);
  const replaced = [first, second].map((base) => toOffset(base ?? 0));
  await writeCleaned(fixture.disk, fixture.log, replaced, {
    isKept: (batch) => batch.baseOffset() % 2 === 1 || batch.nextOffset() === third,
  });
  await fixture.log.close();
  const disk = makeDurable(fixture.memoryDisk.kill());
  const after = before.filter((_, offset) => offset >= (third ?? 0) - 1 || offset % 2 === 1);
  const bases = [first, second].map((base) => String(base).padStart(20, "0"));
  return { disk, before, after, bases };
}

function rename(disk: MemoryDisk, from: string, to: string): void {
  disk.rename(`${DIRECTORY}/${from}`, `${DIRECTORY}/${to}`);
}

/** What a crash may leave of a cleaning, and whether it happened. */
const STATES: readonly {
  readonly name: string;
  readonly isDone: boolean;
  readonly make: (disk: MemoryDisk, bases: readonly string[]) => void;
}[] = [
  { name: "all is .cleaned", isDone: false, make: () => {} },
  {
    name: "the indexes are .swap, the log is .cleaned",
    isDone: false,
    make: (disk, [first]) => {
      for (const kind of ["index", "timeindex"]) {
        rename(disk, `${first}.${kind}.cleaned`, `${first}.${kind}.swap`);
      }
    },
  },
  { name: "all is .swap", isDone: true, make: swapAll },
  {
    name: "all is .swap, and some of the old files are .deleted",
    isDone: true,
    make: (disk, bases) => {
      swapAll(disk, bases);
      for (const kind of KINDS) rename(disk, `${bases[0]}.${kind}`, `${bases[0]}.${kind}.deleted`);
      rename(disk, `${bases[1]}.index`, `${bases[1]}.index.deleted`);
    },
  },
  {
    name: "the log has its name, its indexes are .swap",
    isDone: true,
    make: (disk, bases) => {
      swapAll(disk, bases);
      for (const base of bases) {
        for (const kind of KINDS) rename(disk, `${base}.${kind}`, `${base}.${kind}.deleted`);
      }
      rename(disk, `${bases[0]}.log.swap`, `${bases[0]}.log`);
    },
  },
];

function swapAll(disk: MemoryDisk, [first]: readonly string[]): void {
  for (const kind of KINDS) rename(disk, `${first}.${kind}.cleaned`, `${first}.${kind}.swap`);
}

function names(disk: MemoryDisk): string[] {
  return disk.list(DIRECTORY).map(({ name }) => name);
}

describe("leftovers of a cleaning", () => {
  for (const { name, isDone, make } of STATES) {
    for (const isClean of [true, false]) {
      const how = { isClean, recoveryPoint: 24, settings: SMALL };

      test(`${name}, after ${isClean ? "a clean stop" : "a crash"}`, async () => {
        const { disk, before, after, bases } = await cleanedLog();
        make(disk, bases);
        const opened = await LogFixture.open({ disk, ...how });
        expect(await opened.readAll()).toEqual(isDone ? after : before);
        expect(opened.log.logEndOffset).toBe(toOffset(24));
        expect(names(disk).filter((file) => /\.(cleaned|swap|deleted)$/.test(file))).toEqual([]);
        expect(opened.events.filter((event) => event === "index rebuilt")).toEqual([]);
      });

      test(`${name}, and a crash at every call of the next start (clean: ${isClean})`, async () => {
        const { disk: start, bases } = await cleanedLog();
        make(start, bases);
        makeDurable(start);
        const wanted = start.kill();
        await LogFixture.open({ disk: wanted, ...how });
        for (const after of ["crash", "kill"] as const) {
          for (let count = 1;; count++) {
            let disk = start.kill();
            const callsOf = stopAt(disk, count);
            const error = await LogFixture.open({ disk, ...how }).then(() => {}, (fault) => fault);
            if (error === undefined) {
              expect(callsOf()).toBe(count - 1);
              break;
            }
            // And once more, in the middle of what is left to do.
            disk = disk[after]();
            stopAt(disk, 2 + count % 5);
            await LogFixture.open({ disk, ...how }).catch(() => {});
            disk = disk[after]();
            await LogFixture.open({ disk, ...how });
            expect(contents(disk)).toEqual(contents(wanted));
          }
        }
      });
    }
  }

  test("a cleaned log that is damaged is not put in the place of anything", async () => {
    const { disk, bases } = await cleanedLog();
    swapAll(disk, bases);
    const node = disk.files.get(`${DIRECTORY}/${bases[0]}.log.swap`);
    if (node === undefined) throw new Error("a swap file");
    node.content = concat([node.content.slice(0, -5)]);
    const before = contents(disk);
    const opening = LogFixture.open({ disk, recoveryPoint: 24, settings: SMALL });
    await expect(opening).rejects.toThrow(
      /what a cleaning made is damaged.*mq log verify.*mq log repair/s,
    );
    expect(contents(disk)).toEqual(before);
  });

  test("several .swap files, as Kafka leaves them when it splits a segment, are all finished", async () => {
    const { disk, before, bases } = await cleanedLog();
    for (const name of names(disk)) {
      if (name.endsWith(".cleaned")) disk.remove(`${DIRECTORY}/${name}`);
    }
    for (const base of bases) {
      for (const kind of KINDS) rename(disk, `${base}.${kind}`, `${base}.${kind}.swap`);
    }
    const opened = await LogFixture.open({ disk, recoveryPoint: 24, settings: SMALL });
    expect(await opened.readAll()).toEqual(before);
  });
});

describe("segments below the log start", () => {
  for (const isClean of [true, false]) {
    test(`are dropped, also by a start that crashes (clean: ${isClean})`, async () => {
      const fixture = await LogFixture.open({ settings: SMALL });
      const batches = Array.from(
        { length: 24 },
        (_, index) =>
          fixture.append({
            producerId: 4,
            producerEpoch: 0,
            baseSequence: index,
            partitionLeaderEpoch: index >> 2,
          }),
      );
      await fixture.log.close();
      const start = makeDurable(fixture.memoryDisk.kill());
      const logStartOffset = 17;
      const how = { isClean, recoveryPoint: 24, settings: SMALL, logStartOffset };
      const wanted = start.kill();
      const opened = await LogFixture.open({ disk: wanted, ...how });
      expect(opened.log.logStartOffset).toBe(toOffset(logStartOffset));
      expect(await opened.readAll()).toEqual(batches.slice(logStartOffset));
      expect(opened.log.producers.get(4)?.batches.at(-1)?.lastSequence).toBe(23);
      expect(opened.log.epochs.entries()[0]).toEqual({ leaderEpoch: 4, startOffset: 17 });
      expect(opened.log.segmentFacts()[0]?.baseOffset).toBeGreaterThan(0);
      for (let count = 1;; count++) {
        let disk = start.kill();
        stopAt(disk, count);
        const error = await LogFixture.open({ disk, ...how }).then(() => {}, (fault) => fault);
        if (error === undefined) break;
        disk = disk.crash();
        await LogFixture.open({ disk, ...how });
        expect(contents(disk)).toEqual(contents(wanted));
      }
    });
  }

  test("a log that ends below its start begins anew there, and gives no offset twice", async () => {
    const fixture = await LogFixture.open({ settings: SMALL });
    fixture.appendMany(12);
    await fixture.log.close();
    const disk = fixture.memoryDisk.kill();
    const opened = await LogFixture.open({ disk, logStartOffset: 20, settings: SMALL });
    expect(opened.events).toContain("a log that ends below its start begins anew");
    const { log } = opened;
    expect([log.logStartOffset, log.logEndOffset]).toEqual([toOffset(20), toOffset(20)]);
    expect(log.producers.count).toBe(0);
    const batch = opened.append();
    expect(await opened.readAll()).toEqual([batch]);
    expect(names(disk).filter((name) => name.endsWith(".log"))).toHaveLength(1);
  });
});

describe("an index without its log", () => {
  const FIRST = `${DIRECTORY}/00000000000000000000`;

  async function closedLog(): Promise<MemoryDisk> {
    const fixture = await LogFixture.open({ settings: SMALL });
    fixture.appendMany(24);
    await fixture.log.close();
    return fixture.memoryDisk.kill();
  }

  test("says that the log is lost, and the partition is not served", async () => {
    for (const isClean of [true, false]) {
      const disk = await closedLog();
      disk.remove(`${FIRST}.log`);
      const opening = LogFixture.open({ disk, isClean, recoveryPoint: 24, settings: SMALL });
      const fault = await opening.then(() => {}, (error: unknown) => error);
      expect(fault).toBeInstanceOf(LogFault);
      expect(String(fault)).toMatch(/its log is not there.*mq log verify \/data\/orders-0/s);
    }
  });

  test("goes where the log was deleted, or was never durable", async () => {
    const deleted = await closedLog();
    deleted.remove(`${FIRST}.log`);
    const how = { isClean: true, recoveryPoint: 24, settings: SMALL };
    await LogFixture.open({ disk: deleted, ...how, logStartOffset: 15 });
    expect(deleted.info(`${FIRST}.index`)).toBeUndefined();
    const never = await closedLog();
    never.remove(`${FIRST}.log`);
    await LogFixture.open({ disk: never, settings: SMALL });
    expect(never.info(`${FIRST}.index`)).toBeUndefined();
  });

  test("goes where a cleaned segment reaches over it", async () => {
    const disk = await closedLog();
    const opened = await LogFixture.open({ disk, recoveryPoint: 24, settings: SMALL });
    const second = opened.log.segmentFacts()[1]?.baseOffset ?? 0;
    opened.log.closeNow();
    const inside = `${DIRECTORY}/${String(second + 1).padStart(20, "0")}.index`;
    const file = disk.open(inside, "write");
    file.write(0, [new Uint8Array(8).fill(1)]);
    file.close();
    for (const isClean of [true, false]) {
      const copy = disk.kill();
      await LogFixture.open({ disk: copy, isClean, recoveryPoint: 24, settings: SMALL });
      expect(copy.info(inside)).toBeUndefined();
    }
  });
});

describe("offsets that no segment has", () => {
  test("are accepted, and told of where they may have been lost by the crash", async () => {
    for (const [recoveryPoint, isTold] of [[24, false], [5, true]] as const) {
      const fixture = await LogFixture.open({ settings: SMALL });
      const batches = fixture.appendMany(24);
      const [, second, third] = fixture.log.segmentFacts().map(({ baseOffset }) => baseOffset);
      await fixture.log.sync();
      const disk = fixture.memoryDisk.kill();
      for (const kind of KINDS) {
        disk.remove(`${DIRECTORY}/${String(second).padStart(20, "0")}.${kind}`);
      }
      const opened = await LogFixture.open({ disk, recoveryPoint, settings: SMALL });
      const event = "no batches at some offsets of a log";
      expect(opened.events.includes(event)).toBe(isTold);
      const left = batches.filter((_, at) => at < (second ?? 0) || at >= (third ?? 0));
      expect(await opened.readAll()).toEqual(left);
    }
  });
});
