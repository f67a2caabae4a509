import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { ProducerStates } from "../../src/log/producers/producer_state.ts";
import { SnapshotPace, writeSnapshot } from "../../src/log/producers/snapshot_files.ts";
import { Segment, type SegmentContext } from "../../src/log/segment/segment.ts";
import { Segments } from "../../src/log/segment/segments.ts";
import { OpenSegments } from "../../src/log/segment/open_segments.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { DIRECTORY, LogFixture } from "./log_fixture.ts";
import { MemoryDisk } from "./memory_disk.ts";

const FIRST = `${DIRECTORY}/00000000000000000000`;
const SETTINGS = { indexIntervalBytes: 100 };
const COUNT = 40;
const RECOVERY_POINT = 30;

/** One segment of forty batches; its indexes are all written, as many as a kill would leave. */
async function killedLog(timestampOf: (offset: number) => number): Promise<{
  disk: MemoryDisk;
  batches: Uint8Array[];
  indexes: Record<string, Uint8Array>;
}> {
  const fixture = await LogFixture.open({ settings: SETTINGS });
  const batches = Array.from({ length: COUNT }, (_, offset) =>
    fixture.append({
      producerId: offset === 3 ? 6 : 5,
      producerEpoch: 0,
      baseSequence: offset,
      timestamps: [timestampOf(offset)],
      partitionLeaderEpoch: offset >> 3,
    }));
  await fixture.log.sync();
  const open = fixture.memoryDisk.kill();
  await fixture.log.close();
  const indexes: Record<string, Uint8Array> = {};
  for (const kind of ["index", "timeindex"]) {
    const path = `${FIRST}.${kind}`;
    indexes[kind] = fixture.disk.readWhole(path) ?? new Uint8Array(0);
    write(open, path, indexes[kind]);
  }
  return { disk: open, batches, indexes };
}

function write(disk: MemoryDisk, path: string, bytes: Uint8Array): void {
  disk.remove(path);
  const file = disk.open(path, "write");
  file.write(0, [bytes]);
  file.close();
}

function indexesOf(disk: MemoryDisk): Record<string, Uint8Array> {
  const found: Record<string, Uint8Array> = {};
  for (const kind of ["index", "timeindex"]) {
    found[kind] = disk.readWhole(`${FIRST}.${kind}`) ?? new Uint8Array(0);
  }
  return found;
}

const CLOCKS: Readonly<Record<string, (offset: number) => number>> = {
  "going up": (offset) => 1000 + offset,
  "going back and forth": (offset) => 1000 + (offset * 7) % 13,
  "all the same": () => 1000,
  "missing": () => -1,
};

describe("Log.open() of a segment with the recovery point inside", () => {
  for (const [name, timestampOf] of Object.entries(CLOCKS)) {
    test(`gives the indexes that a whole walk gives, whatever is left of them (times ${name})`, async () => {
      const { disk, batches, indexes } = await killedLog(timestampOf);
      for (const kind of ["index", "timeindex"] as const) {
        const whole = indexes[kind] as Uint8Array;
        for (let at = 0; at <= whole.length; at++) {
          const zeroed = whole.slice().fill(0, at);
          const torn = whole.slice().fill(0, at, at + 8);
          const preallocated = Uint8Array.from([...zeroed, ...new Uint8Array(240)]);
          for (const left of [whole.slice(0, at), zeroed, torn, preallocated]) {
            const copy = disk.kill();
            write(copy, `${FIRST}.${kind}`, left);
            const opened = await LogFixture.open({
              disk: copy,
              recoveryPoint: RECOVERY_POINT,
              settings: SETTINGS,
            });
            // An entry that was torn and still goes up is found when it is used.
            if (left !== torn) expect(indexesOf(copy)).toEqual(indexes);
            if (at % 8 > 0) continue;
            expect(await opened.readAll()).toEqual(batches);
            const { log } = opened;
            expect(log.producers.get(6)?.batches.at(-1)?.lastSequence).toBe(3);
            expect(log.producers.get(5)?.batches.at(-1)?.lastSequence).toBe(COUNT - 1);
            expect(log.epochs.entries().at(-1)).toEqual({ leaderEpoch: 4, startOffset: 32 });
          }
        }
      }
    });
  }

  test("walks from the last place that both indexes know, not from the base", async () => {
    const { disk, batches, indexes } = await killedLog((offset) => 1000 + offset);
    // The producers are known as of offset 28: nothing before has to be looked at.
    const producers = new ProducerStates();
    for (const batch of batches.slice(0, 28)) producers.update(new BatchView(batch));
    const copy = disk.kill();
    writeSnapshot(contextOf(copy), crc32cTables, { offset: toOffset(28), producers });
    const log = copy.files.get(`${FIRST}.log`);
    if (log === undefined) throw new Error("a log");
    log.content.fill(0xee, 88 * 2, 88 * 20); // nobody may come here
    const opened = await LogFixture.open({
      disk: copy,
      recoveryPoint: RECOVERY_POINT,
      settings: SETTINGS,
    });
    expect(opened.log.logEndOffset).toBe(toOffset(COUNT));
    expect(opened.events).toEqual([]);
    expect(indexesOf(copy)).toEqual(indexes);
    expect(opened.log.epochs.entries().at(-1)).toEqual({ leaderEpoch: 4, startOffset: 32 });
  });
});

function contextOf(disk: MemoryDisk): SegmentContext {
  const openSegments = new OpenSegments({ countMax: 10 });
  const trace = { event: () => {} };
  return { directory: DIRECTORY, disk, openSegments, trace, indexIntervalBytes: 4096 };
}

describe("SnapshotPace", () => {
  const MIB = 1024 * 1024;

  function paced(): {
    disk: MemoryDisk;
    active: Segment;
    grow: (bytes: number, offset: number, recoveryPoint: number) => Promise<boolean>;
    snapshots: () => number[];
  } {
    const disk = new MemoryDisk();
    disk.makeDirectory(DIRECTORY);
    const context = contextOf(disk);
    const active = new Segment(context, { baseOffset: toOffset(0), sizeInBytes: 0 });
    const segments = new Segments();
    segments.add(active);
    const pace = new SnapshotPace(active, false);
    const grow = (bytes: number, offset: number, recoveryPoint: number): Promise<boolean> => {
      active.sizeInBytes += bytes;
      return pace.onCheckpoint(() => ({
        context,
        crc32c: crc32cTables,
        segments,
        syncEntries: () => disk.syncDirectory(DIRECTORY),
        producers: new ProducerStates(),
        logEndOffset: toOffset(offset),
        recoveryPoint: toOffset(recoveryPoint),
      }));
    };
    const snapshots = (): number[] =>
      disk.list(DIRECTORY).filter(({ name }) => name.endsWith(".snapshot"))
        .map(({ name }) => Number.parseInt(name, 10));
    return { disk, active, grow, snapshots };
  }

  test("onCheckpoint() writes one when enough was appended, also without producers", async () => {
    const { grow, snapshots } = paced();
    expect(await grow(MIB - 1, 10, 10)).toBeFalse();
    expect(await grow(1, 11, 11)).toBeTrue();
    expect(await grow(MIB / 2, 12, 12)).toBeFalse();
    expect(snapshots()).toEqual([11]);
  });

  test("onCheckpoint() keeps the newest that may be believed, and the newest of all", async () => {
    const { grow, snapshots } = paced();
    await grow(MIB, 10, 5);
    await grow(MIB, 20, 5);
    expect(snapshots()).toEqual([10, 20]);
    await grow(MIB, 30, 25);
    expect(snapshots()).toEqual([20, 30]);
    await grow(MIB, 40, 40);
    expect(snapshots()).toEqual([30, 40]);
  });

  test("onCheckpoint() says nothing before aborted transactions are durable", async () => {
    const { disk, active, grow, snapshots } = paced();
    active.addAborted({ producerId: 1, firstOffset: 2, lastOffset: 3, lastStableOffset: 4 });
    disk.failNext("sync", "io");
    await expect(grow(MIB, 10, 10)).rejects.toThrow("Cannot sync");
    expect(snapshots()).toEqual([]);
    expect(await grow(0, 10, 10)).toBeTrue();
    expect(disk.files.get(`${FIRST}.txnindex`)?.durable.length).toBe(34);
  });
});
