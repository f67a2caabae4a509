import { describe, expect, test } from "bun:test";
import { Prng } from "../../../src/ground/prng.ts";
import { toOffset } from "../../../src/ground/numbers.ts";
import { LogFixture, seedOf } from "../log_fixture.ts";

interface Timed {
  readonly offset: number;
  readonly timestamp: number;
}

const SETTINGS = { segmentBytes: 600, indexIntervalBytes: 100, segmentMs: 1e9 };

/** A log of batches with these times, one list a batch. */
async function logOf(
  times: readonly (readonly number[])[],
): Promise<{ fixture: LogFixture; records: Timed[] }> {
  const fixture = await LogFixture.open({ settings: SETTINGS });
  const records: Timed[] = [];
  for (const timestamps of times) {
    const base = fixture.log.logEndOffset as number;
    fixture.append({ timestamps, partitionLeaderEpoch: 5 });
    records.push(...timestamps.map((timestamp, index) => ({ offset: base + index, timestamp })));
  }
  return { fixture, records };
}

describe("offsetForTimestamp()", () => {
  test("finds the first record that is not earlier, whatever the order of times", async () => {
    const random = new Prng(seedOf("offsetForTimestamp"));
    for (let round = 0; round < 40; round++) {
      const times = Array.from(
        { length: 25 },
        (_, batch) =>
          Array.from({ length: 1 + random.below(4) }, () => 100 + batch * 3 + random.below(20)),
      );
      const { fixture, records } = await logOf(times);
      const end = fixture.log.logEndOffset;
      if (round % 2 === 0) await fixture.log.close();
      const { disk } = fixture;
      const opened = round % 2 === 0
        ? await LogFixture.open({ disk, isClean: true, settings: SETTINGS })
        : fixture;
      for (let timestamp = 95; timestamp < 200; timestamp += 3) {
        const upTo = toOffset(random.below(end + 1));
        const expected = records.find((record) => record.timestamp >= timestamp);
        const found = await opened.log.offsetForTimestamp(timestamp, upTo);
        if (expected === undefined || expected.offset >= upTo) expect(found).toBeUndefined();
        else {expect(found).toEqual({
            ...expected,
            offset: toOffset(expected.offset),
            leaderEpoch: 5,
          });}
      }
    }
  });

  test("does not see records before the log's start", async () => {
    const { fixture } = await logOf([[50, 60], [40, 45], [70]]);
    fixture.log.logStartOffset = toOffset(1);
    expect((await fixture.log.offsetForTimestamp(10, toOffset(5)))?.offset).toBe(toOffset(1));
    fixture.log.logStartOffset = toOffset(3);
    expect((await fixture.log.offsetForTimestamp(42, toOffset(5)))?.offset).toBe(toOffset(3));
    expect((await fixture.log.offsetForTimestamp(46, toOffset(5)))?.offset).toBe(toOffset(4));
  });

  test("finds nothing in an empty log or among records without a time", async () => {
    const empty = await LogFixture.open();
    expect(await empty.log.offsetForTimestamp(0, toOffset(0))).toBeUndefined();
    const { fixture } = await logOf([[-1], [-1]]);
    expect(await fixture.log.offsetForTimestamp(0, toOffset(2))).toBeUndefined();
    expect(await fixture.log.maxTimestampOffset(toOffset(2))).toBeUndefined();
  });
});

describe("maxTimestampOffset()", () => {
  test("finds the first record with the latest time", async () => {
    const random = new Prng(seedOf("maxTimestampOffset"));
    for (let round = 0; round < 40; round++) {
      const times = Array.from(
        { length: 20 },
        () => Array.from({ length: 1 + random.below(3) }, () => random.below(40)),
      );
      const { fixture, records } = await logOf(times);
      const latest = Math.max(...records.map((record) => record.timestamp));
      const first = records.find((record) => record.timestamp === latest) as Timed;
      const end = fixture.log.logEndOffset;
      expect((await fixture.log.maxTimestampOffset(end))?.offset).toBe(toOffset(first.offset));
      expect(await fixture.log.maxTimestampOffset(toOffset(first.offset))).toBeUndefined();
    }
  });
});
