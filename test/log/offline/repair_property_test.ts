import { describe, expect, test } from "bun:test";
import { Prng } from "../../../src/ground/prng.ts";
import { BatchView } from "../../../src/record/batch_view.ts";
import { seedOf } from "../log_fixture.ts";
import { areEqual, DamagedLog, damageOf } from "./damaged_log.ts";

const ROUNDS = 80;

/** One or two things that disks and people do to files. */
function hurt(log: DamagedLog, random: Prng): string {
  const kind = random.below(8);
  const pick = (names: readonly string[]): string => names[random.below(names.length)] as string;
  if (kind === 7) {
    const name = pick([
      ...log.names("index"),
      ...log.names(".snapshot"),
      "leader-epoch-checkpoint",
      "partition.metadata",
    ]);
    const size = log.bytes(name).length;
    if (size === 0 || random.below(3) === 0) {
      log.remove(name);
      return `remove ${name}`;
    }
    const byte = random.below(size);
    log.flip(name, byte, 1 << random.below(8));
    return `flip ${name} ${byte}`;
  }
  const name = pick(log.names(".log"));
  const size = log.bytes(name).length;
  if (kind === 6) {
    log.remove(name);
    return `remove ${name}`;
  }
  if (size === 0) return "nothing";
  const at = random.below(size);
  if (kind <= 2) {
    const header = log.batches.filter(({ file }) => file === name);
    const batch = header[random.below(header.length)];
    const byte = kind === 0 && batch !== undefined ? batch.position + random.below(61) : at;
    if (byte >= size) return "nothing";
    log.flip(name, byte, 1 << random.below(8));
    return `flip ${name} ${byte}`;
  }
  if (kind <= 4) {
    const count = 1 + random.below(1500);
    log.zero(name, at, count);
    return `zero ${name} ${at} ${count}`;
  }
  log.truncate(name, at);
  return `truncate ${name} ${at}`;
}

interface Span {
  readonly from: number;
  readonly until: number;
}

function isIn(spans: readonly Span[], offset: number): boolean {
  return spans.some(({ from, until }) => offset >= from && offset < until);
}

async function checkRound(seed: number): Promise<void> {
  const random = new Prng(seed);
  const isClean = random.below(2) === 0;
  const log = await DamagedLog.make(random, { segmentBytes: 4000, batches: 60, isClean });
  const done = [hurt(log, random)];
  if (random.below(3) === 0) done.push(hurt(log, random));
  const note = `seed ${seed}: ${done.join(", ")}`;
  const untouched = log.untouched();
  const before = await log.verify();
  const isHurt = untouched.length < log.batches.length;
  if (isHurt) expect(before.findings.length, note).toBeGreaterThan(0);

  const planned = await log.repair(false);
  const lost = planned.plans.flatMap((plan) => plan.lost);
  const repaired = await log.repair(true);
  expect(repaired.plans.map(({ steps }) => steps), note)
    .toEqual(planned.plans.map(({ steps }) => steps));
  const after = await log.verify();
  expect(damageOf(after.findings), note).toEqual([]);
  expect((await log.repair(false)).plans, `${note}: a second repair has nothing to do`).toEqual([]);

  const opened = await log.open();
  expect(opened.log.logEndOffset, `${note}: no offset is given out twice`)
    .toBeGreaterThanOrEqual(log.endOffset);
  const served = await opened.readAll();
  for (const batch of untouched) {
    const isServed = served.some((bytes) => areEqual(bytes, batch.bytes));
    expect(isServed, `${note}: offset ${batch.baseOffset} is served as it was`).toBeTrue();
    expect(isIn(lost, batch.baseOffset), `${note}: offset ${batch.baseOffset} is not lost`)
      .toBeFalse();
  }
  for (const bytes of served) {
    if (untouched.some((batch) => areEqual(batch.bytes, bytes))) continue;
    // Base offset and leader epoch lie outside the CRC: something else must have told of it.
    const view = new BatchView(bytes);
    expect(before.findings.length, `${note}: ${view.baseOffset()} was told of`).toBeGreaterThan(0);
    const same = log.batches.some((batch) =>
      areEqual(batch.bytes.subarray(16), bytes.subarray(16))
    );
    expect(same, `${note}: ${view.baseOffset()} has the content of a batch`).toBeTrue();
  }
  for (const batch of log.batches) {
    const isServed = served.some((bytes) => areEqual(bytes.subarray(16), batch.bytes.subarray(16)));
    if (isServed) continue;
    // Cut short between two batches, with no index entry behind, it looks as compaction leaves it.
    const isGap = before.findings.some(({ code, offsets }) =>
      code === "offset-gap" && offsets !== undefined && isIn([offsets], batch.baseOffset)
    );
    if (isGap) continue;
    expect(isIn(lost, batch.baseOffset), `${note}: ${batch.baseOffset} is said to be lost`)
      .toBeTrue();
  }
}

describe("repairLogs()", () => {
  test("a damaged log serves every undamaged batch, and misses what the plan says", async () => {
    const first = seedOf("repair property");
    for (let round = 0; round < ROUNDS; round++) await checkRound(first * 1000 + round);
  });

  test("a sound log has no findings but what was left aside, and no plan", async () => {
    for (const isClean of [true, false]) {
      const log = await DamagedLog.make(new Prng(5), { segmentBytes: 3000, batches: 80, isClean });
      expect((await log.verify()).findings).toEqual([]);
      expect((await log.repair(false)).plans).toEqual([]);
    }
  });
});
