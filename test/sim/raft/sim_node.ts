/**
 * One node: the production machine and a driver that does what its `Ready` asks, on a simulated disk.
 *
 * Longer than most: it is the whole contract between machine and driver, in the order of `Ready`, and the
 * driver's own planted bugs stand at the places where the rule is kept.
 *
 * Not here: when anything happens (the world's queue) and whether it was right (the invariants).
 */
import { AssertionFailure } from "../../../src/ground/assert.ts";
import { toOffset } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import type { Configuration, ReplicaKey } from "../../../src/raft/configuration.ts";
import type { Entry } from "../../../src/raft/entry.ts";
import type { Input } from "../../../src/raft/input.ts";
import type { Message } from "../../../src/raft/message.ts";
import { Raft } from "../../../src/raft/raft.ts";
import type {
  HardState,
  Outgoing,
  Persist,
  SnapshotToFetch,
  SoftState,
} from "../../../src/raft/ready.ts";
import type { VoterChange } from "../../../src/raft/voter_change.ts";
import { bytesOf, payloadIn } from "./batch_bytes.ts";
import { DriverBugs } from "./driver_bugs.ts";
import { mayResume } from "./clean_stop.ts";
import { EventKind } from "./event_queue.ts";
import { isQuiet } from "./quiet.ts";
import { SimDisk } from "./sim_disk.ts";
import { SimState } from "./sim_state.ts";
import { type Stored, StoredLog, type StoredSnapshot } from "./stored_log.ts";
import type { World } from "./world.ts";

const NO_RECORDS = new Uint8Array(0);
const FOLLOWER: SoftState = { role: "follower", term: 0, isReadyToDecide: false };

interface Held {
  readonly number: number;
  readonly messages: readonly Outgoing[];
}

export interface Applying {
  readonly batches: readonly Stored[];
  readonly upTo: number;
  readonly stateLife: number;
}

export interface Fetched {
  readonly wanted: SnapshotToFetch;
  readonly fetchNumber: number;
}

export class SimNode {
  readonly index: number;
  readonly id: number;
  key: ReplicaKey;
  /** Counts starts; an event of another life means nothing to this one. */
  life = 0;
  isPaused = false;
  raft: Raft | undefined;
  disk = new SimDisk();
  /** Disks this node had under other directory ids, as they were when they were lost. */
  readonly formerDisks = new Map<Uuid, SimDisk>();
  /** The log as the machine believes it to be. */
  log = new StoredLog();
  soft: SoftState = FOLLOWER;
  handedHardState: HardState = { term: 0 };
  state: SimState;
  /** What the machine said of itself after the last event, and its configuration before that. */
  term = 0;
  commitOffset = 0;
  configuration: Configuration;
  configurationBefore: Configuration;
  /** When (by its own clock) something of each node last arrived here. */
  readonly heardAtMs: Float64Array;
  slowFactor = 1;
  /** Its clock runs so many thousandths of the world's. */
  clockPermille: number;
  isFetching = false;
  votedFor: ReplicaKey | undefined;
  /** The newest round of reads that left this node. */
  readSequence = 0;
  readonly #world: World;
  #held: Held[] = [];
  #handedNumber = 0;
  #durableNumber = 0;
  #isSyncing = false;
  /** The last event caused nothing: there is nothing new to look at. */
  #wasQuiet = false;
  #armedAtMs = Infinity;
  #wakeAtMs = 0;
  #appliesUntilMs = 0;
  #stateLife = 0;
  #fetchNumber = 0;
  #diskCount = 0;
  /** Since its last crash there was an election, or another leader. */
  #isSettled = false;
  /** It went on leading where a clean stop had ended. */
  #resumes = false;
  readonly #bugs: DriverBugs;

  constructor(world: World, index: number, clockPermille: number) {
    this.#world = world;
    this.index = index;
    this.id = index + 1;
    this.key = world.keyOf(index, 0);
    this.clockPermille = clockPermille;
    this.#bugs = new DriverBugs(world.sabotage);
    this.state = new SimState(this, world, undefined);
    this.configuration = world.bootstrap;
    this.configurationBefore = world.bootstrap;
    this.heardAtMs = new Float64Array(world.options.nodeCount);
  }

  get isUp(): boolean {
    return this.raft !== undefined;
  }

  /** The node's own clock. */
  now(): number {
    return Math.floor(this.#world.nowMs * this.clockPermille / 1_000);
  }

  /** Opens the disk and makes a machine of what is there. */
  start(): void {
    const world = this.#world;
    const batches = this.disk.open();
    if (batches === undefined) {
      world.fail(
        "log reaches its snapshot",
        `node ${this.id}: log starts at ${this.disk.log.startOffset}`,
      );
      return;
    }
    const snapshot = this.disk.newestSnapshot();
    this.life++;
    this.log = new StoredLog();
    if (snapshot !== undefined) this.log.resetTo(snapshot.id);
    for (const stored of batches) this.log.push(stored);
    this.#forget(snapshot);
    world.checkStart(this);
    const resumes = mayResume(this, world);
    this.#isSettled = this.disk.isWhole; // of this disk: it may be another one than before
    this.disk.isWhole = false;
    this.#resumes = resumes;
    const { electionTimeoutMs, heartbeatMs, appendBytesMax, inflightMax } = world.options;
    this.#guarded(() => {
      this.raft = new Raft({
        self: this.key,
        bootstrap: world.bootstrap,
        hardState: this.disk.hardState,
        ...(snapshot === undefined
          ? {}
          : { snapshot: { ...snapshot.id, configuration: snapshot.configuration } }),
        entries: batches.map(({ entry }) => entry),
        resumes,
        options: {
          electionTimeoutMs,
          heartbeatMs,
          appendBytesMax,
          inflightMax,
          ...(world.machineSabotage === undefined ? {} : { sabotage: world.machineSabotage }),
        },
        random: new Prng(world.random.u32()),
        now: this.now(),
      });
      this.#look();
      this.#drain();
    });
  }

  #forget(snapshot: StoredSnapshot | undefined): void {
    this.soft = FOLLOWER;
    this.handedHardState = this.disk.hardState;
    this.state = new SimState(this, this.#world, snapshot);
    this.commitOffset = 0;
    this.term = 0;
    this.heardAtMs.fill(this.now());
    this.#held = [];
    this.#handedNumber = 0;
    this.#durableNumber = 0;
    this.#isSyncing = false;
    this.#armedAtMs = Infinity;
    this.#stateLife++;
    this.#fetchNumber++;
    this.isFetching = false;
    this.#appliesUntilMs = 0;
  }

  /** The process is gone; the disk keeps what it keeps. */
  stop(random: Prng): void {
    this.raft = undefined;
    this.life++;
    this.isPaused = false;
    this.soft = FOLLOWER;
    this.disk.crash(random, this.#world.options.disk.mayKeepUnsynced);
    this.disk = this.#bugs.afterCrash(this.disk, random);
    this.disk.isWhole = false;
    this.#isSettled = false;
  }

  /** The process ends by itself, when all is written. */
  stopCleanly(): void {
    this.disk.sync(Infinity);
    // Where nothing has happened since a crash, nothing is known to be whole.
    this.disk.isWhole = this.#isSettled;
    this.raft = undefined;
    this.life++;
    this.isPaused = false;
    this.soft = FOLLOWER;
  }

  /** The disk is exchanged for an empty one: the node is somebody else from now on. */
  emptyDisk(): void {
    this.formerDisks.set(this.key.directoryId, this.disk);
    this.disk = new SimDisk();
    this.#bugs.forget();
    if (!this.#world.sabotage.has("directory-id-kept")) {
      this.key = this.#world.keyOf(this.index, ++this.#diskCount);
    }
  }

  /** The disk it has, or had, under this directory id. */
  diskOf(directoryId: Uuid): SimDisk | undefined {
    const isPresent = this.key.directoryId === directoryId || !this.#world.areDirectoriesKnown;
    return isPresent ? this.disk : this.formerDisks.get(directoryId);
  }

  /** Each has the other's disk, and with it its directory id; both are down. */
  swapDisks(other: SimNode): void {
    const { disk, key } = this;
    this.#takeDisk(other.disk, other.key.directoryId);
    other.#takeDisk(disk, key.directoryId);
  }

  #takeDisk(disk: SimDisk, directoryId: Uuid): void {
    this.formerDisks.set(this.key.directoryId, this.disk);
    this.disk = disk;
    this.key = { id: this.id, directoryId };
  }

  /** Whether the disk that the key names holds the batch durably. */
  holdsDurably(key: ReplicaKey, stored: Stored): boolean {
    return this.diskOf(key.directoryId)?.holds(stored) ?? false;
  }

  /** As `#guarded`, without a closure: nearly every event comes this way. */
  step(input: Input): void {
    const { raft } = this;
    if (raft === undefined) return;
    try {
      raft.step(this.now(), input);
      if (input.kind === "message") this.#world.checkInput(this, input);
      this.#drain();
    } catch (error) {
      this.#caught(error);
      return;
    }
    if (!this.#wasQuiet) this.#world.checkStep(this);
  }

  /** A tick that is not the one last armed was overtaken by an earlier one. */
  onTick(): void {
    if (this.#world.nowMs !== this.#armedAtMs) return;
    this.#armedAtMs = Infinity;
    if (this.now() >= this.#wakeAtMs) this.step({ kind: "tick" });
    else this.#arm();
  }

  onMessage(message: Message): void {
    this.heardAtMs[message.from.id - 1] = this.now();
    let taken = message;
    for (const tamper of this.#world.incoming) taken = tamper(this, taken);
    this.step({ kind: "message", message: taken });
  }

  onSynced(number: number): void {
    this.#isSyncing = false;
    this.disk.sync(number);
    this.#durableNumber = number;
    this.#syncMaybe();
    while (this.#held.length > 0 && (this.#held[0] as Held).number <= number) {
      for (const message of (this.#held.shift() as Held).messages) this.#send(message);
    }
    this.step({ kind: "persisted", number });
  }

  onApplied({ batches, upTo, stateLife }: Applying): void {
    if (stateLife !== this.#stateLife) return;
    for (const stored of batches) this.state.apply(stored);
    this.state.answerReads();
    this.step({ kind: "applied", offset: toOffset(upTo) });
  }

  propose(): void {
    this.#guarded(() => {
      const recordCount = 1 + this.#world.random.below(3);
      const proposed = this.raft?.propose(this.now(), { recordCount, byteLength: 8 });
      if (proposed !== undefined && typeof proposed !== "string") {
        this.state.proposed(proposed.baseOffset, proposed.term, this.#world.newPayload());
      }
      this.#drain();
    });
  }

  read(): void {
    const token = this.#world.newPayload();
    this.state.ask(token);
    this.#guarded(() => {
      this.raft?.read(this.now(), token);
      this.#drain();
    });
  }

  changeVoters(change: VoterChange): string {
    let answer = "down";
    this.#guarded(() => {
      answer = this.raft?.changeVoters(this.now(), change) ?? answer;
      this.#drain();
    });
    return answer;
  }

  transfer(to: ReplicaKey | undefined): void {
    this.#guarded(() => {
      this.raft?.transferLeadership(this.now(), to);
      this.#drain();
    });
  }

  /** Writes the state as a snapshot; it counts once it is durable under its name. */
  takeSnapshot(tellOlder: boolean): void {
    const world = this.#world;
    const upTo = world.sabotage.has("snapshot-ahead-of-log")
      ? this.log.endOffset
      : this.state.appliedOffset;
    if (upTo <= (this.disk.newestSnapshot()?.id.offset ?? 0)) return;
    const term = this.log.termAtEnd(upTo);
    if (term === undefined) return; // the log was reset and nothing applied since
    const snapshot: StoredSnapshot = {
      id: { offset: toOffset(upTo), term },
      configuration: this.state.configuration,
      stateHash: this.state.hashAt(upTo, this.log),
    };
    world.checkSnapshot(this, snapshot);
    const keep = (): void => this.disk.keepSnapshot(snapshot);
    const tell = (): void => this.#dropLog(tellOlder, snapshot);
    if (world.sabotage.has("log-start-before-snapshot")) {
      tell();
      world.later(this, this.#diskDelayMs() * 2, keep);
    } else {
      world.later(this, this.#diskDelayMs() * 2, () => {
        keep();
        tell();
      });
    }
  }

  #dropLog(tellOlder: boolean, newest: StoredSnapshot): void {
    const oldest = this.disk.snapshots[0];
    const { id } = tellOlder && oldest !== undefined ? oldest : newest;
    this.log.dropBelow(id.offset);
    this.disk.log.dropBelow(id.offset);
    this.step({ kind: "snapshot-taken", snapshot: id });
  }

  /** A snapshot has come over the network, or not. */
  onFetched({ wanted, fetchNumber }: Fetched): void {
    if (fetchNumber !== this.#fetchNumber) return;
    const { snapshot, configuration } = wanted;
    const found = this.#world.snapshotOf(wanted.from, this.index, snapshot);
    if (found === undefined) {
      this.isFetching = false;
      this.step({ kind: "snapshot-failed", snapshot });
      return;
    }
    const install = (): void => {
      if (fetchNumber !== this.#fetchNumber) return;
      this.isFetching = false;
      const isEarly = this.#world.sabotage.has("snapshot-told-early");
      if (!isEarly) this.disk.keepSnapshot(found);
      this.step({ kind: "snapshot-installed", snapshot, configuration });
      if (isEarly) this.disk.keepSnapshot(found);
    };
    this.#world.later(this, this.#diskDelayMs(), install);
  }

  /** Runs a call into the machine; what it asserts is a finding like any other. */
  #guarded(call: () => void): void {
    if (this.raft === undefined && this.life === 0) return;
    try {
      call();
    } catch (error) {
      this.#caught(error);
      return;
    }
    if (this.raft !== undefined && !this.#wasQuiet) this.#world.checkStep(this);
  }

  #caught(error: unknown): void {
    if (!(error instanceof AssertionFailure)) throw error;
    this.#world.fail("the machine's own assertion", `node ${this.id}: ${error.message}`);
  }

  #look(): void {
    const { raft } = this;
    if (raft === undefined) return;
    this.configurationBefore = this.configuration;
    this.configuration = raft.configuration();
    this.term = raft.term();
    this.votedFor = raft.votedFor();
    this.commitOffset = raft.commitOffset();
  }

  #drain(): void {
    if (this.raft === undefined) return;
    const ready = this.raft.ready();
    this.#wasQuiet = isQuiet(ready);
    if (this.#wasQuiet) {
      this.#wakeAtMs = ready.wakeAt;
      this.#arm();
      return;
    }
    if (ready.persist !== undefined) this.#persist(ready.persist);
    for (const message of ready.sendNow) this.#send(message);
    if (ready.sendWhenDurable.length > 0) this.#sendWhenDurable(ready.sendWhenDurable);
    if (ready.apply !== undefined) this.#scheduleApply(ready.apply);
    if (ready.fetchSnapshot !== undefined) this.#fetch(ready.fetchSnapshot);
    if (ready.reads.length > 0) this.state.takeReads(ready.reads);
    this.#look();
    if (ready.softState !== undefined) this.#changeSoftState(ready.softState);
    this.#wakeAtMs = ready.wakeAt;
    this.#arm();
  }

  #changeSoftState(soft: SoftState): void {
    const wasLeader = this.soft.role === "leader" && this.soft.term === soft.term;
    this.soft = soft;
    if (soft.leader !== undefined) this.#isSettled = true;
    this.#world.note(this.index, `is ${soft.role} of term ${soft.term}`);
    if (soft.role === "leader" && !wasLeader) {
      this.heardAtMs.fill(this.now());
      if (!this.#resumes) this.disk.leadingLife = this.life;
      this.#world.checkLead(this);
    }
  }

  #persist(persist: Persist): void {
    const world = this.#world;
    this.#handedNumber = persist.number;
    if (persist.hardState !== undefined) this.handedHardState = persist.hardState;
    if (persist.resetTo !== undefined) this.#resetTo(persist);
    if (persist.truncateTo !== undefined) {
      world.checkTruncate(this, persist.truncateTo);
      this.log.truncateTo(persist.truncateTo);
      this.state.truncate(persist.truncateTo);
    }
    const batches: Stored[] = [];
    for (const entry of persist.entries) batches.push(this.#stored(entry, persist));
    for (const stored of batches) {
      world.checkAppend(this, stored);
      this.log.push(stored);
    }
    this.disk.write({
      number: persist.number,
      hardState: this.#bugs.written(persist.hardState),
      truncateTo: persist.truncateTo,
      resetTo: persist.resetTo,
      batches,
    });
    this.#syncMaybe();
  }

  #resetTo({ resetTo }: Persist): void {
    const snapshot = this.disk.snapshots.find(({ id }) =>
      id.offset === resetTo?.offset && id.term === resetTo.term
    );
    if (snapshot === undefined) {
      this.#world.fail(
        "a snapshot is durable before it rules",
        `node ${this.id}: ${resetTo?.offset}`,
      );
      return;
    }
    this.#world.checkSnapshot(this, snapshot);
    this.log.resetTo(snapshot.id);
    this.#stateLife++;
    this.state.replace(snapshot);
  }

  /** The payload of a batch: the proposer's, the leader's bytes, or one of the driver's own. */
  #stored(entry: Entry, { records }: Persist): Stored {
    if (records === undefined) {
      const own = this.state.payloadOf(entry.baseOffset, entry.term);
      return { entry, payload: own ?? this.#world.newPayload() };
    }
    const payload = payloadIn(records, entry);
    if (payload !== undefined) return { entry, payload };
    this.#world.fail("a batch comes with its bytes", `node ${this.id}: ${entry.baseOffset}`);
    return { entry, payload: 0 };
  }

  #diskDelayMs(): number {
    const { syncMinMs, syncMeanMs } = this.#world.diskDelays(this);
    const delayMs = syncMinMs + this.#world.random.below(syncMeanMs * 32 + 1) / 16;
    return delayMs * this.slowFactor;
  }

  /** One sync at a time, for all that was written before it began (group commit). */
  #syncMaybe(): void {
    if (this.#isSyncing || this.#durableNumber >= this.#handedNumber) return;
    this.#isSyncing = true;
    const delayMs = this.#diskDelayMs();
    this.#world.schedule(EventKind.Synced, this, delayMs, this.#handedNumber);
  }

  #sendWhenDurable(messages: readonly Outgoing[]): void {
    if (this.#durableNumber >= this.#handedNumber) {
      for (const message of messages) this.#send(message);
      return;
    }
    const held: Outgoing[] = [];
    for (const message of messages) {
      if (this.#bugs.leavesEarly(message)) this.#send(message);
      else held.push(message);
    }
    if (held.length > 0) this.#held.push({ number: this.#handedNumber, messages: held });
  }

  #send(leaving: Outgoing): void {
    const world = this.#world;
    let outgoing = leaving;
    for (const tamper of world.leaving) outgoing = tamper(this, outgoing);
    if (outgoing.kind !== "AppendRequest") {
      world.checkSend(this, outgoing);
      world.send(this, outgoing);
      return;
    }
    const { kind, from, to, term, prevOffset, prevTerm, entries, commitOffset, readSequence } =
      outgoing;
    this.readSequence = readSequence;
    const { range } = outgoing;
    const records = range === undefined ? NO_RECORDS : bytesOf(this.log, range.from, entries);
    if (records === undefined) return; // cut off or dropped from the log in the meantime
    world.send(this, {
      kind,
      from,
      to,
      term,
      prevOffset,
      prevTerm,
      entries,
      records,
      commitOffset,
      readSequence,
    });
  }

  #scheduleApply({ from, upTo }: { readonly from: number; readonly upTo: number }): void {
    const first = this.log.indexFrom(from);
    let end = first;
    const { entries } = this.log;
    while (end < entries.length && (entries[end] as Stored).entry.nextOffset <= upTo) end++;
    const applying: Applying = {
      batches: entries.slice(first, end),
      upTo,
      stateLife: this.#stateLife,
    };
    const { nowMs, options, random } = this.#world;
    const delayMs = options.applyMeanMs === 0 ? 0 : random.below(options.applyMeanMs * 32) / 16;
    this.#appliesUntilMs = Math.max(this.#appliesUntilMs, nowMs + delayMs * this.slowFactor);
    this.#world.schedule(EventKind.Applied, this, this.#appliesUntilMs - nowMs, applying);
  }

  #fetch(wanted: SnapshotToFetch): void {
    this.isFetching = true;
    const fetched: Fetched = { wanted, fetchNumber: ++this.#fetchNumber };
    const delayMs = 1 + this.#world.random.below(200);
    this.#world.schedule(EventKind.Fetched, this, delayMs, fetched);
  }

  /** After a pause, in which its tick was held back. */
  rearm(): void {
    this.#armedAtMs = Infinity;
    this.#arm();
  }

  #arm(): void {
    const atMs = Math.ceil(this.#wakeAtMs * 1_000 / this.clockPermille);
    const dueMs = Math.max(atMs, this.#world.nowMs);
    if (dueMs >= this.#armedAtMs) return;
    this.#armedAtMs = dueMs;
    this.#world.schedule(EventKind.Tick, this, dueMs - this.#world.nowMs, undefined);
  }
}
