/** A log that has lost its tail goes on where it ended: nobody gets other records at offsets read before. */
import { describe, expect, test } from "bun:test";
import { Prng } from "../../../src/ground/prng.ts";
import { DamagedLog, damageOf, DIRECTORY, ROOT, write } from "./damaged_log.ts";

const CHECKPOINT = `${ROOT}/recovery-point-offset-checkpoint`;

function makeLog(isClean: boolean): Promise<DamagedLog> {
  return DamagedLog.make(new Prng(21), { segmentBytes: 4000, batches: 60, isClean });
}

/** The last segment ends in the middle of its batches, at the end of one or within it; where that is. */
function cutTail(log: DamagedLog, extraBytes: number): number {
  const name = log.names(".log").at(-1) as string;
  const batches = log.batches.filter(({ file }) => file === name);
  const kept = batches[Math.floor(batches.length / 2)];
  log.truncate(name, (kept?.position as number) + (kept?.bytes.length as number) + extraBytes);
  return kept?.nextOffset as number;
}

/** Repaired, sound, opened, and with a batch more at its end. */
async function expectGoesOn(log: DamagedLog, note: string): Promise<void> {
  await log.repair(true);
  expect(damageOf((await log.verify()).findings), note).toEqual([]);
  expect((await log.repair(false)).plans, note).toEqual([]);
  const opened = await log.open();
  expect(opened.log.logEndOffset, note).toBe(log.endOffset);
  opened.append({ timestamps: [5000] });
  await opened.log.close();
  // The broker's next stop and start: cleanly, and by a crash.
  const point = `0\n1\norders 0 ${log.endOffset + 1}\n`;
  write(log.disk, CHECKPOINT, point);
  for (const isClean of [true, false]) {
    if (isClean) write(log.disk, `${ROOT}/.cleanshutdown`, "{}");
    else log.disk.remove(`${ROOT}/.cleanshutdown`);
    expect((await log.verify()).findings.filter(({ severity }) => severity !== "info"), note)
      .toEqual([]);
    expect((await log.open()).log.logEndOffset, note).toBe(log.endOffset + 1);
  }
}

describe("repairLogs() of a log that has lost its tail", () => {
  for (const isClean of [true, false]) {
    const stop = isClean ? "clean" : "unclean";
    for (const extraBytes of [0, 30]) {
      test(`goes on at the old end, ${stop}, ${extraBytes} bytes of a batch left`, async () => {
        const log = await makeLog(isClean);
        const end = cutTail(log, extraBytes);
        const [plan] = (await log.repair(false)).plans;
        expect(plan?.lost).toEqual([{ from: end, until: log.endOffset }]);
        expect([plan?.report.endOffset, plan?.report.resumeOffset]).toEqual([end, log.endOffset]);
        await expectGoesOn(log, stop);
        const checkpoint = new TextDecoder().decode(log.disk.readWhole(CHECKPOINT));
        expect(checkpoint).toContain(`orders 0 ${log.endOffset + 1}`);
      });
    }

    test(`goes on at the old end where whole segments are gone, ${stop}`, async () => {
      const log = await makeLog(isClean);
      for (const name of log.names(".log").slice(1)) log.remove(name);
      await expectGoesOn(log, stop);
    });

    test(`goes on at the old end where no segment is left, ${stop}`, async () => {
      const log = await makeLog(isClean);
      for (const name of log.names(".log")) log.remove(name);
      const [plan] = (await log.repair(false)).plans;
      expect(plan?.lost).toEqual([{ from: 0, until: log.endOffset }]);
      await expectGoesOn(log, stop);
    });
  }

  test("does so where the checkpoint knows less than a snapshot of the clean stop", async () => {
    const log = await makeLog(true);
    cutTail(log, 0);
    write(log.disk, CHECKPOINT, "0\n1\norders 0 3\n");
    await expectGoesOn(log, "old checkpoint");
    const other = await makeLog(true);
    cutTail(other, 0);
    write(other.disk, CHECKPOINT, "0\n1\nothers 0 3\n");
    const steps = (await other.repair(false)).plans[0]?.steps.map(({ kind }) => kind);
    expect(steps).toContain("raise-recovery-point");
    await expectGoesOn(other, "no entry in the checkpoint");
  });

  test("keeps batches behind a gap that a start after a crash would take for the end", async () => {
    const log = await makeLog(false);
    write(log.disk, CHECKPOINT, "0\n1\norders 0 5\n");
    log.remove(log.names(".log")[1] as string);
    await log.repair(true);
    expect((await log.open()).log.logEndOffset).toBe(log.endOffset);
  });

  test("does not give out less where a crash left a torn tail only", async () => {
    const log = await makeLog(false);
    const end = cutTail(log, 30);
    write(log.disk, CHECKPOINT, `0\n1\norders 0 ${end}\n`);
    const [plan] = (await log.repair(false)).plans;
    expect(plan?.steps.map(({ kind }) => kind)).not.toContain("go-on");
    await log.repair(true);
    expect((await log.open()).log.logEndOffset).toBe(end);
    expect(log.disk.list(DIRECTORY).some(({ name }) => name.includes(String(log.endOffset))))
      .toBeFalse();
  });
});
