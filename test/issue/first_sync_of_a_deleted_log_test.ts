/**
 * The first sync of a new log waited behind those of others while its topic was deleted. When it had its
 * turn, the missing folder was taken for a broken disk, and the broker ended; and where a topic of that
 * name was made anew, the dead log wrote its leader epochs into the folder of the new one.
 */
import { describe, expect, test } from "bun:test";
import { toMs, toOffset } from "../../src/ground/numbers.ts";
import { SharedSyncs } from "../../src/log/directory/shared_syncs.ts";
import { Log } from "../../src/log/log.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import type { Place } from "../../src/runtime/log_places.ts";
import { LogHints } from "../../src/runtime/log_hints.ts";
import { LogFixture, makeBatch, SETTINGS } from "../log/log_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

const FOLDER = "/data/t-0";
const ASIDE = `${FOLDER}/leader-epoch-checkpoint.tmp`;
const FIRST_SYNCS_MAX = 16;

interface Waiting {
  readonly disk: MemoryDisk;
  readonly log: Log;
  readonly hints: LogHints;
  /** What the place heard of. */
  readonly faults: string[];
  /** The first syncs of others end. */
  endOthers(): void;
}

function append(log: Log, leaderEpoch: number): void {
  const bytes = makeBatch(log.logEndOffset, { partitionLeaderEpoch: leaderEpoch });
  const batch = new BatchView(bytes);
  const lastOffset = toOffset(batch.lastOffset());
  log.append(bytes, { lastOffset, maxTimestamp: batch.maxTimestamp(), leaderEpoch }, toMs(0));
}

/** A new log with a record below its start, whose first sync has to wait. */
async function setUp(): Promise<Waiting> {
  const disk = new MemoryDisk();
  const { tools } = await LogFixture.open({ disk });
  const shared = new SharedSyncs(disk, "/data");
  const log = await Log.open({
    directory: FOLDER,
    settings: SETTINGS,
    tools,
    isClean: true,
    recoveryPoint: toOffset(0),
    isFolderDurable: false,
    shared,
    makeFolder: () => disk.makeDirectory(FOLDER),
  });
  append(log, 7);
  log.moveStart(log.logEndOffset);
  const others = Promise.withResolvers<void>();
  for (let count = 0; count < FIRST_SYNCS_MAX; count++) {
    void shared.firstSync(() => others.promise);
  }
  const faults: string[] = [];
  const directory = {
    writeCheckpoint: (_: string, entries: () => unknown): Promise<void> => {
      entries();
      return Promise.resolve();
    },
    checkpoint: () => 0,
  };
  const onFault = ({ message }: Error): void => void faults.push(message);
  const place = { isOnline: true, onFault, directory } as unknown as Place;
  const one = { name: { topic: "t", partition: 0 }, place, log, writtenLogStart: toOffset(0) };
  const hints = new LogHints({ places: [place], logs: () => [one], unopened: () => [] });
  return { disk, log, hints, faults, endOthers: () => others.resolve() };
}

function remove({ log, disk }: Waiting): void {
  log.closeNow();
  disk.rename(FOLDER, `${FOLDER}.0123-delete`);
}

describe("a first sync that waits while its log is closed", () => {
  test("is no fault of the disk", async () => {
    const waiting = await setUp();
    const written = waiting.hints.writeLogStarts();
    await Promise.resolve();
    remove(waiting);
    waiting.endOthers();
    await written;
    expect(waiting.faults).toEqual([]);
  });

  test("writes nothing into a folder that has its name now", async () => {
    const waiting = await setUp();
    const { log, disk } = waiting;
    const sync = log.sync();
    remove(waiting);
    disk.makeDirectory(FOLDER);
    waiting.endOthers();
    await expect(sync).rejects.toThrow("it is closed");
    expect(disk.list(FOLDER)).toEqual([]);
  });

  test("is not asked for by who writes log starts, where the log is closed already", async () => {
    const waiting = await setUp();
    remove(waiting);
    await waiting.hints.writeLogStarts(); // though the others have not ended
    expect(waiting.faults).toEqual([]);
  });

  test("whose disk has failed is a fault still", async () => {
    const waiting = await setUp();
    waiting.disk.failNext("sync", "io");
    const written = waiting.hints.writeLogStarts();
    waiting.endOthers();
    await written;
    expect(waiting.faults).toHaveLength(1);
  });
});

test("a later sync touches nothing by name either, whenever its log is closed", async () => {
  for (let turns = 0; turns < 12; turns++) {
    const waiting = await setUp();
    const { log, disk } = waiting;
    waiting.endOthers();
    await log.sync();
    append(log, 8); // its file of leader epochs is to be replaced
    const sync = log.sync().catch(() => undefined);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    remove(waiting);
    disk.makeDirectory(FOLDER);
    disk.open(ASIDE, "write").close(); // the new one is about to give it its name
    await sync;
    expect(disk.list(FOLDER).map(({ name }) => `${FOLDER}/${name}`)).toEqual([ASIDE]);
  }
});
