import { describe, expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { DIRECTORY, LogFixture, makeBatch } from "./log_fixture.ts";
import type { MemoryDisk } from "./memory_disk.ts";

const FIRST = `${DIRECTORY}/00000000000000000000`;
const INTERVAL = { indexIntervalBytes: 100 };
const PRODUCER = { producerId: 9, producerEpoch: 2 };

/** A log of `count` batches whose process was killed; producers and epochs have something to find. */
async function killedLog(
  count: number,
  settings = {},
): Promise<{ disk: MemoryDisk; batches: Uint8Array[] }> {
  const fixture = await LogFixture.open({ settings: { ...INTERVAL, ...settings } });
  const batches = Array.from({ length: count }, (_, index) =>
    fixture.append({
      ...PRODUCER,
      baseSequence: index * 2,
      timestamps: [1000 + index, 900],
      partitionLeaderEpoch: index >> 2,
    }));
  return { disk: fixture.memoryDisk.kill(), batches };
}

function content(disk: MemoryDisk, path: string): Uint8Array {
  const node = disk.files.get(path);
  if (node === undefined) throw new Error(`no ${path}`);
  return node.content;
}

function setContent(disk: MemoryDisk, path: string, bytes: Uint8Array): void {
  const node = disk.files.get(path);
  if (node === undefined) throw new Error(`no ${path}`);
  node.content = bytes;
}

describe("Log.open() after a kill", () => {
  test("keeps the whole batches of a log torn at any byte", async () => {
    const { disk, batches } = await killedLog(6);
    const whole = content(disk, `${FIRST}.log`);
    for (let length = 0; length <= whole.length; length++) {
      setContent(disk, `${FIRST}.log`, whole.slice(0, length));
      const torn = await LogFixture.open({ disk: disk.kill(), settings: INTERVAL });
      const kept = batches.filter((_, index) => {
        return length >= batches.slice(0, index + 1).reduce((sum, batch) => sum + batch.length, 0);
      });
      expect(torn.log.logEndOffset).toBe(toOffset(kept.length * 2));
      expect(await torn.readAll()).toEqual(kept);
      expect(torn.log.producers.get(9)?.batches.at(-1)?.lastSequence)
        .toBe(kept.length === 0 ? undefined : kept.length * 2 - 1);
      const next = torn.append({ partitionLeaderEpoch: 9 });
      const again = await LogFixture.open({ disk: torn.memoryDisk.kill(), settings: INTERVAL });
      expect(await again.readAll()).toEqual([...kept, next]);
      expect(again.events).toEqual([]);
    }
  });

  test("cuts at a flipped byte anywhere, and serves nothing of what is behind it", async () => {
    const { disk, batches } = await killedLog(4);
    const whole = content(disk, `${FIRST}.log`);
    const size = (batches[0] as Uint8Array).length;
    for (let at = size * 2; at < size * 3; at++) {
      const flipped = whole.slice();
      flipped[at] = (flipped[at] as number) ^ 0x10;
      setContent(disk, `${FIRST}.log`, flipped);
      const opened = await LogFixture.open({ disk: disk.kill(), settings: INTERVAL });
      const kept = (await opened.readAll().catch(() => [])).length;
      // Offset and leader epoch lie outside the CRC: a small step upwards there cannot be seen.
      const field = at % size;
      const isOutside = field > 3 && field < 8 || field >= 12 && field < 16;
      expect(kept === 2 || isOutside).toBeTrue();
      expect(opened.events.includes("torn tail cut off") || isOutside).toBeTrue();
    }
  });

  test("drops the segments behind a torn one, with their snapshots", async () => {
    const { disk, batches } = await killedLog(20, { segmentBytes: 500 });
    const whole = content(disk, `${FIRST}.log`);
    setContent(disk, `${FIRST}.log`, whole.slice(0, -1));
    const opened = await LogFixture.open({ disk, settings: INTERVAL });
    expect(opened.log.segmentCount()).toBe(1);
    const kept = await opened.readAll();
    expect(kept).toEqual(batches.slice(0, kept.length));
    expect(kept.length).toBeGreaterThan(2);
    const names = disk.list(DIRECTORY).map((file) => file.name);
    expect(names.filter((name) => name.endsWith(".log"))).toEqual(["00000000000000000000.log"]);
    expect(names.filter((name) => name.endsWith(".snapshot"))).toEqual([]);
  });

  test("refuses damage below the recovery point and leaves the files as they are", async () => {
    const { disk } = await killedLog(6);
    const flipped = content(disk, `${FIRST}.log`).slice();
    flipped[16] = 9; // the magic of the first batch
    setContent(disk, `${FIRST}.log`, flipped);
    await expect(LogFixture.open({ disk, recoveryPoint: 4 })).rejects.toThrow(
      "is damaged at byte 0",
    );
    expect(content(disk, `${FIRST}.log`)).toEqual(flipped);
    const opened = await LogFixture.open({ disk, recoveryPoint: 0 });
    expect(opened.log.logEndOffset).toBe(toOffset(0));
  });

  test("does not read what is durable, but for headers", async () => {
    const { disk, batches } = await killedLog(20, { segmentBytes: 500 });
    const lastByte = content(disk, `${FIRST}.log`).length - 1;
    const flipped = content(disk, `${FIRST}.log`).slice();
    flipped[lastByte] = 77; // within a value: only a CRC can tell
    setContent(disk, `${FIRST}.log`, flipped);
    const opened = await LogFixture.open({ disk, recoveryPoint: 20, settings: INTERVAL });
    expect(opened.log.logEndOffset).toBe(toOffset(batches.length * 2));
    await expect(opened.readAll()).rejects.toThrow("CRC is wrong"); // who reads it finds it
  });

  test("refuses a log that ends below its recovery point: what was durable is lost", async () => {
    const { disk } = await killedLog(10, { segmentBytes: 500 });
    const opening = LogFixture.open({ disk, recoveryPoint: 21, settings: INTERVAL });
    await expect(opening).rejects.toThrow("it ends at offset 20, and was durable up to 21");
  });

  test("takes any recovery point in the log", async () => {
    const { disk, batches } = await killedLog(10, { segmentBytes: 500 });
    for (let recoveryPoint = 0; recoveryPoint <= 20; recoveryPoint++) {
      const opened = await LogFixture.open({
        disk: disk.kill(),
        recoveryPoint,
        settings: INTERVAL,
      });
      expect(await opened.readAll()).toEqual(batches);
      expect(opened.log.recoveryPoint).toBe(toOffset(Math.min(recoveryPoint, 20)));
      for (const baseOffset of [10, 12, 14, 16, 18]) {
        const sequences = { baseSequence: baseOffset, lastSequence: baseOffset + 1 };
        expect(opened.log.producers.check({ ...PRODUCER, ...sequences }).kind).toBe("duplicate");
      }
      const older = opened.log.producers.check({ ...PRODUCER, baseSequence: 8, lastSequence: 9 });
      expect(older.kind).toBe("refuse");
      expect(opened.log.epochs.entries()).toEqual([0, 1, 2].map((leaderEpoch) => {
        return { leaderEpoch, startOffset: leaderEpoch * 8 };
      }));
    }
  });

  test("makes missing, short and lying indexes anew", async () => {
    const { disk, batches } = await killedLog(30);
    const sound = await LogFixture.open({ disk: disk.kill(), settings: INTERVAL });
    await sound.log.close();
    const kinds = ["index", "timeindex"] as const;
    const damages: readonly ((bytes: Uint8Array) => Uint8Array | undefined)[] = [
      () => undefined,
      (bytes) => bytes.slice(0, -1),
      (bytes) => bytes.slice().fill(0),
      (bytes) => Uint8Array.from([...bytes, ...new Uint8Array(24)]), // as Kafka preallocates
      (bytes) => bytes.map((byte, at) => at === 7 ? byte + 1 : byte), // a position, or a time
    ];
    for (const kind of kinds) {
      for (const damage of damages) {
        for (const isClean of [true, false]) {
          const copy = sound.memoryDisk.kill();
          const path = `${FIRST}.${kind}`;
          const before = content(copy, path);
          const damaged = damage(before);
          if (damaged === undefined) copy.files.delete(path);
          else setContent(copy, path, damaged);
          const opened = await LogFixture.open({ disk: copy, isClean, settings: INTERVAL });
          for (const [index, batch] of batches.entries()) { // each entry is used, and a lie found
            expect(await opened.read(index * 2 + 1, { bytesMax: 1 })).toEqual(batch);
          }
          await opened.log.close();
          if (kind === "index") expect(content(copy, path)).toEqual(before);
        }
      }
    }
  });

  test("makes indexes anew that end too soon, when they are first used", async () => {
    const fixture = await LogFixture.open({ settings: INTERVAL });
    const batches = fixture.appendMany(30);
    await fixture.log.close();
    for (let lost = 12; lost <= 48; lost += 12) {
      const copy = fixture.memoryDisk.kill();
      const path = `${FIRST}.timeindex`;
      const whole = content(copy, path);
      setContent(copy, path, whole.slice(0, -lost));
      const how = { isClean: true, recoveryPoint: 30, settings: INTERVAL };
      const opened = await LogFixture.open({ disk: copy, ...how });
      expect(opened.events).toEqual([]);
      expect(await opened.readAll()).toEqual(batches);
      expect((await opened.log.maxTimestampOffset(toOffset(30)))?.offset).toBe(toOffset(29));
      expect(opened.events).toEqual(["index rebuilt"]);
      expect(content(copy, path)).toEqual(whole);
    }
  });

  test("does not append behind an index entry that lies upwards", async () => {
    const { disk, batches } = await killedLog(30);
    const sound = await LogFixture.open({ disk, settings: INTERVAL });
    await sound.log.close();
    const copy = sound.memoryDisk.kill();
    const index = content(copy, `${FIRST}.index`);
    index[index.length - 5] = 200; // the offset of the last entry
    const opened = await LogFixture.open({ disk: copy, isClean: true, settings: INTERVAL });
    const more = opened.appendMany(10);
    expect(opened.events).toEqual(["index rebuilt"]);
    expect(await opened.readAll(300)).toEqual([...batches, ...more]);
  });

  test("leaves files alone that it does not know, and says so", async () => {
    const { disk } = await killedLog(2);
    for (const name of ["notes.txt", "notes.txt.deleted", "1.log"]) {
      disk.open(`${DIRECTORY}/${name}`, "write").close();
    }
    const opened = await LogFixture.open({ disk, settings: INTERVAL });
    expect(opened.events).toEqual(["unknown files are left alone"]);
    const names = disk.list(DIRECTORY).map((file) => file.name);
    for (const name of ["notes.txt", "notes.txt.deleted", "1.log"]) {
      expect(names).toContain(name);
    }
  });
});

describe("Log.open() after a loss of power", () => {
  test("finds what was synced at every point of a run with rolls", async () => {
    const settings = { ...INTERVAL, segmentBytes: 400 };
    const fixture = await LogFixture.open({ settings });
    const batches: Uint8Array[] = [];
    for (let round = 0; round < 30; round++) {
      batches.push(fixture.append({ ...PRODUCER, baseSequence: round }));
      if (round % 3 === 0) await fixture.log.sync();
      const recoveryPoint = fixture.log.recoveryPoint as number;
      for (const hint of [0, recoveryPoint]) {
        const disk = fixture.memoryDisk.crash();
        const opened = await LogFixture.open({ disk, recoveryPoint: hint, settings });
        const found = await opened.readAll();
        expect(found.length).toBeGreaterThanOrEqual(recoveryPoint);
        expect(found).toEqual(batches.slice(0, found.length));
        expect(opened.log.producers.get(9)?.batches.at(-1)?.lastSequence).toBe(found.length - 1);
      }
    }
  });

  test("takes a log closed cleanly whose snapshots were lost", async () => {
    const { disk, batches } = await killedLog(12, { segmentBytes: 500 });
    const fixture = await LogFixture.open({ disk, settings: INTERVAL });
    await fixture.log.close();
    for (const file of disk.list(DIRECTORY)) {
      if (file.name.endsWith(".snapshot")) disk.remove(`${DIRECTORY}/${file.name}`);
    }
    const opened = await LogFixture.open({ disk, isClean: true, settings: INTERVAL });
    expect(await opened.readAll()).toEqual(batches);
    expect(opened.log.producers.get(9)?.batches.length).toBe(5);
    opened.appendBytes(makeBatch(24));
  });
});
