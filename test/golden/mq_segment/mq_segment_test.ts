/** The data set of this folder, written by an earlier mq, is read by the present one. */
import { beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { toOffset } from "../../../src/ground/numbers.ts";
import { textOf } from "../../../src/ground/text.ts";
import { createHostCompressors } from "../../../src/host/compressor.ts";
import { decodePartitionMetadata } from "../../../src/log/directory/partition_folder.ts";
import { BatchView } from "../../../src/record/batch_view.ts";
import { decompressWith } from "../../../src/record/compression.ts";
import { RecordCursor } from "../../../src/record/record_cursor.ts";
import { DIRECTORY, LogFixture } from "../../log/log_fixture.ts";
import { MemoryDisk } from "../../log/memory_disk.ts";
import { codecs, linesOf, segmentDays } from "./content.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const SETTINGS = { indexIntervalBytes: 200 };
const BASES = ["00000000000000000000", "00000000000000000060"];
const decompress = decompressWith(createHostCompressors());

let disk = new MemoryDisk();

function golden(name: string): Uint8Array {
  return new Uint8Array(readFileSync(`${HERE}${name}`));
}

beforeEach(() => {
  disk = new MemoryDisk();
  disk.makeDirectory(DIRECTORY);
  for (const name of readdirSync(HERE)) {
    if (name.endsWith(".ts") || name.endsWith(".md")) continue;
    const file = disk.open(`${DIRECTORY}/${name}`, "write");
    file.write(0, [golden(name)]);
    file.close();
  }
});

/** Every record as "key:value timestamp header", a null value as nothing. */
function recordsOf(batches: readonly Uint8Array[]): readonly string[] {
  const cursor = new RecordCursor({ decompress, inflatedBytesMax: 1 << 20 });
  const found: string[] = [];
  for (const batch of batches) {
    cursor.open(new BatchView(batch));
    while (cursor.next()) {
      const [key, value] = [cursor.key(), cursor.value()];
      const headers = cursor.headers().map(([name, bytes]) => `${name}=${textOf(bytes as never)}`);
      const text = `${key && textOf(key)}:${value === null ? "" : textOf(value)}`;
      found.push(`${text} ${new Date(cursor.timestamp()).toISOString()} ${headers.join()}`);
    }
    expect(cursor.failure).toBeUndefined();
  }
  return found;
}

function expectedRecords(): readonly string[] {
  return segmentDays.flatMap((day, segment) =>
    codecs.flatMap((codec) =>
      linesOf(segment, codec).flatMap((lines, hour) =>
        lines.trimEnd().split("\n").map((line) =>
          `${line} ${day}T0${hour}:00:00.000Z codec=${codec}`
        )
      )
    )
  );
}

describe("a partition written by mq", () => {
  for (const isClean of [true, false]) {
    test(`is opened and read after ${isClean ? "a clean stop" : "a kill"}`, async () => {
      const fixture = await LogFixture.open({ disk, isClean, settings: SETTINGS, decompress });
      expect(fixture.log.logEndOffset).toBe(toOffset(120));
      expect(fixture.log.segmentCount()).toBe(2);
      expect(recordsOf(await fixture.readAll())).toEqual(expectedRecords());
      expect(recordsOf(await fixture.readAll(200))).toEqual(expectedRecords());
      expect(fixture.log.epochs.entries()).toEqual([{ leaderEpoch: 0, startOffset: 0 }]);
      expect(fixture.log.producers.count).toBe(30);
      expect(fixture.events).toEqual([]);
    });
  }

  test("gets the same files again when its indexes and snapshots are lost", async () => {
    for (const base of BASES) {
      for (const kind of ["index", "timeindex"]) disk.remove(`${DIRECTORY}/${base}.${kind}`);
    }
    disk.remove(`${DIRECTORY}/00000000000000000120.snapshot`);
    const fixture = await LogFixture.open({ disk, isClean: false, settings: SETTINGS, decompress });
    await fixture.log.close();
    const names = BASES.flatMap((base) =>
      ["log", "index", "timeindex"].map((kind) => `${base}.${kind}`)
    );
    for (const name of [...names, "leader-epoch-checkpoint", "00000000000000000120.snapshot"]) {
      expect([name, disk.readWhole(`${DIRECTORY}/${name}`)]).toEqual([name, golden(name)]);
    }
  });

  test("is searched by time", async () => {
    const fixture = await LogFixture.open({ disk, isClean: true, settings: SETTINGS, decompress });
    const end = fixture.log.logEndOffset;
    const second = Date.parse(`${segmentDays[1]}T00:00:00Z`);
    expect((await fixture.log.offsetForTimestamp(0, end))?.offset).toBe(toOffset(0));
    expect((await fixture.log.offsetForTimestamp(second - 1, end))?.offset).toBe(toOffset(60));
    expect((await fixture.log.offsetForTimestamp(second + 1, end))?.offset).toBe(toOffset(64));
    expect((await fixture.log.maxTimestampOffset(end))?.offset).toBe(toOffset(68));
    expect(await fixture.log.offsetForTimestamp(second + 7_200_001, end)).toBeUndefined();
  });

  test("names its topic", () => {
    expect(decodePartitionMetadata(golden("partition.metadata"))?.length).toBe(22);
  });
});
