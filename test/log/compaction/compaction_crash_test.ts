/** One compaction, stopped at every single call of the disk: the log is the old one or the new one. */
import { describe, expect, test } from "bun:test";
import { BatchView } from "../../../src/record/batch_view.ts";
import { DIRECTORY } from "../log_fixture.ts";
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

/** As Kafka's cleaner leaves a log: no batch says where its segments end. */
async function gappedLog(): Promise<CompactedLog> {
  const log = await CompactedLog.open({ segmentMs: 100, segmentBytes: 700 });
  for (let round = 0; round < 8; round++) {
    log.append([["a", `a${round}`], ["b", round < 6 ? `b${round}` : null]], { gap: 5 });
    if (round % 3 === 0) log.append([[`c${round}`, "c"]]);
    log.pass(1000); // the next batch begins a segment, at its own offset
  }
  await log.fixture.log.sync();
  return log;
}

/** Offsets that no batch has, before segments that are not the first. */
async function gaps(log: CompactedLog): Promise<number> {
  const bases = new Set<number>(log.fixture.log.segmentFacts().map((each) => each.baseOffset));
  let [end, count] = [0, 0];
  for (const bytes of await log.batches()) {
    const batch = new BatchView(bytes);
    if (end > 0 && batch.baseOffset() > end && bases.has(batch.baseOffset())) count++;
    end = batch.nextOffset();
  }
  return count;
}

async function told(log: CompactedLog): Promise<string> {
  return (await log.told()).join("\n");
}

test("compactLog() leaves no gap at the end of what it writes", async () => {
  const log = await gappedLog();
  expect(await gaps(log)).toBe(7);
  await log.compact();
  expect(await gaps(log)).toBe(0);
  expect(await log.complaints()).toEqual([]);
  const files = (): string[] =>
    log.disk.list(DIRECTORY).map((each) => `${each.name} ${each.bytes}`);
  log.cleanedUpTo = 0;
  await log.compact(); // small segments are joined
  const joined = files();
  log.cleanedUpTo = 0;
  await log.compact(); // and what was written for that stays as it is
  expect(files()).toEqual(joined);
});

describe("compactLog() stopped at every call of the disk", () => {
  for (
    const [stop, kind, make] of [
      ["crash", "a log", dirtyLog],
      ["kill", "a log", dirtyLog],
      ["crash", "a log with gaps", gappedLog],
    ] as const
  ) {
    test(`by a ${stop} leaves each group of ${kind} old or new`, async () => {
      const whole = await make();
      const before = await told(whole);
      const first = whole.disk.callCount;
      await whole.compact();
      const calls = whole.disk.callCount - first;
      const after = await told(whole);
      expect(calls).toBeGreaterThan(40);
      const seen = new Set<string>();
      for (let call = 1; call <= calls; call++) {
        const log = await make();
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
