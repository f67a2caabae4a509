/**
 * Has mq compact the first directory and compares it with the second, which Kafka has compacted.
 *
 *     bun test/golden/compact_and_compare.ts MQ_DIRECTORY KAFKA_DIRECTORY       (compact_with_kafka.sh)
 */
import process from "node:process";
import { toOffset } from "../../src/ground/numbers.ts";
import { createHostEnv } from "../../src/host/host_env.ts";
import { decodeCheckpoint } from "../../src/log/checkpoint_file.ts";
import { compactLog } from "../../src/log/compaction/compaction.ts";
import { CompactionWork } from "../../src/log/compaction/compaction_work.ts";
import { measureLog } from "../../src/log/compaction/dirty_log.ts";
import { compressWith, decompressWith } from "../../src/record/compression.ts";
import { BatchWalk } from "../../src/record/batch_walk.ts";
import { LogFixture } from "../log/log_fixture.ts";
import { hexOf, linesOf } from "../record/batches.ts";

const DELETE_RETENTION_MS = 100;
const SEGMENT_BYTES = 1 << 20;

const [ours = "", theirs = ""] = process.argv.slice(2);
const { disk, crc32c, compressors, crypto, clock } = createHostEnv();
const decompress = decompressWith(compressors);

await compact();
const [mq, kafka] = [contentOf(ours), contentOf(theirs)];
for (const [what, lines] of Object.entries(kafka)) {
  const found = mq[what] ?? [];
  const missing = lines.filter((line) => !found.includes(line));
  const surplus = found.filter((line) => !lines.includes(line));
  console.log(`${what}: ${lines.length} of Kafka, ${found.length} of mq`);
  if (missing.length + surplus.length === 0) continue;
  console.log(`FAIL only Kafka has ${missing.slice(0, 3)}; only mq has ${surplus.slice(0, 3)}`);
  process.exitCode = 1;
}

async function compact(): Promise<void> {
  const path = `${ours}/cleaner-offset-checkpoint`;
  const [entry] = decodeCheckpoint(disk.readWhole(path) ?? new Uint8Array(0)) ?? [];
  disk.remove(path);
  const settings = { segmentBytes: SEGMENT_BYTES };
  const fixture = await LogFixture.open({ disk, directory: ours, decompress, settings });
  const { log } = fixture;
  const now = clock.wallMs();
  const known = {
    highWatermark: log.logEndOffset,
    checkpoint: toOffset(entry?.offset ?? 0),
  };
  const lags = { minCleanableDirtyRatio: 0.01, minCompactionLagMs: 0, maxCompactionLagMs: 2 ** 53 };
  const dirty = await measureLog(log, known, lags, now);
  if (dirty === undefined) throw new Error("nothing is dirty");
  await compactLog(log, {
    ...dirty,
    now,
    horizonMs: now + DELETE_RETENTION_MS,
    segmentBytes: SEGMENT_BYTES,
    segmentIndexBytes: 10 << 20,
    indexIntervalBytes: 4096,
    mapBytesMax: 128 << 20,
    secret: crypto.randomBytes(16),
  }, {
    disk,
    crc32c,
    compress: compressWith(compressors),
    decompress,
    inflatedBytesMax: 64 << 20,
    work: new CompactionWork({
      clock,
      pace: { take: () => undefined },
      isWanted: () => true,
    }),
    onReplaced: (paths) => paths.forEach((each) => disk.remove(each)),
  });
  await log.close();
}

function contentOf(directory: string): Record<string, string[]> {
  const records: string[] = [];
  /** With records: mq also keeps empty ones where a segment ends, Kafka where a producer does. */
  const batches: string[] = [];
  const names = disk.list(directory).map(({ name }) => name);
  const segments = names.filter((name) => /^\d{20}\.log$/.test(name));
  for (const name of segments) {
    const walk = new BatchWalk(disk.readWhole(`${directory}/${name}`) as Uint8Array);
    while (walk.next()) {
      const { batch } = walk;
      const at = batch.position();
      if (batch.recordCount() > 0) {
        batches.push([
          batch.baseOffset(),
          batch.lastOffset(),
          batch.partitionLeaderEpoch(),
          batch.attributes(),
          batch.maxTimestamp(),
          batch.producerId(),
          batch.producerEpoch(),
          batch.baseSequence(),
          batch.recordCount(),
        ].join(" "));
      }
      records.push(...linesOf(batch.bytes.slice(at, at + batch.sizeInBytes())));
    }
    if (walk.ending() !== "clean") throw new Error(`${name} ends ${walk.ending()}`);
  }
  const transactions = names
    .filter((name) => segments.includes(name.replace(/\.txnindex$/, ".log")))
    .filter((name) => name.endsWith(".txnindex"))
    .map((name) => `${name} ${hexOf(disk.readWhole(`${directory}/${name}`) ?? null)}`)
    .filter((line) => !line.endsWith(" x")); // Kafka has a file even where there is nothing
  return { records, batches, segments, "transaction indexes": transactions };
}
