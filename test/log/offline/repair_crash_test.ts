import { describe, expect, test } from "bun:test";
import { Prng } from "../../../src/ground/prng.ts";
import { areEqual, DamagedLog, damageOf, DIRECTORY } from "./damaged_log.ts";
import type { MemoryDisk } from "../memory_disk.ts";

class Stopped extends Error {}

/** Ends the program at the call after so many that change the disk. */
function stopAfter(disk: MemoryDisk, calls: number): void {
  const note = disk.note.bind(disk);
  let left = calls;
  disk.note = (call, path): void => {
    if (call !== "read" && call !== "open" && left-- <= 0) throw new Stopped();
    note(call, path);
  };
}

/** Damage of every kind that a repair takes steps about. */
async function hurtLog(): Promise<DamagedLog> {
  const setting = { segmentBytes: 4000, batches: 70, isClean: true };
  const log = await DamagedLog.make(new Prng(8), setting);
  const [first, , third] = log.names(".log") as [string, string, string];
  log.zero(first, 700, 300);
  log.flip(third, 900, 4);
  log.truncate(log.names(".log").at(-1) as string, 50);
  log.flip(log.names(".index")[1] as string, 5, 1);
  log.flip(log.names(".snapshot").at(-1) as string, 9, 1);
  const epoch = log.batches.filter(({ file }) => file === log.names(".log")[1])[3];
  log.flip(epoch?.file as string, (epoch?.position as number) + 13, 1);
  await log.settle();
  return log;
}

function holds(disk: MemoryDisk, wanted: Uint8Array): boolean {
  for (const [path, { content }] of disk.files) {
    if (!path.startsWith(DIRECTORY)) continue;
    for (let at = content.indexOf(wanted[0] as number); at >= 0;) {
      if (areEqual(content.subarray(at, at + wanted.length), wanted)) return true;
      at = content.indexOf(wanted[0] as number, at + 1);
    }
  }
  return false;
}

describe("executeRepair()", () => {
  test("stopped at any call it loses nothing, and a second repair ends the work", async () => {
    let stops = 0;
    let isStopped = true;
    for (let calls = 0; isStopped; calls++) {
      const log = await hurtLog();
      const untouched = log.untouched();
      const plan = (await log.repair(false)).plans[0];
      const taken = (plan?.steps ?? []).flatMap((step) =>
        step.kind === "cut"
          ? step.cuts.map(({ position, sizeInBytes }) =>
            log.bytes(step.name).slice(position, position + sizeInBytes)
          )
          : []
      );
      expect(taken.length).toBeGreaterThan(2);
      stopAfter(log.disk, calls);
      isStopped = await log.repair(true).then(() => false, (error) => {
        if (!(error instanceof Stopped)) throw error;
        return true;
      });
      stops++;
      for (const disk of [log.disk.crash(), log.disk.kill()]) {
        const again = log.on(disk);
        const note = `stopped after ${calls} calls`;
        await again.repair(true);
        expect(damageOf((await again.verify()).findings), note).toEqual([]);
        for (const bytes of taken) expect(holds(disk, bytes), note).toBeTrue();
        const opened = await again.open();
        expect(opened.log.logEndOffset, note).toBeGreaterThanOrEqual(log.endOffset);
        const served = await opened.readAll();
        for (const batch of untouched) {
          expect(served.some((bytes) => areEqual(bytes, batch.bytes)), note).toBeTrue();
        }
      }
    }
    expect(stops).toBeGreaterThan(20);
  });
});
