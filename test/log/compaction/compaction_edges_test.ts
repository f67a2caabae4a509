import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { GivenUp } from "../../../src/log/compaction/compaction_work.ts";
import { OFFSET_SLOT_BYTES } from "../../../src/log/compaction/offset_map.ts";
import { DIRECTORY } from "../log_fixture.ts";
import { CompactedLog, DELETE_RETENTION_MS, type KeyAndValue } from "./compacted_log.ts";

const MIB = 1 << 20;

/** Twice the same keys, in a closed segment. */
async function twice(records: readonly KeyAndValue[]): Promise<CompactedLog> {
  const log = await CompactedLog.open();
  log.append(records);
  log.append(records);
  log.roll();
  return log;
}

/** That no codec makes much smaller. */
function noise(length: number): string {
  const bytes = new Prng(5).bytes(length);
  return Array.from(bytes, (byte) => String.fromCharCode(32 + byte % 95)).join("");
}

function leftBehind({ disk }: CompactedLog): readonly string[] {
  return disk.list(DIRECTORY).map(({ name }) => name)
    .filter((name) => /cleaned|swap|deleted/.test(name));
}

describe("compactLog()", () => {
  test("gets through a batch with more keys than there is memory for", async () => {
    const log = await twice(Array.from({ length: 30 }, (_, index) => [`k${index}`, "v"]));
    let runs = 0;
    for (; log.cleanedUpTo < 60 && runs < 100; runs++) await log.compact(4 * OFFSET_SLOT_BYTES);
    expect(runs).toBeGreaterThan(5);
    expect(log.cleanedUpTo).toBe(60);
    expect(await log.told()).toHaveLength(30);
    expect(await log.complaints()).toEqual([]);
  });

  test("cleans a segment of one compressed batch that is larger than what it reads at once", async () => {
    const log = await CompactedLog.open();
    const value = noise(MIB);
    log.append([["a", value], ["b", value.slice(1)], ["c", value.slice(2)]], { codec: "gzip" });
    log.append([["a", "small"]], { codec: "gzip" });
    log.roll();
    const [segment] = log.fixture.log.segmentFacts();
    expect(segment?.sizeInBytes).toBeGreaterThan(2 * MIB);
    await log.compact();
    expect((await log.told()).map((line) => line.slice(0, 3))).toEqual(["1 b", "2 c", "3 a"]);
    expect(await log.complaints()).toEqual([]);
  });

  test("empties a log of nothing but tombstones, and keeps where it ends", async () => {
    const log = await twice([["a", null], ["b", null]]);
    await log.compact();
    expect(await log.told()).toEqual(["2 a=-", "3 b=-"]);
    log.pass(DELETE_RETENTION_MS + 1);
    log.append([["soil", "s"]]);
    log.roll();
    await log.compact();
    expect(await log.told()).toEqual(["4 soil=s"]);
    await log.reopenAfter("loss");
    expect(log.fixture.log.logEndOffset as number).toBe(5);
    expect(await log.complaints()).toEqual([]);
  });

  test("knows keys of a megabyte, and the empty one", async () => {
    const key = noise(MIB);
    const log = await twice([["", "empty"], [key, "1"], [`${key}x`, "2"]]);
    await log.compact();
    const told = (await log.told()).map((line) => line.slice(0, 3));
    expect(told).toEqual(["3 =", "4 " + key[0], "5 " + key[0]].map((line) => line.slice(0, 3)));
    expect(await log.complaints()).toEqual([]);
  });

  test("joins no segments whose offsets lie further apart than an index can tell", async () => {
    const log = await CompactedLog.open();
    log.append([["a", "1"], ["b", "1"]]);
    log.append([["a", "2"]], { gap: 2 ** 31 });
    log.append([["a", "3"]], { gap: 2 ** 33 });
    log.roll();
    await log.compact();
    expect((await log.told()).map((line) => line.split(" ")[1])).toEqual(["b=1", "a=3"]);
    expect(log.fixture.log.segmentCount()).toBe(4);
    await log.reopenAfter("loss");
    expect(await log.complaints()).toEqual([]);
  });

  test("goes on where the log's start moves into the middle of what it cleans", async () => {
    const log = await twice([["a", "1"], ["b", "1"], ["c", "1"]]);
    log.meanwhile = () => log.fixture.log.moveStart(toOffset(4));
    await log.compact();
    expect(log.fixture.log.logStartOffset as number).toBe(4);
    expect((await log.told()).slice(-2)).toEqual(["4 b=1", "5 c=1"]);
    expect(leftBehind(log)).toEqual([]);
  });

  test("is given up where retention takes a segment away meanwhile", async () => {
    const log = await twice([["a", "1"]]);
    log.append([["a", "2"]]);
    log.roll();
    const { log: cleaned } = log.fixture;
    const work: Promise<unknown>[] = [];
    log.meanwhile = () => {
      cleaned.moveStart(toOffset(2));
      work.push(cleaned.dropSegmentsBelowStart());
    };
    expect(await log.compact().catch((error: unknown) => error)).toBeInstanceOf(GivenUp);
    await Promise.all(work);
    expect(log.disk.list(DIRECTORY).filter(({ name }) => /cleaned|swap/.test(name))).toEqual([]);
    expect(await log.told()).toEqual(["2 a=2"]);
  });
});
