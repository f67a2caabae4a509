/**
 * What a voter keeps on its disk: the metadata log, `quorum-state` and snapshots, and what a start makes
 * of them.
 *
 *     snapshot S1      snapshot S2
 *          │                │
 *          ├──── log ───────┼───────────► end       the log reaches back to the older one
 *
 * A log that ends below the newest snapshot, or whose batch below it is of another term, is what a crash
 * left between a snapshot's installation and the beginning of the log anew: it begins anew then
 * (Raft §7). Everything else that does not fit together is damage: the node does not start, and nothing
 * is removed.
 * Not here: when to write what (`raft_writer.ts`). Longer than most: what a start may find is told in one
 * place.
 */
import { type Disk, DiskFault, isPassing } from "../../env/disk.ts";
import type { Trace } from "../../env/trace.ts";
import { assert } from "../../ground/assert.ts";
import { concat } from "../../ground/concat.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import { type Ms, type Offset, toOffset } from "../../ground/numbers.ts";
import { segmentFileName } from "../../log/format.ts";
import type { Log } from "../../log/log.ts";
import type { LogSlice } from "../../log/reading/log_slice.ts";
import type { Configuration, ReplicaKey } from "../../raft/configuration.ts";
import type { Entry, SnapshotId } from "../../raft/entry.ts";
import type { HardState } from "../../raft/ready.ts";
import { BatchView } from "../../record/batch_view.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import { MetadataCorrupt } from "./not_controller.ts";
import { entryOf, leaderIn, newCursor } from "./quorum_batches.ts";
import { readQuorumState, writeQuorumState } from "./quorum_state.ts";
import { snapshotFileName } from "./snapshot_file.ts";
import { type LoadedSnapshot, SnapshotStore } from "./snapshot_store.ts";

export interface RaftStorageOptions {
  readonly disk: Disk;
  readonly crc32c: Crc32c;
  readonly trace: Trace;
  /** Of the metadata log. */
  readonly directory: string;
  /**
   * Opens the log, anew after `closeNow`; it starts at `logStartOffset` where that is given, but not
   * before the start that was written down.
   */
  openLog(logStartOffset: Offset | undefined): Promise<Log>;
  /** Whether a log that was just opened is all of what a clean stop has closed; left out: it is not. */
  isWhole?(log: Log): boolean;
  /** Writes down, durably, up to where the log is durable; before it is cut. */
  writeRecoveryPoint(offset: Offset): Promise<void>;
  /** Writes down, durably, where the log starts. */
  writeLogStart(offset: Offset): Promise<void>;
  /** Files that are out of the log. */
  removeLater(paths: readonly string[]): void;
}

/** What a start found. */
export interface FoundState {
  readonly hardState: HardState;
  readonly snapshot: LoadedSnapshot | undefined;
  /** All behind the snapshot. */
  readonly entries: readonly Entry[];
  /** Who has led last, by the entries; undefined where they do not say, or not for certain. */
  readonly lastLeader?: { readonly id: number; readonly term: number } | undefined;
  /** Everything that this node ever appended is there: the last stop was a clean one. */
  readonly isWhole?: boolean;
}

const READ_BYTES = 1024 * 1024;

export class RaftStorage {
  readonly snapshots: SnapshotStore;
  readonly found: FoundState;
  readonly #options: RaftStorageOptions;
  #log: Log;

  /** Throws `MetadataCorrupt`, `LogFault` or a `DiskFault`; the log is closed then. */
  static async open(options: RaftStorageOptions): Promise<RaftStorage> {
    const { disk, directory, crc32c } = options;
    const snapshots = new SnapshotStore(options);
    const state = readQuorumState(disk, directory, crc32c);
    const newest = await loadNewest(snapshots, options);
    const [oldest] = snapshots.ids();
    // With two snapshots the log starts at the older one, whatever a checkpoint says.
    const isTrusted = newest.damaged === undefined && snapshots.ids().length > 1;
    const start = isTrusted ? oldest?.offset : undefined;
    let log = await options.openLog(start);
    try {
      const { snapshot, damaged } = newest;
      const isWhole = damaged === undefined && options.isWhole?.(log) === true;
      await refuseGap(log, newest);
      if (snapshot !== undefined && !await fits(log, snapshot.id)) {
        log = await beginAnew(log, snapshot.id, options);
      }
      if (log.logStartOffset > (snapshot?.id.offset ?? 0)) throw missingSnapshot(log, snapshot);
      const { entries, lastLeader } = await entriesBehind(log, snapshot?.id);
      const hardState = hardStateOf(state, { snapshot, entries, log });
      const found = { hardState, snapshot, entries, lastLeader, isWhole };
      return new RaftStorage(options, { snapshots, log, found });
    } catch (error) {
      log.closeNow();
      throw error;
    }
  }

  private constructor(
    options: RaftStorageOptions,
    opened: { readonly snapshots: SnapshotStore; readonly log: Log; readonly found: FoundState },
  ) {
    this.#options = options;
    this.snapshots = opened.snapshots;
    this.found = opened.found;
    this.#log = opened.log;
  }

  /** Another object after the log has begun anew. */
  get log(): Log {
    return this.#log;
  }

  get logEndOffset(): Offset {
    return this.#log.logEndOffset;
  }

  get crc32c(): Crc32c {
    return this.#options.crc32c;
  }

  async writeHardState(state: HardState): Promise<void> {
    const { disk, directory, crc32c } = this.#options;
    await writeQuorumState(disk, directory, { state, crc32c });
  }

  /** One batch to the log's end, in the page cache. */
  append(batch: Uint8Array, now: Ms): void {
    const view = new BatchView(batch);
    const lastOffset = toOffset(view.lastOffset());
    assert(view.baseOffset() === this.#log.logEndOffset, "the metadata log has no holes");
    this.#log.append(batch, {
      lastOffset,
      maxTimestamp: view.maxTimestamp(),
      leaderEpoch: view.partitionLeaderEpoch(),
    }, now);
  }

  /** Drops what lies behind `offset`, durably. */
  async truncateTo(offset: Offset): Promise<void> {
    const log = this.#log;
    await log.truncateTo(offset, () => writeHints(log, this.#options));
    assert(log.logEndOffset === offset, "the metadata log is cut between two batches");
  }

  /** The snapshot stands for the whole log, which begins anew at its end, durably. */
  async resetTo(snapshot: SnapshotId): Promise<void> {
    this.#log = await beginAnew(this.#log, snapshot, this.#options);
  }

  /** After a fault in the middle of a change: only opening the log anew tells what is left. */
  async reopen(): Promise<void> {
    this.#log.closeNow();
    this.#log = await this.#options.openLog(undefined);
  }

  sync(): Promise<Offset> {
    return this.#log.sync();
  }

  /** Begins a segment, so that those before can go one day; without room the next time will do. */
  roll(): void {
    try {
      this.#log.roll();
    } catch (fault) {
      if (!(fault instanceof DiskFault && isPassing(fault))) throw fault;
    }
  }

  /**
   * Whole batches from the one that begins at `from` on, below `upTo`: at most `bytesMax`, but always
   * one. Undefined where they are not there (any more).
   */
  read(
    from: Offset,
    upTo: Offset,
    bytesMax: number,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (upTo > this.#log.logEndOffset || !this.#log.isUsable) return undefined;
    const slice = this.#log.read(from, { bytesMax, upTo });
    if (slice instanceof Promise) return slice.then((found) => bytesOfSlice(found, from));
    return slice === undefined ? undefined : bytesOfSlice(slice, from);
  }

  /** Behind a durable snapshot: batches below `offset` will not be asked for any more. */
  async moveStart(offset: Offset): Promise<void> {
    const log = this.#log;
    if (!log.isUsable || offset <= log.logStartOffset) return;
    const [oldest] = this.snapshots.ids();
    assert(oldest !== undefined && offset <= oldest.offset, "the log reaches back to a snapshot");
    log.moveStart(offset);
    await this.#options.writeLogStart(offset);
    if (log === this.#log && log.isUsable) {
      this.#options.removeLater(await log.dropSegmentsBelowStart());
    }
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  closeNow(): void {
    this.#log.closeNow();
  }
}

interface Newest {
  readonly snapshot: LoadedSnapshot | undefined;
  /** A newer one that cannot be used, and why. */
  readonly damaged: { readonly id: SnapshotId; readonly reason: MetadataCorrupt } | undefined;
}

/**
 * The newest snapshot that is sound. Where a newer one is not, the one before may stand in for it, or
 * the log alone: only `refuseGap` knows whether the log reaches far enough.
 */
async function loadNewest(store: SnapshotStore, { trace }: RaftStorageOptions): Promise<Newest> {
  let damaged: Newest["damaged"];
  for (const id of [...store.ids()].reverse()) {
    try {
      // deno-lint-ignore no-await-in-loop -- the next one only where this one is damaged
      return { snapshot: await store.load(id), damaged };
    } catch (reason) {
      if (!(reason instanceof MetadataCorrupt)) throw reason;
      damaged ??= { id, reason };
      const fields = { path: store.pathOf(id), error: reason.message };
      trace.event("error", "a metadata snapshot is damaged", fields);
    }
  }
  return { snapshot: undefined, damaged };
}

/** The log must have all from the sound snapshot to the end of the damaged one, and the same history. */
async function refuseGap(log: Log, { snapshot, damaged }: Newest): Promise<void> {
  if (damaged === undefined) return;
  const isCovered = log.logStartOffset <= (snapshot?.id.offset ?? 0) &&
    log.logStartOffset < damaged.id.offset && await fits(log, damaged.id);
  if (!isCovered) throw notUsable(damaged.reason);
}

function notUsable(damage: MetadataCorrupt): MetadataCorrupt {
  return new MetadataCorrupt(
    `${damage.message}; no older snapshot and log stand for it, and nothing was changed. Put the file ` +
      "back from a copy, or remove this node from the quorum and add it again with an empty disk",
  );
}

function missingSnapshot(log: Log, snapshot: LoadedSnapshot | undefined): MetadataCorrupt {
  const newest = snapshot === undefined
    ? "there is no snapshot"
    : `the newest snapshot ends at ${snapshot.id.offset}`;
  return new MetadataCorrupt(
    `Cannot use ${log.directory}: the metadata log starts at offset ${log.logStartOffset}, and ` +
      `${newest}; nothing was changed. Put the missing snapshot back from a copy, or remove this node ` +
      "from the quorum and add it again with an empty disk",
  );
}

/** Whether the log goes on where the snapshot ends, with the same history below. */
async function fits(log: Log, { offset, term }: SnapshotId): Promise<boolean> {
  if (log.logEndOffset < offset) return false;
  if (log.logStartOffset >= offset) return true;
  const bytes = await bytesAt(log, toOffset(offset - 1), offset);
  const walk = new BatchWalk(bytes);
  let last: { readonly nextOffset: number; readonly term: number } | undefined;
  while (walk.next()) {
    last = { nextOffset: walk.batch.nextOffset(), term: walk.batch.partitionLeaderEpoch() };
  }
  return last?.nextOffset === offset && last.term === term;
}

/**
 * The log begins anew, empty, at the snapshot's end. The order is the point: what is in the way goes
 * first, then the new beginning is durable under its name, then the old segments go. After a crash on
 * the way the log ends below the snapshot, so that the next start does it again.
 */
async function beginAnew(log: Log, id: SnapshotId, options: RaftStorageOptions): Promise<Log> {
  const { disk, directory, trace } = options;
  trace.event("info", "the metadata log begins anew behind a snapshot", {
    snapshot: snapshotFileName(id),
    logEndOffset: log.logEndOffset,
  });
  if (log.logEndOffset > log.logStartOffset) {
    const first = log.segmentFacts()[0]?.baseOffset ?? log.logStartOffset;
    await log.truncateTo(first, () => writeHints(log, options));
  }
  log.closeNow();
  disk.open(`${directory}/${segmentFileName(id.offset, "log")}`, "write").close();
  await disk.syncDirectory(directory);
  const anew = await options.openLog(id.offset);
  assert(anew.logEndOffset === id.offset, "a log that begins anew is empty");
  await anew.sync();
  return anew;
}

/** Before a cut; in the middle of it there may be no segment that says where the log begins. */
async function writeHints(log: Log, options: RaftStorageOptions): Promise<void> {
  await options.writeLogStart(log.logStartOffset);
  await options.writeRecoveryPoint(log.recoveryPoint);
}

async function entriesBehind(
  log: Log,
  snapshot: SnapshotId | undefined,
): Promise<Pick<FoundState, "entries" | "lastLeader">> {
  const cursor = newCursor();
  const entries: Entry[] = [];
  let lastLeader: FoundState["lastLeader"];
  let next = Math.max(snapshot?.offset ?? 0, log.logStartOffset);
  while (next < log.logEndOffset) {
    // deno-lint-ignore no-await-in-loop -- each read starts where the last one ended
    const walk = new BatchWalk(await bytesAt(log, toOffset(next), log.logEndOffset));
    const before = next;
    while (walk.next()) {
      if (walk.batch.baseOffset() !== next) throw hole(next);
      const entry = entryOf(walk.batch, cursor);
      if (entry.isLeaderChange === true) {
        lastLeader = { id: leaderIn(walk.batch, cursor), term: entry.term };
      }
      entries.push(entry);
      next = walk.batch.nextOffset();
    }
    if (next === before) throw hole(next);
  }
  return { entries, lastLeader };
}

function hole(offset: number): MetadataCorrupt {
  return new MetadataCorrupt(`Cannot read a batch of metadata at offset ${offset}`);
}

async function bytesAt(log: Log, offset: Offset, upTo: Offset): Promise<Uint8Array> {
  const slice = await log.read(offset, { bytesMax: READ_BYTES, upTo });
  const bytes = slice === undefined ? undefined : await wholeSlice(slice);
  if (bytes === undefined) throw hole(offset);
  return bytes;
}

/**
 * The vote that was written, and at least the term of the last batch. A log of this version never is
 * without the file: the term is durable before the first batch of it is there. A snapshot that was
 * fetched may be there before its term is; the machine takes the term from it then.
 */
function hardStateOf(
  state: HardState | undefined,
  { snapshot, entries, log }: Pick<FoundState, "snapshot" | "entries"> & { readonly log: Log },
): HardState {
  const lastTerm = entries.at(-1)?.term ?? snapshot?.id.term ?? 0;
  const lastWritten = entries.at(-1)?.term ?? 0;
  if (state !== undefined && state.term >= lastWritten) return state;
  const isOfQuorum = state !== undefined || snapshot !== undefined || lastTerm > 0 ||
    entries.some((entry) => entry.isLeaderChange === true || entry.configuration !== undefined);
  if (!isOfQuorum) return { term: lastTerm };
  const what = state === undefined
    ? "missing"
    : `older (term ${state.term}) than the log (${lastTerm})`;
  throw new MetadataCorrupt(
    `Cannot use ${log.directory}: quorum-state is ${what}, so that it is not known for whom this node ` +
      "voted; nothing was changed. Put the file back from a copy that is not older, or remove this " +
      "node from the quorum and add it again with an empty disk",
  );
}

function bytesOfSlice(
  slice: LogSlice | undefined,
  from: Offset,
): Uint8Array | undefined | Promise<Uint8Array | undefined> {
  if (slice === undefined) return undefined;
  const bytes = wholeSlice(slice);
  if (bytes instanceof Promise) return bytes.then((found) => beginsAt(found, from));
  return beginsAt(bytes, from);
}

function beginsAt(bytes: Uint8Array, from: Offset): Uint8Array | undefined {
  const walk = new BatchWalk(bytes);
  return walk.next() && walk.batch.baseOffset() === from ? bytes : undefined;
}

/** In memory of its own where it came from memory: what lies in the tail cache is lent. */
function wholeSlice({ parts }: LogSlice): Uint8Array | Promise<Uint8Array> {
  if (parts.every((part) => part instanceof Uint8Array)) return concat(parts as Uint8Array[]);
  return readParts(parts);
}

async function readParts(parts: LogSlice["parts"]): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (const part of parts) {
    if (part instanceof Uint8Array) pieces.push(part);
    else {
      try {
        // deno-lint-ignore no-await-in-loop -- in the order of the log
        pieces.push(await part.file.read(part.position, part.byteLength));
      } finally {
        part.release();
      }
    }
  }
  return concat(pieces);
}

/**
 * Whether this node led alone when it was stopped, and may go on in its term (`raft/resumption.ts`): by
 * what it has on its disk only, so that nobody who was in the configuration since can be overlooked.
 */
export function mayResume(
  { hardState: { term, votedFor }, snapshot, entries, lastLeader, isWhole }: FoundState,
  self: ReplicaKey,
): boolean {
  const { voters: [only, ...others], outgoing, learners } = startConfiguration(
    { snapshot, entries },
    { voters: [], learners: [] },
  );
  if (isWhole !== true || only === undefined || votedFor === undefined) return false;
  const isSelf = ({ id, directoryId }: ReplicaKey): boolean =>
    id === self.id && directoryId === self.directoryId; // one that is not known is another one here
  const isAlone = others.length + learners.length === 0 && outgoing === undefined && isSelf(only);
  const isLeader = lastLeader?.id === self.id && lastLeader.term === term && isSelf(votedFor);
  return isAlone && isLeader && entries.at(-1)?.term === term;
}

/** Of the configuration that is in force where a start has found nothing but settings. */
export function startConfiguration(
  { snapshot, entries }: Pick<FoundState, "snapshot" | "entries">,
  bootstrap: Configuration,
): Configuration {
  const last = entries.findLast((entry) => entry.configuration !== undefined);
  return last?.configuration ?? snapshot?.configuration ?? bootstrap;
}
