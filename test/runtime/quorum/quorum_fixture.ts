/** Voters on disks in memory, with a clock that stands still and wires that a test can cut. */
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { type Offset, toMs, toOffset } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { bytesOf, textOf } from "../../../src/ground/text.ts";
import { uuidFromEntropy } from "../../../src/ground/uuid.ts";
import type { DiskFault } from "../../../src/env/disk.ts";
import { writeAtomically } from "../../../src/log/atomic_file.ts";
import type { Log } from "../../../src/log/log.ts";
import type { Decision } from "../../../src/metadata/decision.ts";
import type { ClusterImage } from "../../../src/metadata/image.ts";
import type { MetadataRecord } from "../../../src/metadata/record.ts";
import type { Voter } from "../../../src/raft/configuration.ts";
import type { SnapshotId } from "../../../src/raft/entry.ts";
import type { Message } from "../../../src/raft/message.ts";
import { MetadataQuorum } from "../../../src/runtime/quorum/metadata_quorum.ts";
import { encodeRecords } from "../../../src/runtime/quorum/quorum_batches.ts";
import { RaftStorage } from "../../../src/runtime/quorum/raft_storage.ts";
import type { RaftTransport, SnapshotChunk } from "../../../src/runtime/quorum/raft_transport.ts";
import type { SnapshotLimits } from "../../../src/runtime/quorum/snapshot_taker.ts";
import { ManualClock } from "../../client/manual_clock.ts";
import { LogFixture } from "../../log/log_fixture.ts";
import { makeDurable } from "../../log/crash_fixture.ts";
import { MemoryDisk } from "../../log/memory_disk.ts";

export const DIRECTORY = "/data/__cluster_metadata-0";
const POINT = "/data/recovery-point";
const START = "/data/log-start";
export const NO_LIMITS: SnapshotLimits = { bytesMax: 1 << 30, intervalMs: 0 };

/** A disk on which the directory of the metadata log is there for good. */
export function newDisk(): MemoryDisk {
  const disk = new MemoryDisk();
  disk.makeDirectory(DIRECTORY);
  return makeDurable(disk);
}

export interface OpenedStorage {
  readonly storage: RaftStorage;
  readonly events: string[];
  /** Paths that were handed over to be removed. */
  readonly removed: string[];
}

export async function openStorage(
  disk: MemoryDisk,
  settings: { readonly segmentBytes?: number } = {},
): Promise<OpenedStorage> {
  const removed: string[] = [];
  const events: string[] = [];
  const trace = {
    event: (level: string, message: string): void => void events.push(`${level} ${message}`),
  };
  const hint = (path: string): Offset => {
    const bytes = disk.readWhole(path);
    return toOffset(bytes === undefined ? 0 : Number(textOf(bytes)));
  };
  const storage = await RaftStorage.open({
    disk,
    crc32c: crc32cTables,
    trace,
    directory: DIRECTORY,
    openLog: async (start): Promise<Log> => {
      const { log } = await LogFixture.open({
        disk,
        directory: DIRECTORY,
        settings,
        tailBytes: 1 << 20,
        recoveryPoint: hint(POINT),
        isRecoveryPointWritten: true,
        logStartOffset: Math.max(start ?? 0, hint(START)),
      });
      if (log.recoveryPoint < log.logEndOffset) await log.sync();
      return log;
    },
    writeRecoveryPoint: (offset) => writeAtomically(disk, POINT, bytesOf(String(offset))),
    writeLogStart: (offset) => writeAtomically(disk, START, bytesOf(String(offset))),
    removeLater: (paths) => void removed.push(...paths),
  });
  disks.set(storage, disk);
  return { storage, events, removed };
}

const disks = new WeakMap<RaftStorage, MemoryDisk>();

/** What the upkeep of checkpoints does now and then: the next start holds the log to it. */
export async function writePoint(storage: RaftStorage): Promise<void> {
  const disk = disks.get(storage) as MemoryDisk;
  await writeAtomically(disk, POINT, bytesOf(String(storage.log.recoveryPoint)));
}

/** One batch of records that take up producer ids: what an image says of it is one number. */
export function batchAt(baseOffset: number, term: number, count = 1): Uint8Array {
  const records = Array.from({ length: count }, (_, index) => idsRecord(baseOffset + index + 1));
  return encodeRecords(records, { baseOffset, term, timestamp: 1000 }, crc32cTables);
}

export function idsRecord(nextProducerId: number): MetadataRecord {
  return { kind: "producer-ids", version: 0, brokerId: 1, nextProducerId };
}

/** A decision that answers with the number that it takes. */
export function takeNumber(image: ClusterImage): Decision<number> {
  const next = image.nextProducerId + 1;
  return { records: [idsRecord(next)], reply: next };
}

export const NOW = toMs(1000);

export interface ClusterNode {
  readonly id: number;
  readonly voter: Voter;
  disk: MemoryDisk;
  storage: RaftStorage;
  quorum: MetadataQuorum;
  readonly diskFaults: DiskFault[];
  readonly corrupt: Error[];
  readonly events: string[];
}

const WIRE_MS = 1;
const CHUNK_BYTES = 64;

export class TestCluster {
  readonly clock = new ManualClock();
  readonly nodes = new Map<number, ClusterNode>();
  /** "1>2": nothing of 1 comes to 2. */
  readonly cuts = new Set<string>();
  readonly voters: readonly Voter[];
  /** Decides over each message; undefined is none that comes. */
  onMessage: (to: number, message: Message) => Message | undefined = (_to, message) => message;
  /** Decides over each piece of a snapshot; may throw. */
  onChunk: (chunk: SnapshotChunk, position: number) => SnapshotChunk = (chunk) => chunk;
  limits: SnapshotLimits = NO_LIMITS;
  segmentBytes = 1 << 30;
  readonly #chance: Prng;

  constructor(count: number, seed = 1) {
    this.#chance = new Prng(seed);
    this.voters = Array.from({ length: count }, (_, index) => ({
      id: index + 1,
      directoryId: uuidFromEntropy(new Prng(index + 1).bytes(16)),
      host: `node${index + 1}`,
      port: 9092,
    }));
  }

  static async start(count: number, seed?: number): Promise<TestCluster> {
    const cluster = new TestCluster(count, seed);
    for (const { id } of cluster.voters) await cluster.open(id, newDisk());
    await cluster.leader();
    return cluster;
  }

  node(id: number): ClusterNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`node ${id} does not run`);
    return node;
  }

  async open(id: number, disk: MemoryDisk): Promise<ClusterNode> {
    const { storage, events } = await openStorage(disk, { segmentBytes: this.segmentBytes });
    const voter = this.voters[id - 1] as Voter;
    const diskFaults: DiskFault[] = [];
    const corrupt: Error[] = [];
    const quorum = await MetadataQuorum.over({
      storage,
      self: voter,
      bootstrap: { voters: this.voters, learners: [] },
      transport: this.#transportOf(id),
      clock: this.clock,
      random: this.#chance.fork(),
      trace: { event: (level, message) => void events.push(`${level} ${message}`) },
      snapshots: this.limits,
      onDiskFault: (fault) => void diskFaults.push(fault),
      onCorrupt: (fault) => void corrupt.push(fault),
    });
    const node = { id, voter, disk, storage, quorum, diskFaults, corrupt, events };
    this.nodes.set(id, node);
    quorum.node.start();
    return node;
  }

  /** Ends a node; what it leaves is its disk as it is, or as a loss of power leaves it. */
  end(id: number, how: "kill" | "crash"): MemoryDisk {
    const node = this.node(id);
    this.nodes.delete(id);
    node.quorum.abandon();
    return how === "kill" ? node.disk.kill() : node.disk.crash();
  }

  /** The one who may decide, when there is one. */
  async leader(): Promise<ClusterNode> {
    for (let step = 0; step < 2000; step++) {
      const leaders = [...this.nodes.values()].filter(({ quorum }) => quorum.isLeader);
      const terms = leaders.map(({ quorum }) => quorum.leader()?.term ?? 0);
      const newest = leaders[terms.indexOf(Math.max(...terms))];
      if (newest !== undefined) return newest;
      await this.clock.advance(10);
    }
    throw new Error("nobody leads");
  }

  follower(leader: ClusterNode): ClusterNode {
    return [...this.nodes.values()].find(({ id }) => id !== leader.id) as ClusterNode;
  }

  /** Both ways, from everybody. */
  isolate(id: number): void {
    for (const { id: other } of this.voters) {
      this.cuts.add(`${id}>${other}`);
      this.cuts.add(`${other}>${id}`);
    }
  }

  heal(): void {
    this.cuts.clear();
  }

  /** Lets time pass until it holds. */
  async until(holds: () => boolean, what: string): Promise<void> {
    for (let step = 0; step < 3000; step++) {
      if (holds()) return;
      await this.clock.advance(10);
    }
    throw new Error(`never: ${what}`);
  }

  /** All that run have come to the same offset, with the same image. */
  async converge(): Promise<number> {
    const nodes = [...this.nodes.values()];
    const end = (): number => Math.max(...nodes.map(({ storage }) => storage.logEndOffset));
    await this.until(
      () => nodes.every(({ quorum }) => quorum.appliedOffset === end()),
      "all have applied all",
    );
    const numbers = new Set(nodes.map(({ quorum }) => quorum.image.nextProducerId));
    if (numbers.size !== 1) throw new Error(`images differ: ${[...numbers].join(" ")}`);
    return nodes[0]?.quorum.image.nextProducerId ?? 0;
  }

  take(node: ClusterNode): Promise<number> {
    return this.clock.until(node.quorum.propose(takeNumber));
  }

  #transportOf(from: number): RaftTransport {
    return {
      send: (to, message) => {
        this.clock.after(WIRE_MS, () => {
          if (this.cuts.has(`${from}>${to.id}`)) return;
          const passed = this.onMessage(to.id, message);
          if (passed !== undefined) this.nodes.get(to.id)?.quorum.node.onMessage(passed);
        });
      },
      fetchSnapshot: (to, snapshot, position) =>
        this.#chunk(`${from}>${to.id}`, to.id, {
          snapshot,
          position,
        }),
    };
  }

  async #chunk(
    wire: string,
    to: number,
    { snapshot, position }: { readonly snapshot: SnapshotId; readonly position: number },
  ): Promise<SnapshotChunk> {
    await new Promise<void>((resolve) => this.clock.after(WIRE_MS, resolve));
    const store = this.nodes.get(to)?.quorum.node.snapshotStore;
    const chunk = this.cuts.has(wire)
      ? undefined
      : await store?.readChunk(snapshot, position, CHUNK_BYTES);
    if (chunk === undefined) throw new Error("no answer");
    return this.onChunk(chunk, position);
  }
}

/** What a promise came to, as it came to it. */
export function settled<T>(promise: Promise<T>): { value?: T; error?: unknown } {
  const found: { value?: T; error?: unknown } = {};
  promise.then((value) => found.value = value, (error: unknown) => found.error = error);
  return found;
}
