import { describe, expect, test } from "bun:test";
import { type Offset, toOffset } from "../../../src/ground/numbers.ts";
import { measureLog } from "../../../src/log/compaction/dirty_log.ts";
import { CompactedLog } from "./compacted_log.ts";

async function logOf(...keys: readonly string[]): Promise<CompactedLog> {
  const log = await CompactedLog.open();
  log.append(keys.map((key) => [key, "1"] as const));
  log.roll();
  return log;
}

describe("measureLog()", () => {
  const known = (log: CompactedLog): { highWatermark: Offset; checkpoint: Offset } => ({
    highWatermark: log.fixture.log.logEndOffset,
    checkpoint: toOffset(0),
  });
  const LAGS = { minCleanableDirtyRatio: 0.5, minCompactionLagMs: 0, maxCompactionLagMs: 2 ** 53 };

  test("leaves out what is younger than min.compaction.lag.ms", async () => {
    const log = await logOf("a");
    log.pass(1000);
    log.append([["a", "2"]]);
    log.roll();
    const lags = { ...LAGS, minCompactionLagMs: 500 };
    const dirty = await measureLog(log.fixture.log, known(log), lags, log.nowMs);
    expect(dirty?.firstUncleanable as number).toBe(1);
    const later = await measureLog(log.fixture.log, known(log), lags, log.nowMs + 1000);
    expect(later?.firstUncleanable as number).toBe(2);
  });

  test("is overdue where a segment began before max.compaction.lag.ms", async () => {
    const log = await logOf("a");
    const lags = { ...LAGS, maxCompactionLagMs: 500 };
    const at = async (now: number): Promise<boolean | undefined> =>
      (await measureLog(log.fixture.log, known(log), lags, now))?.isOverdue;
    expect(await at(log.nowMs + 400)).toBeFalse();
    expect(await at(log.nowMs + 600)).toBeTrue();
  });

  test("goes no further than the high watermark", async () => {
    const log = await logOf("a");
    log.append([["soil", "s"]]);
    log.roll();
    const low = { highWatermark: toOffset(1), checkpoint: toOffset(0) };
    const dirty = await measureLog(log.fixture.log, low, LAGS, log.nowMs);
    expect(dirty?.firstUncleanable as number).toBe(1);
  });

  test("finds nothing dirty where a part of the last segment is clean and none can be cleaned", async () => {
    const log = await logOf("a", "b");
    const half = { highWatermark: toOffset(1), checkpoint: toOffset(1) };
    const dirty = await measureLog(log.fixture.log, half, LAGS, log.nowMs);
    expect(dirty?.dirt.cleanableBytes).toBe(0);
  });
});
