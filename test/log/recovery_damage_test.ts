import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { LogFault } from "../../src/log/log_fault.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { contents, fullLog, makeDurable, SMALL, stopAt } from "./crash_fixture.ts";
import { DIRECTORY, LogFixture, seedOf } from "./log_fixture.ts";
import type { MemoryDisk } from "./memory_disk.ts";

const ROUNDS = 250;

/** Flips a bit, cuts the end off, zeroes a piece, or takes the file away. */
function damage(disk: MemoryDisk, path: string, random: Prng): string {
  const node = disk.files.get(path);
  if (node === undefined) throw new Error(`no ${path}`);
  const { content } = node;
  const at = random.below(Math.max(content.length, 1));
  const how = random.below(4);
  if (how === 0 && content.length > 0) {
    content[at] = (content[at] as number) ^ (1 << random.below(8));
  } else if (how === 1) node.content = content.slice(0, at);
  else if (how === 2) content.fill(0, at, at + 1 + random.below(300));
  else disk.remove(path);
  return `${["bit flipped", "cut", "zeroed", "removed"][how]} at ${at} of ${content.length}`;
}

/** What a reader gets: batches one by one until the log is refused, each CRC checked. */
async function readable(fixture: LogFixture): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  let offset = fixture.log.logStartOffset as number;
  try {
    while (offset < fixture.log.logEndOffset) {
      const bytes = await fixture.read(offset, { bytesMax: 1 });
      const batch = new BatchView(bytes);
      if (bytes.length === 0 || batch.crc() !== batch.computedCrc(crc32cTables)) break;
      found.push(bytes);
      offset = batch.nextOffset();
    }
  } catch (fault) {
    if (!(fault instanceof LogFault)) throw fault;
  }
  return found;
}

/** Fields of a batch that its CRC does not cover: base offset and leader epoch. */
function withoutUncovered(batch: Uint8Array): string {
  const copy = batch.slice();
  copy.fill(0, 0, 8);
  copy.fill(0, 12, 16);
  return copy.join(" ");
}

async function open(disk: MemoryDisk, how: object): Promise<LogFixture | LogFault> {
  return await LogFixture.open({ disk, settings: SMALL, ...how }).catch((fault: unknown) => {
    if (fault instanceof LogFault) return fault;
    throw fault;
  });
}

describe("Log.open() of a damaged directory", () => {
  test("serves what was durable as it was, or refuses it, and tells how to go on", async () => {
    const random = new Prng(seedOf("Log.open() of a damaged directory"));
    const { clean, killed, batches, logEndOffset, recoveryPoint } = await fullLog();
    let refusals = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const isClean = random.oneIn(2);
      const disk = (isClean ? clean : killed).kill();
      const paths = [...disk.files.keys()].filter((path) => path.startsWith(DIRECTORY));
      const path = paths[random.below(paths.length)] as string;
      const what = `${path} ${damage(disk, path, random)}, clean: ${isClean}`;
      const durableTo = isClean ? logEndOffset : recoveryPoint;
      const opened = await open(disk, { isClean, recoveryPoint: durableTo });
      if (opened instanceof LogFault) {
        refusals++;
        expect(opened.message).toMatch(/mq log verify.*mq log repair/s);
        expect([what, path.endsWith("index") || path.endsWith(".log")]).toEqual([what, true]);
        continue;
      }
      const found = await readable(opened);
      // In order, and without a hole: what is not served is refused.
      const expected = batches.slice(0, found.length).map(withoutUncovered);
      expect([what, found.map(withoutUncovered)]).toEqual([what, expected]);
      // Nothing but the log itself matters to what is read, and it is read up to the damage.
      if (!path.endsWith(".log")) expect([what, found.length]).toEqual([what, batches.length]);
      // After a crash a log that ends soundly is taken as it is: it may have been cut on purpose.
      if (isClean && opened.log.logEndOffset < durableTo) throw new Error(`${what}: ends too soon`);
    }
    expect(refusals).toBeGreaterThan(ROUNDS / 50);
  });

  test("finds out that a closed segment has lost its last batches", async () => {
    const fixture = await LogFixture.open({ settings: SMALL });
    const batches = fixture.appendMany(30); // each later than the one before
    await fixture.log.close();
    const { logEndOffset } = fixture.log;
    const clean = fixture.memoryDisk.kill();
    const logs = [...clean.files.keys()].filter((path) => path.endsWith(".log")).sort();
    let count = 0;
    for (const path of logs.slice(0, -1)) {
      const whole = clean.files.get(path)?.content ?? new Uint8Array(0);
      for (let at = 0; at < whole.length; at += new BatchView(whole, at).sizeInBytes()) {
        const disk = clean.kill();
        const node = disk.files.get(path);
        if (node !== undefined) node.content = whole.slice(0, at);
        const opened = await open(disk, { isClean: true, recoveryPoint: logEndOffset });
        count++;
        if (at === 0) expect(String(opened)).toMatch("its log is not there, or empty");
        if (opened instanceof LogFault) continue;
        await expect(opened.readAll()).rejects.toThrow("its indexes know of");
        const found = await readable(opened);
        expect(found).toEqual(batches.slice(0, found.length));
      }
    }
    expect(count).toBeGreaterThan(20);
  });

  test("finds producers, epochs and aborted transactions whatever file but the log is damaged", async () => {
    const { clean, killed, batches, logEndOffset, recoveryPoint } = await fullLog();
    for (const isClean of [true, false]) {
      const start = isClean ? clean : killed;
      const how = { isClean, recoveryPoint: isClean ? logEndOffset : recoveryPoint };
      const wanted = await known(await open(start.kill(), how));
      expect(wanted.aborted).toHaveLength(4);
      expect(wanted.epochs).toHaveLength(4);
      for (const path of start.files.keys()) {
        if (!path.startsWith(DIRECTORY) || path.endsWith(".log")) continue;
        for (const content of [undefined, "zeros", "half"] as const) {
          const disk = start.kill();
          const node = disk.files.get(path);
          if (node === undefined || node.content.length === 0) continue;
          // A segment without aborted transactions has no file: a lost one cannot be told from that.
          if (content === undefined && path.endsWith("txnindex")) continue;
          if (content === undefined) disk.remove(path);
          else if (content === "zeros") node.content.fill(0);
          else node.content = node.content.slice(0, node.content.length / 2 + 1);
          const found = await known(await open(disk, how));
          expect([path, content, found]).toEqual([path, content, wanted]);
        }
      }
    }
    expect(batches.length).toBe(32);
  });

  async function known(opened: LogFixture | LogFault): Promise<{
    readonly aborted: unknown;
    readonly epochs: unknown;
    readonly producers: unknown;
  }> {
    if (opened instanceof LogFault) throw opened;
    const { log } = opened;
    const aborted = await log.abortedTransactions(toOffset(0), log.logEndOffset);
    const producers = [...log.producers.entries()].map((entry) => {
      const { producerId, producerEpoch, currentTxnFirstOffset, coordinatorEpoch } = entry;
      const last = entry.batches.at(-1)?.lastSequence;
      return { producerId, producerEpoch, currentTxnFirstOffset, coordinatorEpoch, last };
    });
    producers.sort((left, right) => left.producerId - right.producerId);
    return { aborted, epochs: log.epochs.entries(), producers };
  }
});

describe("a start that crashes", () => {
  for (const after of ["crash", "kill"] as const) {
    test(`at any call is made good by the next one (${after})`, async () => {
      const { killed, recoveryPoint, batches } = await fullLog();
      // A torn tail, lost indexes and a bad snapshot: all that there is to do.
      const log = [...killed.files.keys()].filter((path) => path.endsWith(".log")).at(-1) as string;
      const torn = killed.files.get(log);
      if (torn === undefined) throw new Error("a log");
      torn.content = torn.content.slice(0, -3);
      killed.remove(`${DIRECTORY}/00000000000000000000.index`);
      makeDurable(killed);
      const how = { recoveryPoint };
      const wanted = killed.kill();
      const sound = await open(wanted, how) as LogFixture;
      expect(await sound.readAll()).toEqual(batches.slice(0, -1));
      for (let count = 1;; count++) {
        let disk = killed.kill();
        stopAt(disk, count);
        const error = await LogFixture.open({ disk, settings: SMALL, ...how })
          .then(() => {}, (fault: unknown) => fault);
        if (error === undefined) break;
        disk = disk[after]();
        const opened = await open(disk, how) as LogFixture;
        expect(await opened.readAll()).toEqual(batches.slice(0, -1));
        expect(Object.keys(contents(disk))).toEqual(Object.keys(contents(wanted)));
      }
    });
  }
});
