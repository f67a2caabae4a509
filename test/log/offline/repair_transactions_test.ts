/** A repaired log goes on hiding what was aborted, from whoever reads committed records only. */
import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { BatchView } from "../../../src/record/batch_view.ts";
import { DamagedLog } from "./damaged_log.ts";

interface Aborted {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

function makeLog(seed: number, isClean: boolean): Promise<DamagedLog> {
  return DamagedLog.make(new Prng(seed), { segmentBytes: 4000, batches: 120, isClean });
}

async function abortedIn(log: DamagedLog): Promise<readonly Aborted[]> {
  const { log: opened } = await log.open();
  return await opened.abortedTransactions(toOffset(0), toOffset(log.endOffset));
}

describe("repairLogs() and aborted transactions", () => {
  for (const isClean of [true, false]) {
    const stop = isClean ? "clean" : "unclean";
    test(`a segment that is cut keeps its transaction index, ${stop}`, async () => {
      for (let seed = 1; seed <= 8; seed++) {
        const before = await abortedIn(await makeLog(seed, isClean));
        const log = await makeLog(seed, isClean);
        const batch = log.batches.slice(3).find(({ bytes }) => !new BatchView(bytes).isControl());
        log.flip(batch?.file as string, (batch?.position as number) + 70, 1);
        await log.repair(true);
        expect((await log.repair(false)).plans, `seed ${seed}`).toEqual([]);
        expect(await abortedIn(log), `seed ${seed}`).toEqual(before);
      }
    });

    test(`a wrong or missing transaction index is written anew, ${stop}`, async () => {
      let count = 0;
      for (let seed = 1; seed <= 8; seed++) {
        const log = await makeLog(seed, isClean);
        const before = await abortedIn(await makeLog(seed, isClean));
        for (const [at, name] of log.names(".txnindex").entries()) {
          count++;
          if (at % 3 === 0) log.remove(name);
          else if (at % 3 === 1) log.truncate(name, log.bytes(name).length - 1);
          else log.flip(name, 9, 1);
        }
        await log.repair(true);
        const warnings = (await log.verify()).findings.filter(({ severity }) =>
          severity !== "info"
        );
        expect(warnings, `seed ${seed}`).toEqual([]);
        expect(await abortedIn(log), `seed ${seed}`).toEqual(before);
      }
      expect(count).toBeGreaterThan(8);
    });
  }
});
