/**
 * How fast a log is compacted: megabytes of log for each second of one core.
 *
 *     bun test/bench/compaction.ts [RECORDS] [KEYS] [CODEC]       2,000,000 1,000,000 none
 *
 * Records of 1 kB with keys of 16 bytes in batches of 16, each key at random; the log lies in a temporary
 * directory and is read from the page cache. CPU seconds are those of the whole process, the threads
 * that read and sync included. Records that are drawn twice are what compaction removes.
 */
import process from "node:process";
import { toMs, toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { createHostEnv } from "../../src/host/host_env.ts";
import { compactLog } from "../../src/log/compaction/compaction.ts";
import { CompactionWork } from "../../src/log/compaction/compaction_work.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import {
  type CompressionType,
  compressWith,
  decompressWith,
} from "../../src/record/compression.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { LogFixture } from "../log/log_fixture.ts";

const RECORD_BYTES = 1000;
const KEY_BYTES = 16;
const BATCH_RECORDS = 16;

const [records = 2_000_000, keys = 1_000_000] = process.argv.slice(2, 4).map(Number);
const codec = (process.argv[4] ?? "none") as CompressionType;
const env = createHostEnv();
const tools = {
  disk: env.disk,
  crc32c: env.crc32c,
  compress: compressWith(env.compressors),
  decompress: decompressWith(env.compressors),
};

const temporary = temporaryDirectory();
const directory = temporary.path;
try {
  const fixture = await LogFixture.open({ disk: env.disk, directory: `${directory}/bench-0` });
  fill(fixture);
  await fixture.log.sync();
  await measure(fixture);
  fixture.log.closeNow();
} finally {
  temporary[Symbol.dispose]();
}

function fill(fixture: LogFixture): void {
  const prng = new Prng(1);
  const value = prng.bytes(RECORD_BYTES - KEY_BYTES);
  const key = new Uint8Array(KEY_BYTES);
  const keyView = new DataView(key.buffer);
  for (let offset = 0; offset < records; offset += BATCH_RECORDS) {
    const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType: codec });
    for (let index = 0; index < BATCH_RECORDS; index++) {
      keyView.setUint32(12, prng.below(keys));
      builder.append({ key, value, timestamp: 1_700_000_000_000 + offset });
    }
    const batch = new BatchView(
      builder.finish({ baseOffset: offset, partitionLeaderEpoch: 0 }, tools),
    );
    fixture.log.append(batch.bytes, {
      lastOffset: toOffset(batch.lastOffset()),
      maxTimestamp: batch.maxTimestamp(),
      leaderEpoch: 0,
    }, toMs(0));
  }
  fixture.log.roll();
}

async function measure({ log }: LogFixture): Promise<void> {
  const work = new CompactionWork({
    clock: env.clock,
    pace: { take: () => undefined },
    isWanted: () => true,
  });
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  let longestSliceMs = 0;
  let before = performance.now();
  const ticks = setInterval(() => {
    longestSliceMs = Math.max(longestSliceMs, performance.now() - before - 1);
    before = performance.now();
  }, 1);
  const result = await compactLog(log, {
    firstDirty: toOffset(0),
    firstUncleanable: log.logEndOffset,
    now: Date.now(),
    horizonMs: Date.now() + 86_400_000,
    segmentBytes: 1 << 30,
    segmentIndexBytes: 10 << 20,
    indexIntervalBytes: 4096,
    mapBytesMax: 128 << 20,
    secret: new Uint8Array(16).fill(7),
  }, {
    ...tools,
    inflatedBytesMax: 64 << 20,
    work,
    onReplaced: () => {}, // a broker removes them later
  });
  clearInterval(ticks);
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuSeconds = (user + system) / 1e6;
  const megabytes = result.bytesBefore / 1e6;
  console.log(`codec            ${codec}`);
  console.log(
    `log              ${megabytes.toFixed(0)} MB, ${records} records, ${result.keyCount} keys`,
  );
  console.log(
    `left             ${(result.bytesAfter / 1e6).toFixed(0)} MB, ${result.recordsKept} records`,
  );
  console.log(`wall             ${seconds.toFixed(2)} s, ${(megabytes / seconds).toFixed(0)} MB/s`);
  console.log(
    `CPU              ${cpuSeconds.toFixed(2)} s, ${
      (megabytes / cpuSeconds).toFixed(0)
    } MB/s of one core`,
  );
  console.log(`loop held up for ${longestSliceMs.toFixed(1)} ms at most`);
}
