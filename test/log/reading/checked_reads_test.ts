import { describe, expect, test } from "bun:test";
import { Prng } from "../../../src/ground/prng.ts";
import { toOffset } from "../../../src/ground/numbers.ts";
import { DamagedBatch } from "../../../src/log/reading/read_checks.ts";
import { ManualClock } from "../../client/manual_clock.ts";
import { bytesOfSlice, concat, DIRECTORY, LogFixture, makeBatch, seedOf } from "../log_fixture.ts";
import type { MemoryDisk } from "../memory_disk.ts";

const SETTINGS = { segmentBytes: 2000, indexIntervalBytes: 300 };
const INTERVAL_MS = 600_000;
const COUNT = 30;

interface Damaged {
  readonly fixture: LogFixture;
  readonly batches: readonly Uint8Array[];
  readonly clock: ManualClock;
}

/** A log of one segment that was closed cleanly, opened again after `hurt` had its file. */
async function reopened(
  hurt: (bytes: Uint8Array, positions: readonly number[]) => void,
  options: { readonly readVerifyIntervalMs?: number; readonly segmentBytes?: number } = {},
): Promise<Damaged> {
  const settings = { ...SETTINGS, segmentBytes: options.segmentBytes ?? 1 << 20 };
  const before = await LogFixture.open({ settings });
  const batches = before.appendMany(COUNT, { timestamps: [5, 6], partitionLeaderEpoch: 2 });
  await before.log.close();
  const positions: number[] = [];
  let at = 0;
  for (const { length } of batches) {
    positions.push(at);
    at += length;
  }
  hurt(contentOf(before.memoryDisk), positions);
  const clock = new ManualClock();
  const { disk } = before;
  const fixture = await LogFixture.open({ disk, isClean: true, clock, settings, ...options });
  return { fixture, batches, clock };
}

function contentOf(disk: MemoryDisk): Uint8Array {
  return disk.files.get(`${DIRECTORY}/00000000000000000000.log`)?.content as Uint8Array;
}

function flip(bytes: Uint8Array, at: number, bit = 0): void {
  bytes[at] = (bytes[at] as number) ^ (1 << bit);
}

/** Which batches a consumer gets that goes on behind each damaged one, and which it is refused. */
async function consume({ fixture, batches }: Damaged): Promise<number[]> {
  const refused: number[] = [];
  for (let index = 0; index < COUNT;) {
    try {
      const bytes = await fixture.read(index * 2, { bytesMax: 700 });
      const served = Math.round(bytes.length / (batches[0] as Uint8Array).length);
      expect(served).toBeGreaterThan(0);
      expect(bytes).toEqual(concat(batches.slice(index, index + served)));
      index += served;
    } catch (fault) {
      expect(fault).toBeInstanceOf(DamagedBatch);
      refused.push(index++);
    }
  }
  return refused;
}

describe("a read of a damaged segment", () => {
  const FIELDS = [
    ["the base offset", 7],
    ["the length", 11],
    ["the leader epoch", 15],
    ["the magic", 16],
    ["the CRC", 18],
    ["the attributes", 22],
    ["the last offset delta", 26],
    ["the record count", 60],
    ["a value", 70],
  ] as const;
  for (const [name, field] of FIELDS) {
    test(`ends before the batch and goes on behind it: ${name}`, async () => {
      for (let hurt = 0; hurt < COUNT - 6; hurt++) { // a clean start looks at the last ones itself
        for (const bit of [0, 3]) {
          const damaged = await reopened((bytes, positions) =>
            flip(bytes, (positions[hurt] as number) + field, bit)
          );
          const refused = await consume(damaged);
          // A length or an offset that leads astray may hide the batches up to the next index entry.
          expect(refused).toContain(hurt);
          expect(refused.length).toBeLessThan(7);
          expect(refused.every((index) => index >= hurt - 1)).toBeTrue();
        }
      }
    });
  }

  test("is told once, and names place and remedy", async () => {
    const { fixture } = await reopened((bytes, positions) =>
      flip(bytes, (positions[4] as number) + 70)
    );
    for (let round = 0; round < 3; round++) {
      await expect(fixture.read(8)).rejects.toThrow("mq log repair");
      await expect(fixture.read(9)).rejects.toThrow("offset 8");
    }
    expect(fixture.events.filter((event) => event === "a batch is damaged")).toHaveLength(1);
    expect(fixture.tools.reads.metrics.damagedBatches).toBe(1);
    expect(await fixture.read(0, { bytesMax: 1 })).toHaveLength(
      makeBatch(0, { timestamps: [5, 6] }).length,
    );
  });

  test("refuses a time that it would have to look up in the batch", async () => {
    const { fixture } = await reopened((bytes, positions) =>
      flip(bytes, (positions[0] as number) + 40, 5)
    );
    await expect(fixture.log.offsetForTimestamp(6, toOffset(60))).rejects.toThrow("damaged");
    await expect(fixture.log.maxTimestampOffset(toOffset(60))).rejects.toThrow("damaged");
  });
});

describe("mq.read.verify.interval.ms", () => {
  test("a range that was checked is checked again after the interval, or at every read", async () => {
    for (const readVerifyIntervalMs of [INTERVAL_MS, 0]) {
      const { fixture, clock, batches } = await reopened(() => undefined, { readVerifyIntervalMs });
      const { metrics } = fixture.tools.reads;
      const checked = async (): Promise<boolean> => {
        const before = metrics.checkedBytes;
        expect(await fixture.read(0)).toEqual(concat(batches));
        return metrics.checkedBytes > before;
      };
      expect(await checked()).toBeTrue();
      expect(await checked()).toBe(readVerifyIntervalMs === 0);
      await clock.advance(INTERVAL_MS / 2);
      expect(await checked()).toBe(readVerifyIntervalMs === 0);
      await clock.advance(INTERVAL_MS / 2 + 1);
      expect(await checked()).toBeTrue();
    }
  });

  test("what rotted since is found by the first read behind the interval", async () => {
    const { fixture, clock } = await reopened(() => undefined, {
      readVerifyIntervalMs: INTERVAL_MS,
    });
    await fixture.read(0);
    flip(contentOf(fixture.memoryDisk), 80);
    await fixture.read(0); // it lies in the page cache as it was, or so it is believed
    await clock.advance(INTERVAL_MS + 1);
    await expect(fixture.read(0)).rejects.toThrow("CRC is wrong");
  });

  test("what this process appended is not checked, also where the tail gives its place only", async () => {
    const clock = new ManualClock();
    for (const tailBytes of [0, 1 << 20]) {
      const fixture = await LogFixture.open({
        clock,
        tailBytes,
        readVerifyIntervalMs: INTERVAL_MS,
      });
      const batches = fixture.appendMany(5, { valueBytes: 20_000 });
      expect(await fixture.read(0)).toEqual(concat(batches));
      expect(fixture.tools.reads.metrics.checkedBytes).toBe(0);
      await clock.advance(INTERVAL_MS + 1);
      flip(contentOf(fixture.memoryDisk), 30_000);
      expect(await fixture.read(0)).toEqual(batches[0] as Uint8Array);
      await expect(fixture.read(1)).rejects.toThrow("CRC is wrong");
    }
  });

  test("many who ask for one range at a time share one check", async () => {
    const { fixture, batches } = await reopened(() => undefined, {
      readVerifyIntervalMs: INTERVAL_MS,
    });
    const reads = await Promise.all(Array.from({ length: 20 }, () => fixture.read(0)));
    for (const bytes of reads) expect(bytes).toEqual(concat(batches));
    expect(fixture.tools.reads.metrics.checkedBytes).toBe(concat(batches).length);
  });
});

describe("a disk that cannot be read", () => {
  test("is an error of that read, counted, and told at most once a minute", async () => {
    const { fixture, clock, batches } = await reopened(() => undefined);
    const told = (): number =>
      fixture.events.filter((one) => one === "a log cannot be read").length;
    for (let round = 0; round < 3; round++) {
      fixture.memoryDisk.failNext("read", "unreadable");
      await expect(fixture.read(0)).rejects.toThrow("Cannot read");
    }
    expect(told()).toBe(1);
    expect(fixture.tools.reads.metrics.errors).toBe(3);
    expect(await fixture.read(0)).toEqual(concat(batches));
    await clock.advance(60_001);
    fixture.memoryDisk.failNext("read", "unreadable");
    await expect(fixture.log.offsetForTimestamp(6, toOffset(60))).rejects.toThrow("Cannot read");
    expect(told()).toBe(2);
  });
});

describe("a read of a sound log", () => {
  test("gives the same bytes checked, covered and half covered, whatever was read before", async () => {
    const random = new Prng(seedOf("checked reads"));
    for (let round = 0; round < 20; round++) {
      const { fixture, batches, clock } = await reopened(() => undefined, {
        segmentBytes: 700 + random.below(2000),
        readVerifyIntervalMs: 1000,
      });
      for (let read = 0; read < 60; read++) {
        const index = random.below(COUNT);
        const bytesMax = random.below(2500);
        const upTo = (index + 1 + random.below(COUNT - index)) * 2;
        const slice = await fixture.log.read(toOffset(index * 2 + random.below(2)), {
          bytesMax,
          upTo: toOffset(upTo),
        });
        if (slice === undefined) throw new Error("out of range");
        const bytes = bytesOfSlice(slice);
        const served = Math.round(bytes.length / (batches[0] as Uint8Array).length);
        expect(bytes).toEqual(concat(batches.slice(index, index + served)));
        expect(served).toBeGreaterThan(0);
        expect(slice.nextOffset).toBe(toOffset((index + served) * 2));
        expect((index + served) * 2).toBeLessThanOrEqual(upTo);
        if (random.oneIn(10)) await clock.advance(random.below(1500));
      }
    }
  });
});
