/** Longer than most: one life of a voter's disk, stopped after every call, and all that may be damaged. */
import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { toOffset } from "../../../src/ground/numbers.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import type { Configuration } from "../../../src/raft/configuration.ts";
import type { HardState } from "../../../src/raft/ready.ts";
import { MetadataCorrupt } from "../../../src/runtime/quorum/not_controller.ts";
import { encodeLeaderChange } from "../../../src/runtime/quorum/quorum_batches.ts";
import { encodeQuorumState } from "../../../src/runtime/quorum/quorum_state.ts";
import type { RaftStorage } from "../../../src/runtime/quorum/raft_storage.ts";
import { SnapshotEncoder, snapshotFileName } from "../../../src/runtime/quorum/snapshot_file.ts";
import { makeDurable, stopAt } from "../../log/crash_fixture.ts";
import type { MemoryDisk } from "../../log/memory_disk.ts";
import {
  batchAt,
  DIRECTORY,
  idsRecord,
  newDisk,
  NOW,
  openStorage,
  writePoint,
} from "./quorum_fixture.ts";

const CONFIGURATION: Configuration = {
  voters: [{ id: 1, directoryId: ZERO_UUID, host: "h", port: 1 }],
  learners: [],
};
const SEGMENT = { segmentBytes: 400 };

/** What was promised so far, and what the call under way may do to it. */
class Promised {
  hardState: HardState = { term: 0 };
  nextState: HardState | undefined;
  /** Base offset to term, of batches that were synced. */
  readonly batches = new Map<number, number>();
  /** Every batch that was ever appended: "offset/term". */
  readonly known = new Set<string>();
  cutTo: number | undefined;
  snapshot = 0;
  nextSnapshot: number | undefined;
  isInstalling = false;

  /** Between two acts. */
  copy(): Promised {
    const copy = new Promised();
    copy.hardState = this.hardState;
    for (const [offset, term] of this.batches) copy.batches.set(offset, term);
    for (const batch of this.known) copy.known.add(batch);
    copy.snapshot = this.snapshot;
    return copy;
  }

  async vote(storage: RaftStorage, state: HardState): Promise<void> {
    this.nextState = state;
    await storage.writeHardState(state);
    this.hardState = state;
    this.nextState = undefined;
  }

  async append(storage: RaftStorage, term: number, count: number): Promise<void> {
    const added: number[] = [];
    for (let index = 0; index < count; index++) {
      const offset = storage.logEndOffset;
      this.known.add(`${offset}/${term}`);
      storage.append(batchAt(offset, term), NOW);
      added.push(offset);
    }
    await storage.sync();
    for (const offset of added) this.batches.set(offset, term);
    await writePoint(storage);
  }

  async cut(storage: RaftStorage, offset: number): Promise<void> {
    this.cutTo = offset;
    await storage.truncateTo(toOffset(offset));
    for (const base of [...this.batches.keys()]) if (base >= offset) this.batches.delete(base);
    this.cutTo = undefined;
  }

  /** Of its own state. */
  async take(storage: RaftStorage, offset: number, term: number): Promise<void> {
    this.nextSnapshot = offset;
    const id = { offset: toOffset(offset), term };
    const content = {
      id,
      configuration: CONFIGURATION,
      timestamp: 7,
      records: [idsRecord(offset)],
    };
    storage.roll();
    await storage.snapshots.write(content, () => Promise.resolve());
    await storage.snapshots.finish(id);
    this.snapshot = offset;
    this.nextSnapshot = undefined;
    await storage.snapshots.dropOld();
    const [older] = storage.snapshots.ids();
    if (storage.snapshots.ids().length > 1 && older !== undefined) {
      await storage.moveStart(older.offset);
    }
  }

  /** From another node. */
  async install(storage: RaftStorage, offset: number, term: number): Promise<void> {
    this.nextSnapshot = offset;
    this.isInstalling = true;
    const id = { offset: toOffset(offset), term };
    const bytes = snapshotBytes(offset, term);
    for (let at = 0; at < bytes.length; at += 100) {
      storage.snapshots.receive(id, at, bytes.subarray(at, at + 100));
    }
    await storage.snapshots.loadReceived(id);
    await storage.snapshots.finish(id);
    this.snapshot = offset;
    await storage.resetTo(id);
    this.batches.clear();
    this.nextSnapshot = undefined;
    this.isInstalling = false;
    await storage.snapshots.dropOld();
  }

  /** What a start finds must hold what was promised, and nothing that never was. */
  check({ found, log }: RaftStorage, where: string): void {
    const states = [this.hardState, ...(this.nextState === undefined ? [] : [this.nextState])];
    const state = JSON.stringify(found.hardState);
    if (!states.some((one) => JSON.stringify(one) === state)) fail(where, `vote is ${state}`);
    const snapshot = found.snapshot?.id.offset ?? 0;
    const isOne = snapshot === this.snapshot || snapshot === this.nextSnapshot;
    if (!isOne) fail(where, `snapshot is ${snapshot}`);
    if (log.logStartOffset > snapshot) fail(where, `log starts at ${log.logStartOffset}`);
    const numbers = found.snapshot?.records.map((record) => JSON.stringify(record)) ?? [];
    const isSound = snapshot === 0 || numbers.join() === JSON.stringify(idsRecord(snapshot));
    if (!isSound) fail(where, `snapshot holds ${numbers}`);
    this.#checkBatches(found, snapshot, where);
  }

  #checkBatches(found: RaftStorage["found"], snapshot: number, where: string): void {
    const { entries } = found;
    const termMin = found.snapshot?.id.term ?? 0; // terms never go back, not behind a snapshot either
    if (entries.some(({ term }) => term < termMin)) fail(where, "batches older than the snapshot");
    const terms = new Map(entries.map(({ baseOffset, term }) => [Number(baseOffset), term]));
    for (const [offset, term] of terms) {
      if (!this.known.has(`${offset}/${term}`)) fail(where, `strange batch ${offset}/${term}`);
    }
    if (this.isInstalling && snapshot === this.nextSnapshot) return; // it stands for all of them
    for (const [offset, term] of this.batches) {
      if (offset < snapshot || offset >= (this.cutTo ?? Infinity)) continue;
      if (terms.get(offset) !== term) fail(where, `batch ${offset}/${term} is lost`);
    }
  }
}

function fail(where: string, what: string): never {
  throw new Error(`${where}: ${what}`);
}

function snapshotBytes(offset: number, term: number): Uint8Array {
  const encoder = new SnapshotEncoder({ offset: toOffset(offset), term }, 7, crc32cTables);
  const parts = [encoder.begin(CONFIGURATION), encoder.records([idsRecord(offset)]), encoder.end()];
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

const ME = { id: 1, directoryId: ZERO_UUID };

type Act = (promised: Promised, storage: RaftStorage) => Promise<void>;

/** All that a voter does to its disk, one after the other. */
const ACTS: readonly Act[] = [
  (promised, storage) => promised.vote(storage, { term: 1, votedFor: ME }),
  (promised, storage) => promised.append(storage, 1, 3),
  (promised, storage) => promised.append(storage, 1, 8), // over a segment's end
  (promised, storage) => promised.vote(storage, { term: 2 }),
  (promised, storage) => promised.cut(storage, 9), // inside the last segment
  (promised, storage) => promised.append(storage, 2, 2),
  (promised, storage) => promised.vote(storage, { term: 3, votedFor: { ...ME, id: 2 } }),
  (promised, storage) => promised.cut(storage, 2), // over segments
  (promised, storage) => promised.append(storage, 3, 6),
  (promised, storage) => promised.take(storage, 5, 3),
  (promised, storage) => promised.append(storage, 3, 6),
  (promised, storage) => promised.take(storage, 10, 3),
  (promised, storage) => promised.append(storage, 3, 2),
  (promised, storage) => promised.install(storage, 100, 3), // the log ends below
  (promised, storage) => promised.append(storage, 3, 5),
  (promised, storage) => promised.vote(storage, { term: 5 }),
  (promised, storage) => promised.install(storage, 103, 5), // the log is in its way
  (promised, storage) => promised.append(storage, 5, 2),
  (promised, storage) => promised.take(storage, 104, 5),
];

/** A disk on which the acts before were done, and which stops at the `count`th call of the act. */
async function stopped(
  before: { readonly disk: MemoryDisk; readonly promised: Promised },
  act: Act,
  count: number,
): Promise<{ disk: MemoryDisk; promised: Promised; isOver: boolean }> {
  const disk = before.disk.kill();
  const promised = before.promised.copy();
  const { storage } = await openStorage(disk, SEGMENT);
  const calls = stopAt(disk, count);
  await act(promised, storage).catch((error: Error) => {
    if (!error.message.includes("stopped")) throw error;
  });
  storage.closeNow();
  return { disk, promised, isOver: calls() < count };
}

async function forEachCrash(
  judge: (left: { disk: MemoryDisk; promised: Promised }, where: string) => Promise<void>,
  stride = 1,
): Promise<number> {
  let before = { disk: newDisk(), promised: new Promised() };
  let count = 0;
  for (const [index, act] of ACTS.entries()) {
    for (let call = 1;; call += stride) {
      const left = await stopped(before, act, call);
      await judge(left, `act ${index}, call ${call}`);
      count++;
      if (left.isOver) break;
    }
    before = await stopped(before, act, Infinity);
  }
  return count;
}

async function checked(disk: MemoryDisk, promised: Promised, where: string): Promise<void> {
  const { storage } = await openStorage(disk, SEGMENT);
  promised.check(storage, where);
  storage.closeNow();
}

describe("RaftStorage", () => {
  test("keeps what it promised, whatever disk call is the last one", async () => {
    const count = await forEachCrash(async ({ disk, promised }, where) => {
      await checked(disk.kill(), promised, `killed at ${where}`);
      await checked(disk.crash(), promised, `power lost at ${where}`);
    });
    expect(count).toBeGreaterThan(200);
  });

  test("is stopped again in the middle of what a start makes good", async () => {
    let again = 0;
    await forEachCrash(async ({ disk, promised }, where) => {
      for (let inner = 1;; inner += 3) {
        const second = again % 2 === 0 ? disk.kill() : disk.crash();
        stopAt(second, inner);
        const isOpened = await openStorage(second, SEGMENT).then(
          ({ storage }) => {
            storage.closeNow();
            return true;
          },
          (error: Error) => {
            if (!error.message.includes("stopped")) throw error;
            return false;
          },
        );
        const left = again % 3 === 0 ? second.kill() : second.crash();
        await checked(left, promised, `stopped at ${where}, again at ${inner}`);
        again++;
        if (isOpened) break;
      }
    }, 3);
    expect(again).toBeGreaterThan(300);
  });

  test("a log from before there were terms is taken over, without a vote", async () => {
    const disk = newDisk();
    const { storage } = await openStorage(disk);
    for (let count = 0; count < 3; count++) storage.append(batchAt(count, 0), NOW);
    await storage.close();
    const again = await openStorage(disk.kill());
    expect(again.storage.found.hardState).toEqual({ term: 0 });
    expect(again.storage.found.entries).toHaveLength(3);
  });

  test("a file that has lost a vote keeps the node from starting", async () => {
    const disk = newDisk();
    const { storage } = await openStorage(disk);
    await storage.writeHardState({ term: 3 });
    const place = { baseOffset: 0, term: 3, timestamp: 1 };
    storage.append(encodeLeaderChange(1, [1], place, crc32cTables), NOW);
    await storage.close();
    const left = disk.kill();
    left.remove(`${DIRECTORY}/quorum-state`);
    await refuses(left, "quorum-state is missing");
    const old = disk.kill();
    writeOldVote(old);
    await refuses(old, "quorum-state is older");
  });
});

function writeOldVote(disk: MemoryDisk): void {
  const file = disk.open(`${DIRECTORY}/quorum-state`, "write");
  file.truncate(0);
  file.write(0, [encodeQuorumState({ term: 2 }, crc32cTables)]);
  file.close();
}

async function refuses(disk: MemoryDisk, message: string): Promise<void> {
  const before = filesOf(disk);
  const error = await openStorage(disk, SEGMENT).then(() => undefined, (found) => found);
  expect(error).toBeInstanceOf(MetadataCorrupt);
  expect(error.message).toContain(message);
  expect(error.message).toContain("nothing was changed");
  expect(filesOf(disk)).toEqual(before);
}

/** All that is there, but for what every start makes anew or takes away: indexes, leftovers. */
function filesOf(disk: MemoryDisk): readonly string[] {
  return [...disk.files].filter(([path]) => /\.(log|checkpoint)$|quorum-state$/.test(path))
    .map(([path, { content }]) => `${path} ${crc32cTables(content)}`).sort();
}

function flip(disk: MemoryDisk, name: string, at: number): void {
  const node = disk.files.get(`${DIRECTORY}/${name}`);
  if (node === undefined) throw new Error(`no file ${name}`);
  node.content = node.content.slice();
  node.content[at] = (node.content[at] ?? 0) ^ 1;
}

/** Snapshots at 5 and 10, and a log from 5 on; or only the later part of it. */
async function twoSnapshots(): Promise<MemoryDisk> {
  const disk = newDisk();
  const promised = new Promised();
  const { storage } = await openStorage(disk, SEGMENT);
  await promised.vote(storage, { term: 1, votedFor: ME });
  await promised.append(storage, 1, 7);
  await promised.take(storage, 5, 1);
  await promised.append(storage, 1, 5);
  await promised.take(storage, 10, 1);
  await promised.append(storage, 1, 2);
  storage.closeNow();
  return makeDurable(disk.kill());
}

const S5 = snapshotFileName({ offset: toOffset(5), term: 1 });
const S10 = snapshotFileName({ offset: toOffset(10), term: 1 });

describe("damage", () => {
  test("of quorum-state, in whatever byte, keeps the node from starting", async () => {
    const disk = await twoSnapshots();
    const bytes = disk.readWhole(`${DIRECTORY}/quorum-state`)?.length ?? 0;
    expect(bytes).toBeGreaterThan(40);
    for (let at = 0; at < bytes; at++) {
      const damaged = disk.kill();
      flip(damaged, "quorum-state", at);
      await refuses(damaged, "quorum-state");
    }
  });

  test("of the newest snapshot is made good by the one before and the log, and told of", async () => {
    const damaged = await twoSnapshots();
    flip(damaged, S10, 100);
    const before = damaged.readWhole(`${DIRECTORY}/${S10}`);
    const { storage, events } = await openStorage(damaged, SEGMENT);
    expect(storage.found.snapshot?.id.offset).toBe(toOffset(5));
    expect(storage.found.entries[0]?.baseOffset).toBe(toOffset(5));
    expect(events).toContain("error a metadata snapshot is damaged");
    expect(damaged.readWhole(`${DIRECTORY}/${S10}`)).toEqual(before);
  });

  test("of both, or of the only one behind the log's start, keeps the node from starting", async () => {
    const disk = await twoSnapshots();
    const both = disk.kill();
    flip(both, S5, 100);
    flip(both, S10, 100);
    await refuses(both, "no older snapshot and log stand for it");
    const gone = disk.kill();
    gone.remove(`${DIRECTORY}/${S5}`);
    flip(gone, S10, 100);
    await refuses(gone, "no older snapshot and log stand for it");
    const none = disk.kill();
    none.remove(`${DIRECTORY}/${S5}`);
    none.remove(`${DIRECTORY}/${S10}`);
    await refuses(none, "there is no snapshot");
  });

  test("of an only snapshot is nothing where the log still has all", async () => {
    const disk = newDisk();
    const promised = new Promised();
    const { storage } = await openStorage(disk);
    await promised.vote(storage, { term: 1 });
    await promised.append(storage, 1, 7);
    await promised.take(storage, 5, 1);
    const damaged = disk.kill();
    flip(damaged, S5, 100);
    const again = await openStorage(damaged);
    expect(again.storage.found.snapshot).toBeUndefined();
    expect(again.storage.found.entries).toHaveLength(7);
    expect(again.events).toContain("error a metadata snapshot is damaged");
  });

  test("of a snapshot's name is found, too", async () => {
    const disk = await twoSnapshots();
    const other = snapshotFileName({ offset: toOffset(11), term: 1 });
    disk.rename(`${DIRECTORY}/${S10}`, `${DIRECTORY}/${other}`);
    const { events } = await openStorage(disk, SEGMENT);
    expect(events).toContain("error a metadata snapshot is damaged");
  });
});

describe("a snapshot file", () => {
  test("is refused where a whole batch is another's, sound as it is", async () => {
    const id = { offset: toOffset(5), term: 1 };
    const partsOf = (number: number): readonly Uint8Array[] => {
      const encoder = new SnapshotEncoder(id, 7, crc32cTables);
      return [encoder.begin(CONFIGURATION), encoder.records([idsRecord(number)]), encoder.end()];
    };
    const [header = [], , footer = []] = partsOf(5);
    const [, other = []] = partsOf(6);
    const { storage } = await openStorage(newDisk());
    storage.snapshots.receive(id, 0, new Uint8Array([...header, ...other, ...footer]));
    await expect(storage.snapshots.loadReceived(id)).rejects.toThrow("not what its end says");
  });

  test("is refused with any bit of it flipped, and at any length but its own", async () => {
    const id = { offset: toOffset(5), term: 1 };
    const bytes = snapshotBytes(5, 1);
    const disk = newDisk();
    const { storage } = await openStorage(disk);
    const refusal = async (content: Uint8Array): Promise<unknown> => {
      storage.snapshots.receive(id, 0, content);
      return await storage.snapshots.loadReceived(id).then(() => undefined, (error) => error);
    };
    expect(await refusal(bytes)).toBeUndefined();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const error = await refusal(flipped);
      if (!(error instanceof MetadataCorrupt)) throw new Error(`bit ${bit} was not found`);
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(await refusal(bytes.subarray(0, length))).toBeInstanceOf(MetadataCorrupt);
    }
    expect(await refusal(new Uint8Array([...bytes, 0]))).toBeInstanceOf(MetadataCorrupt);
  });
});
