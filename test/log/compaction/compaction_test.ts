import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import { GivenUp } from "../../../src/log/compaction/compaction_work.ts";
import { OFFSET_SLOT_BYTES } from "../../../src/log/compaction/offset_map.ts";
import { LogFault } from "../../../src/log/log_fault.ts";
import { BatchView } from "../../../src/record/batch_view.ts";
import { DIRECTORY } from "../log_fixture.ts";
import { CompactedLog, DELETE_RETENTION_MS } from "./compacted_log.ts";

const TRANSACTION = { producerId: 7, isTransactional: true };

/** Another record in a segment of its own, so that there is something dirty again. */
function soil(log: CompactedLog): void {
  log.append([["soil", "s"]]);
  log.roll();
}

/** "0-2 data 1", "3-3 control 1": offsets, kind and record count of each batch. */
async function shapes(log: CompactedLog): Promise<string[]> {
  return (await log.batches()).map((bytes) => {
    const batch = new BatchView(bytes);
    const kind = batch.isControl() ? "control" : "data";
    return `${batch.baseOffset()}-${batch.lastOffset()} ${kind} ${batch.recordCount()}`;
  });
}

async function logOf(
  ...batches: readonly (readonly (readonly [string, string | null])[])[]
): Promise<CompactedLog> {
  const log = await CompactedLog.open();
  for (const records of batches) log.append(records);
  log.roll();
  return log;
}

describe("compactLog()", () => {
  test("keeps the last value of each key at its offset", async () => {
    const log = await logOf([["a", "1"], ["b", "1"]], [["a", "2"], ["c", ""]], [["b", "3"]]);
    const result = await log.compact();
    expect(await log.told()).toEqual(["2 a=2", "3 c=", "4 b=3"]);
    expect(result?.cleanedUpTo as number).toBe(5);
    expect(result?.recordsRead).toBe(5);
    expect(result?.recordsKept).toBe(3);
    expect(await log.complaints()).toEqual([]);
  });

  test("never touches the active segment", async () => {
    const log = await logOf([["a", "1"]]);
    log.append([["a", "2"]]);
    await log.compact();
    expect(await log.told()).toEqual(["0 a=1", "1 a=2"]);
  });

  test("keeps a tombstone until its delete horizon, and then drops it", async () => {
    const log = await logOf([["a", "1"]], [["a", null]]);
    await log.compact();
    expect(await log.told()).toEqual(["1 a=-"]);
    const [batch] = await log.batches();
    const view = new BatchView(batch as Uint8Array);
    expect(view.hasDeleteHorizon()).toBeTrue();
    expect(view.baseTimestamp()).toBe(log.nowMs + DELETE_RETENTION_MS);

    log.append([["b", "1"]]);
    log.roll();
    log.pass(DELETE_RETENTION_MS - 1);
    await log.compact();
    expect(await log.told()).toEqual(["1 a=-", "2 b=1"]);
    log.append([["c", "1"]]);
    log.roll();
    log.pass(1);
    await log.compact();
    expect(await log.told()).toEqual(["2 b=1", "3 c=1"]);
    expect(await log.complaints()).toEqual([]);
  });

  test("takes several runs where the keys do not fit", async () => {
    const log = await logOf([["a", "1"], ["b", "1"], ["c", "1"]], [["a", "2"], ["b", "2"]]);
    const memory = 3 * OFFSET_SLOT_BYTES; // two keys
    const first = await log.compact(memory);
    expect(first?.cleanedUpTo as number).toBe(2);
    expect(await log.told()).toHaveLength(5);
    const second = await log.compact(memory);
    expect(second?.cleanedUpTo as number).toBe(4);
    expect(await log.told()).toEqual(["1 b=1", "2 c=1", "3 a=2", "4 b=2"]);
    await log.compact(memory);
    expect(await log.told()).toEqual(["2 c=1", "3 a=2", "4 b=2"]);
    expect(await log.compact(memory)).toBeUndefined();
  });

  test("sets no delete horizon behind what was mapped", async () => {
    const log = await logOf([["a", "1"]], [["b", "1"]], [["c", null]]);
    await log.compact(3 * OFFSET_SLOT_BYTES);
    const last = new BatchView((await log.batches()).at(-1) as Uint8Array);
    expect(last.hasDeleteHorizon()).toBeFalse();
    await log.compact(3 * OFFSET_SLOT_BYTES);
    const now = new BatchView((await log.batches()).at(-1) as Uint8Array);
    expect(now.hasDeleteHorizon()).toBeTrue();
    expect(now.maxTimestamp()).toBe(last.maxTimestamp());
  });

  test("copies a batch that stays whole byte for byte, and keeps the codec of one that does not", async () => {
    const log = await CompactedLog.open();
    log.append([["a", "1"], ["b", "1"]], { codec: "zstd" });
    log.append([["a", "2"], ["c", "1"]], { codec: "gzip" });
    log.roll();
    const [, whole] = await log.batches();
    await log.compact();
    const [cut, same] = await log.batches();
    expect(same).toEqual(whole);
    expect(new BatchView(cut as Uint8Array).compressionType()).toBe("zstd");
    expect(await shapes(log)).toEqual(["0-1 data 1", "2-3 data 2"]);
    expect(await log.complaints()).toEqual([]);
  });

  test("drops records without a key, and counts them", async () => {
    const log = await CompactedLog.open();
    log.append([["a", "1"], [null, "x"]]);
    log.append([[null, "y"]]);
    log.append([["b", "1"]]);
    log.roll();
    const result = await log.compact();
    expect(result?.keylessDropped).toBe(2);
    expect(await log.told()).toEqual(["0 a=1", "3 b=1"]);
  });

  test("keeps the header of a producer's last batch, and of the last one before the bound", async () => {
    const log = await CompactedLog.open();
    log.append([["a", "1"]], { producerId: 5 });
    log.append([["a", "2"]], { producerId: 5 });
    log.append([["a", "3"]]);
    log.append([["b", "1"]], TRANSACTION);
    log.end(7, false);
    log.roll();
    await log.compact();
    expect(await shapes(log)).toEqual([
      "1-1 data 0",
      "2-2 data 1",
      "3-3 data 0",
      "4-4 control 1",
    ]);
    const held = new BatchView((await log.batches())[0] as Uint8Array);
    expect(held.producerId()).toBe(5);
    expect(held.lastSequence()).toBe(1);
    expect(held.partitionLeaderEpoch()).toBe(3);
    expect(await log.complaints()).toEqual([]);
  });

  test("keeps the last batch before the bound though nothing is left in it", async () => {
    const log = await CompactedLog.open();
    log.append([["a", "1"]]);
    log.append([[null, "x"]]);
    log.roll();
    await log.compact();
    expect(await shapes(log)).toEqual(["0-0 data 1", "1-1 data 0"]);
  });

  test("drops what was aborted at once, and never lets it push out what was committed", async () => {
    const log = await CompactedLog.open();
    log.append([["a", "1"]]);
    log.append([["a", "aborted"], ["b", "aborted"]], TRANSACTION);
    log.end(7, false);
    log.append([["b", "2"]], TRANSACTION);
    log.end(7, true);
    log.roll();
    await log.compact();
    expect(await log.told()).toEqual(["0 a=1", "4 b=2"]);
    const { log: inner } = log.fixture;
    const aborted = await inner.abortedTransactions(toOffset(0), inner.logEndOffset);
    expect(aborted.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset])).toEqual([[
      1,
      3,
    ]]);
  });

  test("keeps a marker while data is there, then until its delete horizon", async () => {
    const log = await CompactedLog.open();
    log.append([["a", "1"]], TRANSACTION);
    log.end(7, true);
    log.append([["b", "1"]], { producerId: 8, isTransactional: true });
    log.end(8, false);
    log.append([["z", "1"]], { producerId: 7 });
    log.append([["z", "2"]], { producerId: 8 });
    log.roll();
    await log.compact();
    const markers = async (): Promise<string[]> =>
      (await shapes(log)).filter((shape) => shape.includes("control"));
    expect(await markers()).toEqual(["1-1 control 1", "3-3 control 1"]);
    log.pass(10 * DELETE_RETENTION_MS);
    soil(log);
    await log.compact(); // the aborted data had gone: from now on its horizon counts
    log.pass(DELETE_RETENTION_MS);
    soil(log);
    await log.compact();
    expect(await markers()).toEqual(["1-1 control 1"]);
    log.append([["a", "2"]]);
    soil(log);
    await log.compact(); // drops the committed data
    soil(log);
    await log.compact(); // finds none of it
    expect(await markers()).toEqual(["1-1 control 1"]);
    log.pass(DELETE_RETENTION_MS);
    soil(log);
    await log.compact();
    expect(await markers()).toEqual([]);
    expect(await log.complaints()).toEqual([]);
  });

  test("keeps the header of a marker by which alone a producer is known", async () => {
    const log = await CompactedLog.open();
    log.end(9, false);
    soil(log);
    await log.compact();
    expect(await shapes(log)).toEqual(["0-0 control 1", "1-1 data 1"]);
    log.pass(DELETE_RETENTION_MS);
    soil(log);
    await log.compact();
    expect(await shapes(log)).toEqual(["0-0 control 0", "2-2 data 1"]);
    const [held] = await log.batches();
    expect(new BatchView(held as Uint8Array).producerId()).toBe(9);
  });

  test("goes no further than a transaction under way", async () => {
    const log = await logOf([["a", "1"]], [["a", "2"]]);
    log.append([["a", "3"]], TRANSACTION);
    log.roll();
    soil(log);
    expect((await log.compact())?.cleanedUpTo as number).toBe(2);
    expect(await log.told()).toEqual(["1 a=2", "2 a=3", "3 soil=s"]);
  });

  test("makes one segment of small neighbours, with the indexes that appending would have made", async () => {
    const log = await CompactedLog.open({ segmentBytes: 2000, indexIntervalBytes: 100 });
    for (let index = 0; index < 12; index++) {
      log.append([[`key${index}`, "a value of some length"], ["same", `${index}`]]);
      if (index % 3 === 2) log.roll();
    }
    await log.compact();
    expect(log.fixture.log.segmentFacts().map(({ baseOffset }) => baseOffset as number))
      .toEqual([0, 24]);
    const read = (kind: string): Uint8Array | undefined =>
      log.disk.readWhole(`${DIRECTORY}/00000000000000000000.${kind}`);
    const made = [read("index"), read("timeindex")];
    expect(made[0]?.length).toBeGreaterThanOrEqual(8 * 5);
    await log.reopenAfter("loss");
    expect([read("index"), read("timeindex")]).toEqual(made);
    expect(await log.complaints()).toEqual([]);
  });

  test("drops nothing of a log with a damaged batch", async () => {
    const log = await logOf([["a", "1"]], [["a", "2"]], [["a", "3"]]);
    const path = `${DIRECTORY}/00000000000000000000.log`;
    const file = log.disk.open(path, "write");
    file.write(file.bytes() - 2, [Uint8Array.of(99)]);
    file.close();
    const before = log.disk.readWhole(path);
    const fault = await log.compact().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(LogFault);
    expect((fault as LogFault).message).toMatch(
      /^Cannot compact .* the batch at byte 140 has another CRC/,
    );
    expect(log.disk.readWhole(path)).toEqual(before);
    expect(log.disk.list(DIRECTORY).filter(({ name }) => name.endsWith(".cleaned"))).toEqual([]);
  });

  test("begins no segment for which there is no room", async () => {
    const log = await logOf([["a", "1"]], [["a", "2"]]);
    log.disk.roomBytes = 100;
    await expect(log.compact()).rejects.toThrow("no room");
    log.disk.roomBytes = 1000;
    await log.compact();
    expect(await log.told()).toEqual(["1 a=2"]);
  });

  test("is given up, with nothing left behind, when the log is closed meanwhile", async () => {
    const log = await logOf([["a", "1"]], [["a", "2"]]);
    const compacting = log.compact();
    log.fixture.log.closeNow();
    expect(await compacting.catch((error: unknown) => error)).toBeInstanceOf(GivenUp);
    expect(log.disk.list(DIRECTORY).filter(({ name }) => name.endsWith(".cleaned"))).toEqual([]);
    expect(log.disk.openCount).toBe(0);
  });
});
