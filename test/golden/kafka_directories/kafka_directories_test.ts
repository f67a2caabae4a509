import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { textOf } from "../../../src/ground/text.ts";
import { createHostCompressors } from "../../../src/host/compressor.ts";
import { BatchView } from "../../../src/record/batch_view.ts";
import { decompressWith } from "../../../src/record/compression.ts";
import { RecordCursor } from "../../../src/record/record_cursor.ts";
import type { AbortedTransaction } from "../../../src/log/index/transaction_index.ts";
import { DIRECTORY, LogFixture } from "../../log/log_fixture.ts";
import { MemoryDisk } from "../../log/memory_disk.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const TOPICS = ["codecs", "compacted", "transactions", "compacted_transactions"];
const decompress = decompressWith(createHostCompressors());

interface KafkaRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
}

function expected(topic: string, isolation: string): readonly KafkaRecord[] {
  return readFileSync(`${HERE}records.ndjson`, "utf8").trim().split("\n")
    .map((line) => JSON.parse(line) as KafkaRecord & { topic: string; isolation: string })
    .filter((one) => one.topic === topic && one.isolation === isolation)
    .map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value }));
}

function recoveryPointOf(topic: string): number {
  const text = readFileSync(`${HERE}recovery-point-offset-checkpoint`, "utf8");
  return Number(new RegExp(`^${topic} 0 (\\d+)$`, "m").exec(text)?.[1]);
}

function filesOf(topic: string): Map<string, Uint8Array> {
  const folder = `${HERE}${topic}-0`;
  return new Map(
    readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(`${folder}/${name}`))]),
  );
}

function diskOf(files: ReadonlyMap<string, Uint8Array>): MemoryDisk {
  const disk = new MemoryDisk();
  disk.makeDirectory(DIRECTORY);
  for (const [name, bytes] of files) {
    const file = disk.open(`${DIRECTORY}/${name}`, "write");
    file.write(0, [bytes]);
    file.close();
  }
  return disk;
}

/** As a consumer reads it: markers left out, and at `read_committed` what was aborted. */
async function recordsOf(
  fixture: LogFixture,
  isolation: string,
): Promise<readonly KafkaRecord[]> {
  const { log } = fixture;
  const aborted: readonly AbortedTransaction[] = isolation === "read_committed"
    ? await log.abortedTransactions(log.logStartOffset, log.logEndOffset)
    : [];
  const found: KafkaRecord[] = [];
  const cursor = new RecordCursor({ decompress, inflatedBytesMax: 1 << 24 });
  for (const bytes of await fixture.readAll()) {
    const batch = new BatchView(bytes);
    const isAborted = aborted.some((one) =>
      batch.isTransactional() && batch.producerId() === one.producerId &&
      batch.baseOffset() >= one.firstOffset && batch.lastOffset() <= one.lastOffset
    );
    if (batch.isControl() || isAborted) continue;
    cursor.open(batch);
    while (cursor.next()) {
      found.push({
        offset: cursor.offset(),
        timestamp: cursor.timestamp(),
        key: text(cursor.key()),
        value: text(cursor.value()),
      });
    }
    expect(cursor.failure).toBeUndefined();
  }
  return found;
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : textOf(bytes);
}

describe("directories written by Kafka 4.1.1", () => {
  for (const topic of TOPICS) {
    for (const isClean of [true, false]) {
      const how = isClean ? "a clean stop" : "a kill";
      test(`${topic}: after ${how} all is read as Kafka's consumer reads it`, async () => {
        const options = { isClean, recoveryPoint: recoveryPointOf(topic), decompress };
        const fixture = await LogFixture.open({ disk: diskOf(filesOf(topic)), ...options });
        for (const isolation of ["read_uncommitted", "read_committed"]) {
          expect(await recordsOf(fixture, isolation)).toEqual(expected(topic, isolation));
        }
      });
    }
  }

  // What the cleaner of Kafka wrote it wrote in other steps than appending does.
  for (const topic of ["codecs", "transactions"]) {
    test(`${topic}: indexes that are missing are made again as Kafka made them`, async () => {
      const files = filesOf(topic);
      const indexes = [...files].filter(([name]) => name.endsWith("index"));
      const bare = new Map([...files].filter(([name]) => !name.endsWith("index")));
      const disk = diskOf(bare);
      const settings = { indexIntervalBytes: 100 };
      const fixture = await LogFixture.open({ disk, settings, decompress });
      await fixture.readAll();
      await fixture.log.abortedTransactions(fixture.log.logStartOffset, fixture.log.logEndOffset);
      await fixture.log.close();
      for (const [name, bytes] of indexes) {
        expect([name, disk.readWhole(`${DIRECTORY}/${name}`)]).toEqual([name, bytes]);
      }
    });
  }
});
