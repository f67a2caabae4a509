/**
 * One error while a producer snapshot was read, in the background, made its log unusable until the next
 * start: every append failed, and nothing told of a log that was offline. At a start it kept the log shut.
 * The batches tell what a snapshot tells.
 */
import { expect, test } from "bun:test";
import { DiskFault } from "../../src/env/disk.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { DIRECTORY, LogFixture } from "../log/log_fixture.ts";
import type { MemoryDisk } from "../log/memory_disk.ts";

const SETTINGS = { segmentBytes: 330, indexIntervalBytes: 100 };
const SNAPSHOT = `${DIRECTORY}/${"4".padStart(20, "0")}.snapshot`;

const KNOWN = {
  settings: SETTINGS,
  recoveryPoint: toOffset(5),
  isRecoveryPointWritten: true,
  logStartOffset: 4,
};

async function openRolled(): Promise<LogFixture> {
  const fixture = await LogFixture.open({ settings: SETTINGS });
  for (const producerId of [1, 2]) {
    fixture.append({ producerId, producerEpoch: 0, baseSequence: 0, timestamps: [5, 6] });
  }
  fixture.log.roll();
  fixture.append({ producerId: 9, producerEpoch: 0, baseSequence: 0 });
  await fixture.log.sync();
  return fixture;
}

function lastOffsetOf({ log }: LogFixture, producerId: number): number | undefined {
  return log.producers.get(producerId)?.batches.at(-1)?.lastOffset;
}

/** Until the returned function is called. */
function makeUnreadable(disk: MemoryDisk): () => void {
  const { readWhole } = disk;
  disk.readWhole = (path) => {
    if (path === SNAPSHOT) throw new DiskFault("unreadable", path, `Cannot read ${path}`);
    return readWhole.call(disk, path);
  };
  return () => disk.readWhole = readWhole;
}

test("a log goes on whose snapshot cannot be read when segments go", async () => {
  const fixture = await openRolled();
  fixture.log.moveStart(toOffset(4));
  const heal = makeUnreadable(fixture.memoryDisk);
  await fixture.log.dropSegmentsBelowStart();
  heal();
  expect(fixture.log.segmentCount()).toBe(1);
  fixture.append({ producerId: 9, producerEpoch: 0, baseSequence: 1 });
  const reopened = await LogFixture.open({ ...KNOWN, disk: fixture.memoryDisk.crash() });
  expect([1, 2, 9].map((id) => lastOffsetOf(reopened, id))).toEqual([1, 3, 4]);
});

test("a start takes the batches where the snapshot cannot be read", async () => {
  const fixture = await openRolled();
  const disk = fixture.memoryDisk.kill();
  makeUnreadable(disk);
  const reopened = await LogFixture.open({ ...KNOWN, disk, logStartOffset: 0 });
  expect([1, 2, 9].map((id) => lastOffsetOf(reopened, id))).toEqual([1, 3, 4]);
  expect(reopened.events).toContain("producer snapshot ignored");
});
