/** What is left of a change of a log that stops before any of its calls of the disk. */
import { describe, expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { DIRECTORY, LogFixture, makeBatch, makeMarker, noted } from "./log_fixture.ts";
import type { MemoryDisk } from "./memory_disk.ts";
import { replaceWithCopy } from "./trivial_cleaner.ts";

const SETTINGS = { segmentBytes: 500, indexIntervalBytes: 100 };

interface Left {
  readonly disk: MemoryDisk;
  readonly call: string;
}

/**
 * Runs `action` and gives what a kill and a loss of power between its calls of the disk would leave. A
 * kill is told from the one before by any change, a loss of power only by what was synced.
 */
async function stopsOf(disk: MemoryDisk, action: () => Promise<unknown>): Promise<readonly Left[]> {
  const left: Left[] = [];
  const { note } = disk;
  let before = "sync";
  const stop = (call: string): void => {
    const isSync = before.startsWith("sync");
    const copy = isSync ? disk.crash() : disk.kill();
    if (before !== "read") {
      left.push({ disk: copy, call: `${isSync ? "crash" : "kill"} before ${call}` });
    }
  };
  disk.note = (call, path) => {
    stop(`${call} of ${path}`);
    before = call;
    note.call(disk, call, path);
  };
  await action();
  disk.note = note;
  stop("the end");
  return left;
}

/** Six segments of durable batches, with aborted transactions in most of them. */
async function openDurable(): Promise<{ fixture: LogFixture; batches: Uint8Array[] }> {
  const fixture = await LogFixture.open({ settings: SETTINGS });
  const batches: Uint8Array[] = [];
  const producer = { producerId: 7, producerEpoch: 0, isTransactional: true };
  while (fixture.log.segmentCount() < 6) {
    const baseOffset = fixture.log.logEndOffset;
    const isMarker = batches.length % 3 === 2;
    const fields = { ...producer, baseSequence: batches.length, timestamps: [1, 2] };
    const batch = isMarker
      ? makeMarker(baseOffset, { producerId: 7, isAbort: true })
      : makeBatch(baseOffset, fields);
    fixture.appendBytes(batch);
    batches.push(batch);
  }
  await fixture.log.sync();
  return { fixture, batches };
}

interface Expected {
  readonly logStartOffset?: number;
  readonly recoveryPoint: number;
  readonly check: (fixture: LogFixture) => Promise<void>;
}

/** Opens what was left; and what is left when that is stopped too. */
async function expectAll(stops: readonly Left[], expected: Expected): Promise<void> {
  for (const { disk, call } of stops) {
    let fixture: LogFixture | undefined;
    const { logStartOffset = 0, recoveryPoint } = expected;
    const options = { settings: SETTINGS, logStartOffset, recoveryPoint };
    const again = await stopsOf(disk, async () => {
      fixture = await LogFixture.open({ disk, ...options });
    });
    await labelled(call, () => expected.check(fixture as LogFixture));
    const names = disk.list(DIRECTORY).map(({ name }) => name);
    expect(names.filter((name) => /\.(deleted|cleaned|swap)$/.test(name))).toEqual([]);
    for (const second of again.filter((_, index) => index % 3 === 0)) {
      const reopened = await LogFixture.open({ disk: second.disk, ...options });
      await labelled(`${call}, then ${second.call}`, () => expected.check(reopened));
    }
  }
}

async function labelled(call: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (fault) {
    throw new Error(`${call}: ${(fault as Error).message}`);
  }
}

function abortedEnds(fixture: LogFixture): Promise<readonly number[]> {
  const { log } = fixture;
  return log.abortedTransactions(toOffset(0), log.logEndOffset)
    .then((found) => found.map(({ lastOffset }) => lastOffset));
}

describe("a stop before any call of the disk", () => {
  test("leaves the same batches and aborted transactions while segments are replaced", async () => {
    const { fixture, batches } = await openDurable();
    const aborted = await abortedEnds(fixture);
    expect(aborted.length).toBeGreaterThan(4);
    const bases = fixture.log.segmentFacts().slice(1, 4).map(({ baseOffset }) => baseOffset);
    const stops = await stopsOf(fixture.memoryDisk, () => {
      return replaceWithCopy(fixture.memoryDisk, fixture.log, bases);
    });
    const counts = new Set<number>();
    await expectAll(stops, {
      recoveryPoint: fixture.log.recoveryPoint,
      check: async (reopened) => {
        counts.add(reopened.log.segmentCount());
        expect(await reopened.readAll()).toEqual(batches);
        expect(await abortedEnds(reopened)).toEqual(aborted);
      },
    });
    expect([...counts].sort()).toEqual([4, 6]);
  });

  test("leaves all from the log's start on while segments are dropped", async () => {
    const { fixture, batches } = await openDurable();
    const { log, memoryDisk } = fixture;
    const start = (log.segmentFacts()[3] as { baseOffset: number }).baseOffset;
    log.moveStart(toOffset(start));
    const stops = await stopsOf(memoryDisk, () => log.dropSegmentsBelowStart());
    const kept = batches.filter((batch) => new BatchView(batch).baseOffset() >= start);
    await expectAll(stops, {
      logStartOffset: start,
      recoveryPoint: log.recoveryPoint,
      check: async (reopened) => {
        expect(reopened.log.logStartOffset as number).toBe(start);
        expect(reopened.log.segmentCount()).toBe(3);
        expect(await reopened.readAll()).toEqual(kept);
      },
    });
  });

  test("leaves a log without holes while it is cut, and never one that is too short", async () => {
    for (const cutAt of [5, 14]) {
      const { fixture, batches } = await openDurable();
      const { log, memoryDisk } = fixture;
      const stops = await stopsOf(memoryDisk, () => log.truncateTo(toOffset(cutAt), noted));
      const end = log.logEndOffset;
      const shortest = batches.filter((batch) => new BatchView(batch).nextOffset() <= end).length;
      await expectAll(stops, {
        recoveryPoint: end,
        check: async (reopened) => {
          const found = await reopened.readAll();
          expect(found).toEqual(batches.slice(0, found.length));
          expect(found.length).toBeGreaterThanOrEqual(shortest);
        },
      });
    }
  });
});
