/** One compaction, stopped at every single call of the disk: the log is the old one or the new one. */
import { describe, expect, test } from "bun:test";
import { CompactedLog } from "./compacted_log.ts";

/** A log of several segments with all that compaction knows, to be cleaned in more than one group. */
async function dirtyLog(): Promise<CompactedLog> {
  const log = await CompactedLog.open({ segmentBytes: 700, indexIntervalBytes: 100 });
  for (let round = 0; round < 6; round++) {
    log.append([["a", `a${round}`], ["b", round === 3 ? null : "b"], [`c${round}`, "c"]]);
    log.append([["a", "x"], [`d${round}`, "y"]], { producerId: 1, codec: "gzip" });
    log.append([["a", "aborted"]], { producerId: 2, isTransactional: true });
    log.end(2, round === 4);
    if (round % 2 === 1) log.roll();
  }
  await log.fixture.log.sync();
  return log;
}

async function told(log: CompactedLog): Promise<string> {
  return (await log.told()).join("\n");
}

describe("compactLog() stopped at every call of the disk", () => {
  for (const stop of ["crash", "kill"] as const) {
    test(`by a ${stop} leaves each group old or new`, async () => {
      const whole = await dirtyLog();
      const before = await told(whole);
      const first = whole.disk.callCount;
      await whole.compact();
      const calls = whole.disk.callCount - first;
      const after = await told(whole);
      expect(calls).toBeGreaterThan(40);
      const seen = new Set<string>();
      for (let call = 1; call <= calls; call++) {
        const log = await dirtyLog();
        log.disk.stopAt = log.disk.callCount + call;
        await expect(log.compact()).rejects.toThrow();
        log.fixture.log.closeNow();
        await log.reopenAfter(stop);
        expect(await log.complaints()).toEqual([]);
        seen.add(await told(log));
        await log.compact();
        expect(await told(log)).toBe(after);
        expect(await log.complaints()).toEqual([]);
      }
      expect(seen.has(before)).toBeTrue();
      expect(seen.has(after)).toBeTrue();
    });
  }
});
