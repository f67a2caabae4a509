import { beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { textOf } from "../../src/ground/text.ts";
import { decodeIdentity } from "../../src/log/directory/directory_identity.ts";
import { decodePartitionMetadata } from "../../src/log/directory/partition_folder.ts";
import { encodeProducerSnapshot } from "../../src/log/producers/producer_snapshot.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import type { Decompress } from "../../src/record/compression.ts";
import { RecordCursor } from "../../src/record/record_cursor.ts";
import { DIRECTORY, LogFixture } from "./log_fixture.ts";
import { MemoryDisk } from "./memory_disk.ts";

const GOLDEN = fileURLToPath(new URL("../golden/kafka_segment", import.meta.url));
const SETTINGS = { indexIntervalBytes: 200, segmentMs: 6000 };
const BASES = ["00000000000000000000", "00000000000000000040"];

const decompress: Decompress = (compressionType, bytes) => {
  return compressionType === "gzip" ? new Uint8Array(gunzipSync(bytes)) : bytes;
};

let disk = new MemoryDisk();

function golden(name: string): Uint8Array {
  return new Uint8Array(readFileSync(`${GOLDEN}/${name}`));
}

beforeEach(() => {
  disk = new MemoryDisk();
  disk.makeDirectory(DIRECTORY);
  for (const name of readdirSync(GOLDEN)) {
    if (name === "README.md" || name === "meta.properties") continue;
    const file = disk.open(`${DIRECTORY}/${name}`, "write");
    file.write(0, [golden(name)]);
    file.close();
  }
});

function values(batches: readonly Uint8Array[]): string[] {
  const cursor = new RecordCursor({ decompress, inflatedBytesMax: 1 << 20 });
  const found: string[] = [];
  for (const batch of batches) {
    cursor.open(new BatchView(batch));
    while (cursor.next()) found.push(textOf(cursor.value() ?? new Uint8Array(0)));
    expect(cursor.failure).toBeUndefined();
  }
  return found;
}

const EXPECTED = Array.from({ length: 80 }, (_, index) => {
  const number = String(index % 40 + 1).padStart(4, "0");
  return `${index < 40 ? "first" : "second"}-${number}`;
});

describe("a partition written by Kafka 4.1.1", () => {
  for (const isClean of [true, false]) {
    test(`is opened and read after ${isClean ? "a clean stop" : "a kill"}`, async () => {
      const fixture = await LogFixture.open({ disk, isClean, settings: SETTINGS, decompress });
      expect(fixture.log.logEndOffset).toBe(toOffset(80));
      expect(fixture.log.segmentCount()).toBe(2);
      expect(values(await fixture.readAll())).toEqual(EXPECTED);
      expect(values(await fixture.readAll(200))).toEqual(EXPECTED);
      expect(fixture.log.epochs.entries()).toEqual([{ leaderEpoch: 0, startOffset: 0 }]);
      expect(fixture.log.producers.count).toBe(2);
      expect(fixture.events).toEqual([]);
    });
  }

  test("gets the same indexes and snapshots from us, byte for byte", async () => {
    for (const base of BASES) {
      for (const kind of ["index", "timeindex"]) disk.remove(`${DIRECTORY}/${base}.${kind}`);
    }
    const fixture = await LogFixture.open({ disk, isClean: false, settings: SETTINGS, decompress });
    await fixture.log.close();
    for (const base of BASES) {
      for (const kind of ["index", "timeindex", "log"]) {
        const name = `${base}.${kind}`;
        expect([name, disk.readWhole(`${DIRECTORY}/${name}`)]).toEqual([name, golden(name)]);
      }
    }
    // Entries come in the order of a hash map there, in the order of the log here: compare one by one.
    const mine = [...fixture.log.producers.entries()];
    const first = encodeProducerSnapshot(mine.slice(0, 1), crc32cTables);
    expect(first).toEqual(golden("00000000000000000040.snapshot"));
    expect(encodeProducerSnapshot(mine, crc32cTables).length)
      .toBe(golden("00000000000000000080.snapshot").length);
    const epochs = disk.readWhole(`${DIRECTORY}/leader-epoch-checkpoint`);
    expect(epochs).toEqual(golden("leader-epoch-checkpoint"));
  });

  test("is searched by time as Kafka searches it", async () => {
    const fixture = await LogFixture.open({ disk, isClean: true, settings: SETTINGS, decompress });
    const end = fixture.log.logEndOffset;
    // What kafka-get-offsets --time -3 answered for it.
    const latest = await fixture.log.maxTimestampOffset(end);
    expect(latest?.offset).toBe(toOffset(69));
    const found = await fixture.log.offsetForTimestamp(latest?.timestamp ?? 0, end);
    expect(found?.offset).toBe(toOffset(69));
    expect((await fixture.log.offsetForTimestamp(0, end))?.offset).toBe(toOffset(0));
    expect(await fixture.log.offsetForTimestamp((latest?.timestamp ?? 0) + 1, end)).toBeUndefined();
  });

  test("names its topic and its cluster", () => {
    expect(decodePartitionMetadata(golden("partition.metadata"))?.length).toBe(22);
    const identity = decodeIdentity(golden("meta.properties"));
    if (typeof identity === "string") throw new Error(identity);
    expect(identity.nodeId).toBe(1);
    expect(identity.clusterId.length).toBe(22);
  });
});
