/**
 * `bun test/bench/restart.ts`: how long a broker's logs take to open, and what an idle one costs.
 *
 *     --partitions N   of the large logs (1000)      --mib N     data of each (10)
 *     --small N        of the small logs (10000)     --dir PATH  where (a new folder under /tmp)
 *     --cold           drops the page cache before each start (root)
 *     --no-snapshots   without producer snapshots between those of the rolls (what they are good for)
 *     --part NAME      large or small only
 *
 * Logs are opened as `LogManager` opens them, sixteen at a time. An unclean stop is what a kill
 * leaves: recovery points written down, 256 KiB of each log behind them, index entries still in
 * memory lost. It is not a test, and not in `npm run bench`: it writes 10 GiB.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { type Offset, toMs, toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { SystemClock } from "../../src/host/clock.ts";
import { loadCrc32c } from "../../src/host/crc32c.ts";
import { createHostDisk } from "../../src/host/disk.ts";
import { Log, type LogTools } from "../../src/log/log.ts";
import { OpenSegments } from "../../src/log/segment/open_segments.ts";
import { ReadChecks } from "../../src/log/reading/read_checks.ts";
import { TailCache } from "../../src/log/reading/tail_cache.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { atMost } from "../../src/runtime/at_most.ts";

const { crc32c } = loadCrc32c();
const CONCURRENT_MAX = 16;
const TAIL_BYTES = 256 * 1024;
/** Appended between two times that recovery points are written down. */
const CHECKPOINT_BYTES = 384 * 1024;
const BATCH_BYTES = 16 * 1024;
const SETTINGS = {
  segmentBytes: 1 << 30,
  segmentMs: 7 * 86_400_000,
  segmentJitterMs: 0,
  indexIntervalBytes: 4096,
  segmentIndexBytes: 10 << 20,
};

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

function text(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

function makeTools(): LogTools {
  const trace = { event: () => {} };
  const clock = new SystemClock();
  return {
    disk: createHostDisk(),
    crc32c,
    decompress: (_, bytes) => bytes,
    trace,
    tail: new TailCache({ bytesMax: 0 }),
    openSegments: new OpenSegments({ countMax: 1024 }),
    reads: new ReadChecks({ clock, crc32c, trace, intervalMs: 3_600_000 }),
    random: new Prng(1),
  };
}

/** A batch of one producer, which is given its offsets and sequences anew each time. */
class Producer {
  readonly #builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType: "none" });
  readonly #producerId: number;
  readonly #recordBytes: number;
  readonly #count: number;
  #sequence = 0;

  constructor(producerId: number, batchBytes: number) {
    this.#producerId = producerId;
    this.#recordBytes = Math.min(1000, batchBytes);
    this.#count = Math.max(1, Math.floor(batchBytes / 1024));
  }

  append(log: Log): void {
    this.#builder.reset();
    const value = new Uint8Array(this.#recordBytes).fill(log.logEndOffset & 255);
    for (let index = 0; index < this.#count; index++) {
      this.#builder.append({ key: null, value, timestamp: 1_700_000_000_000 + log.logEndOffset });
    }
    const bytes = this.#builder.finish({
      producerId: this.#producerId,
      producerEpoch: 0,
      baseSequence: this.#sequence,
      partitionLeaderEpoch: 0,
      baseOffset: log.logEndOffset,
    }, { crc32c, compress: (_, data) => data });
    this.#sequence += this.#count;
    const batch = new BatchView(bytes);
    log.append(bytes, {
      lastOffset: toOffset(batch.lastOffset()),
      maxTimestamp: batch.maxTimestamp(),
      leaderEpoch: 0,
    }, toMs(0));
  }
}

interface Kept {
  readonly directory: string;
  recoveryPoint: Offset;
  logEndOffset: Offset;
}

/** Makes logs and stops as told; what a checkpoint would say of each is returned. */
async function makeLogs(
  root: string,
  what: { readonly count: number; readonly bytes: number; readonly isClean: boolean },
): Promise<Kept[]> {
  const tools = makeTools();
  const kept: Kept[] = [];
  const numbers = Array.from({ length: what.count }, (_, index) => index);
  await atMost(CONCURRENT_MAX, numbers, async (number) => {
    const directory = `${root}/topic-${number}`;
    const log = await openOne(tools, { directory, recoveryPoint: toOffset(0) }, true);
    const producer = new Producer(number, Math.min(BATCH_BYTES, what.bytes));
    const synced = what.bytes - (what.isClean ? 0 : TAIL_BYTES);
    while (log.sizeInBytes() < synced) {
      const upTo = Math.min(log.sizeInBytes() + CHECKPOINT_BYTES, synced);
      while (log.sizeInBytes() < upTo) producer.append(log);
      await log.sync();
      // What the upkeep does when it has written recovery points down.
      const isPaced = log.wantsSnapshot && !process.argv.includes("--no-snapshots");
      if (isPaced) await log.onCheckpoint(log.recoveryPoint);
    }
    const { recoveryPoint } = log;
    while (log.sizeInBytes() < what.bytes) producer.append(log);
    kept.push({ directory, recoveryPoint, logEndOffset: log.logEndOffset });
    if (!what.isClean) log.closeNow();
    else {
      await log.close();
      (kept.at(-1) as Kept).recoveryPoint = log.logEndOffset;
    }
  });
  return kept;
}

async function openOne(
  tools: LogTools,
  { directory, recoveryPoint }: Pick<Kept, "directory" | "recoveryPoint">,
  isClean: boolean,
): Promise<Log> {
  return await Log.open({ directory, settings: SETTINGS, tools, isClean, recoveryPoint });
}

interface Opened {
  readonly logs: readonly Log[];
  readonly ms: number;
}

async function openAll(kept: readonly Kept[], isClean: boolean): Promise<Opened> {
  if (process.argv.includes("--cold")) {
    execFileSync("sync");
    writeFileSync("/proc/sys/vm/drop_caches", "3");
  }
  const tools = makeTools();
  const logs: Log[] = [];
  const began = performance.now();
  await atMost(CONCURRENT_MAX, kept, async (one) => {
    const log = await openOne(tools, one, isClean);
    if (log.logEndOffset !== one.logEndOffset) throw new Error(`${one.directory} lost something`);
    logs.push(log);
  });
  return { logs, ms: performance.now() - began };
}

function print(what: string, value: string): void {
  const load = os.loadavg().map((average) => average.toFixed(1)).join(" ");
  process.stdout.write(`${what.padEnd(52)} ${value.padStart(12)}   load ${load}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function residentBytes(): number {
  const { Bun } = globalThis as { Bun?: { gc(isForced: boolean): void } };
  for (let round = 0; round < 3; round++) Bun?.gc(true);
  const [, pages] = readFileSync("/proc/self/statm", "latin1").split(" ");
  return Number(pages) * 4096;
}

async function large(root: string): Promise<void> {
  const count = option("partitions", 1000);
  const bytes = option("mib", 10) * 1024 * 1024;
  let began = performance.now();
  const kept = await makeLogs(root, { count, bytes, isClean: false });
  const name = `${count} partitions, ${(count * bytes / 2 ** 30).toFixed(1)} GiB`;
  print(`${name}: made`, seconds(performance.now() - began));
  const unclean = await openAll(kept, false);
  print(`${name}: unclean restart`, seconds(unclean.ms));
  began = performance.now();
  await atMost(CONCURRENT_MAX, unclean.logs, async (log) => void await log.sync());
  print(`${name}: and what was found made durable`, seconds(performance.now() - began));
  for (const log of unclean.logs) await log.close();
  for (const one of kept) one.recoveryPoint = one.logEndOffset;
  const clean = await openAll(kept, true);
  print(`${name}: clean restart`, seconds(clean.ms));
  for (const log of clean.logs) log.closeNow();
}

async function small(root: string): Promise<void> {
  const count = option("small", 10_000);
  const kept = await makeLogs(root, { count, bytes: 1024, isClean: true });
  await openAll(kept.slice(0, 100), true); // what is made once
  const before = residentBytes();
  const { logs, ms } = await openAll(kept, true);
  print(`${count} small partitions: clean restart`, seconds(ms));
  const each = (residentBytes() - before) / logs.length;
  print(`${count} small partitions: memory of an idle one`, `${Math.round(each)} B`);
  for (const log of logs) log.closeNow();
}

const root = mkdtempSync(`${text("dir") ?? os.tmpdir()}/mq-restart-`);
try {
  const part = text("part");
  if (part !== "small") await large(`${root}/large`);
  rmSync(`${root}/large`, { recursive: true, force: true });
  if (part !== "large") await small(`${root}/small`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
