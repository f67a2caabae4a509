import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { type DamagedPlace, walkLog } from "../../../src/log/offline/log_walk.ts";
import { BatchBuilder } from "../../../src/record/batch_builder.ts";
import { concat, makeBatch } from "../log_fixture.ts";
import { MemoryDisk } from "../memory_disk.ts";
import { write } from "./damaged_log.ts";

interface Walked {
  readonly offsets: number[];
  readonly damage: DamagedPlace[];
}

async function walk(bytes: Uint8Array, chunkBytes = 1 << 20, numMax = Infinity): Promise<Walked> {
  const disk = new MemoryDisk();
  disk.makeDirectory("/data");
  write(disk, "/data/x", bytes);
  const walked: Walked = { offsets: [], damage: [] };
  const file = disk.open("/data/x", "read");
  await walkLog(file, { crc32c: crc32cTables, end: bytes.length, chunkBytes }, {
    onBatch(batch, position): boolean {
      expect(position).toBeLessThan(bytes.length);
      walked.offsets.push(batch.baseOffset());
      return walked.offsets.length < numMax;
    },
    onDamage: (place) => void walked.damage.push(place),
  });
  file.close();
  return walked;
}

const batches = [0, 1, 2, 3, 4].map((offset) => makeBatch(offset, { valueBytes: 100 + offset }));
const whole = concat(batches);
const startOf = (index: number): number => concat(batches.slice(0, index)).length;
const CHUNKS = [1, 61, 100, 170, 400, 1 << 20];

describe("walkLog()", () => {
  test("gives every batch of a sound file, whatever the chunk", async () => {
    for (const chunkBytes of CHUNKS) {
      expect(await walk(whole, chunkBytes)).toEqual({ offsets: [0, 1, 2, 3, 4], damage: [] });
    }
    expect((await walk(new Uint8Array(0))).offsets).toEqual([]);
    expect((await walk(whole, 1 << 20, 2)).offsets).toEqual([0, 1]);
  });

  test("takes exactly the damaged batch where its length still fits", async () => {
    const bytes = whole.slice();
    bytes[startOf(2) + 90] = 0xff;
    for (const chunkBytes of CHUNKS) {
      const { offsets, damage } = await walk(bytes, chunkBytes);
      expect(offsets).toEqual([0, 1, 3, 4]);
      expect(damage).toHaveLength(1);
      expect(damage[0]?.position).toBe(startOf(2));
      expect(damage[0]?.sizeInBytes).toBe(batches[2]?.length);
      expect(damage[0]?.reason).toMatch(/^CRC is 0x/);
      expect(damage[0]?.claims).toEqual({ baseOffset: 2, lastOffset: 2 });
    }
  });

  test("finds the next batch behind a length that lies, and behind zeros", async () => {
    for (const chunkBytes of CHUNKS) {
      const lie = whole.slice();
      lie[startOf(1) + 9] = 0x40;
      const found = await walk(lie, chunkBytes);
      expect(found.offsets).toEqual([0, 2, 3, 4]);
      expect(found.damage[0]?.claims).toBeUndefined();

      const zeros = whole.slice().fill(0, startOf(1) + 30, startOf(3) + 30);
      const behind = await walk(zeros, chunkBytes);
      expect(behind.offsets).toEqual([0, 4]);
      expect(behind.damage.map(({ position }) => position)[0]).toBe(startOf(1));
      const last = behind.damage.at(-1) as DamagedPlace;
      expect(last.position + last.sizeInBytes).toBe(startOf(4));
    }
  });

  test("tells a torn tail from damage", async () => {
    for (const cut of [1, 30, 61, 100]) {
      const torn = await walk(whole.slice(0, startOf(4) + cut));
      expect(torn.offsets).toEqual([0, 1, 2, 3]);
      expect(torn.damage[0]?.isTorn).toBeTrue();
      expect(torn.damage[0]?.sizeInBytes).toBe(cut);
    }
    const zeros = await walk(concat([whole, new Uint8Array(500)]));
    expect(zeros.damage[0]?.isTorn).toBeFalse();
    expect(zeros.damage[0]?.reason).toBe("zeros, and no batch");
  });

  test("does not take a batch that a client stored as a value, while the length can be believed", async () => {
    const inner = makeBatch(7);
    const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType: "none" });
    builder.append({ key: null, value: inner, timestamp: 1 });
    const fields = { baseOffset: 1, partitionLeaderEpoch: 0 };
    const outer = builder.finish(fields, { crc32c: crc32cTables, compress: (_, bytes) => bytes });
    outer[22] = (outer[22] as number) ^ 1; // the CRC does not fit any more
    const { offsets } = await walk(concat([makeBatch(0), outer, makeBatch(2)]));
    expect(offsets).toEqual([0, 2]);
  });

  test("names old formats", async () => {
    const old = whole.slice();
    old[16] = 1;
    expect((await walk(old)).damage[0]?.reason).toMatch(/before 0\.11/);
  });
});
