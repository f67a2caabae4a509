/** The hot path in this process: validating a produced batch, and appending it to a log. */
import { join } from "node:path";
import { toLeaderEpoch, toMs, toOffset } from "../../src/ground/numbers.ts";
import { createHostEnv } from "../../src/host/host_env.ts";
import { Prng } from "../../src/ground/prng.ts";
import { Log } from "../../src/log/log.ts";
import { OpenSegments } from "../../src/log/segment/open_segments.ts";
import { ReadChecks } from "../../src/log/reading/read_checks.ts";
import { TailCache } from "../../src/log/reading/tail_cache.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { compressWith, decompressWith } from "../../src/record/compression.ts";
import { validateBatch, type ValidationMode } from "../../src/record/validate.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { medianMs, report } from "./report.ts";

const BATCH_BYTES = 64 * 1024;
const RUNS = 9;
const BATCHES_A_RUN = 2000;
const NOW = 1_700_000_000_000;
const APPENDED_BYTES = 1 << 29;

const env = createHostEnv();
const tools = {
  crc32c: env.crc32c,
  compress: compressWith(env.compressors),
  decompress: decompressWith(env.compressors),
};

function batchOf(valueBytes: number): Uint8Array {
  const builder = new BatchBuilder({ bytesMax: BATCH_BYTES, compressionType: "none" });
  const value = new Uint8Array(valueBytes).fill(0x78);
  while (builder.append({ key: null, value, timestamp: NOW }));
  return builder.finish({}, tools);
}

/** ns per record, with the records walked and with the header alone. */
export async function benchValidate(): Promise<void> {
  for (const valueBytes of [1000, 100]) {
    const batch = batchOf(valueBytes);
    const records = new BatchView(batch).recordCount();
    for (const mode of ["records", "header"] as const) {
      const ms = await medianMs(RUNS, () => validateMany(batch, mode));
      const nanoseconds = ms * 1e6 / (BATCHES_A_RUN * records);
      const gigabytes = batch.length * BATCHES_A_RUN / ms / 1e6;
      const what = `validate ${valueBytes} B records, ${mode}`;
      report(what, "mq", `${nanoseconds.toFixed(1)} ns a record, ${gigabytes.toFixed(2)} GB/s`);
    }
  }
}

function validateMany(batch: Uint8Array, mode: ValidationMode): void {
  const limits = {
    mode,
    bytesMax: 1 << 20,
    inflatedBytesMax: 1 << 24,
    isKeyRequired: false,
    timestampType: "create" as const,
    now: NOW,
    timestampBeforeMaxMs: Infinity,
    timestampAfterMaxMs: Infinity,
  };
  for (let index = 0; index < BATCHES_A_RUN; index++) {
    const facts = validateBatch(batch, limits, tools);
    if (facts.kind !== "valid") throw new Error(`Cannot bench: the batch is ${facts.message}`);
  }
}

/** Batches to the page cache, and what one sync of them costs. */
export async function benchAppend(): Promise<void> {
  using directory = temporaryDirectory();
  const log = await Log.open({
    directory: join(directory.path, "bench-0"),
    settings: {
      segmentBytes: 1 << 30,
      segmentMs: Number.MAX_SAFE_INTEGER,
      segmentJitterMs: 0,
      indexIntervalBytes: 4096,
      segmentIndexBytes: 10 << 20,
    },
    tools: {
      ...tools,
      disk: env.disk,
      trace: env.trace,
      tail: new TailCache({ bytesMax: 32 << 20 }),
      openSegments: new OpenSegments({ countMax: 16 }),
      reads: new ReadChecks({ ...env, intervalMs: 3_600_000 }),
      random: new Prng(1),
    },
    isClean: true,
    recoveryPoint: toOffset(0),
  });
  const batch = batchOf(1000);
  const records = new BatchView(batch).recordCount();
  const count = Math.floor(APPENDED_BYTES / batch.length);
  const start = performance.now();
  for (let index = 0; index < count; index++) appendOne(log, batch, records);
  const ms = performance.now() - start;
  const microseconds = ms * 1000 / count;
  const gigabytes = count * batch.length / ms / 1e6;
  report(
    "append 64 KiB batches",
    "mq",
    `${microseconds.toFixed(1)} µs, ${gigabytes.toFixed(2)} GB/s`,
  );
  const syncStart = performance.now();
  await log.sync();
  report("sync of 512 MiB", "mq", `${(performance.now() - syncStart).toFixed(0)} ms`);
  await log.close();
}

function appendOne(log: Log, source: Uint8Array, records: number): void {
  const batch = source.slice(); // a request's bytes are its own
  new BatchView(batch).setBaseOffset(log.logEndOffset);
  const lastOffset = toOffset(log.logEndOffset + records - 1);
  log.append(batch, { lastOffset, maxTimestamp: NOW, leaderEpoch: toLeaderEpoch(0) }, toMs(NOW));
}
