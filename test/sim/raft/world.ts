/**
 * The whole of one run: nodes, links, faults and operations on one thread, driven by one queue.
 *
 * A run is a pure function of its options: same options, same events, same hash, on every runtime.
 * There are two phases (TigerBeetle's VOPR). Safety: anything may happen and nothing wrong may come of
 * it. Liveness: a quorum is healed, every other fault is made permanent, and progress is demanded.
 *
 * Longer than most: it is the one place where everything meets; each part is short.
 */
import { assert } from "../../../src/ground/assert.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { type Uuid, uuidFromBytes, ZERO_UUID } from "../../../src/ground/uuid.ts";
import type { Configuration, ReplicaKey, Voter } from "../../../src/raft/configuration.ts";
import type { SnapshotId } from "../../../src/raft/entry.ts";
import type { Input } from "../../../src/raft/input.ts";
import type { Message } from "../../../src/raft/message.ts";
import type { Outgoing } from "../../../src/raft/ready.ts";
import type { Sabotage } from "../../../src/raft/sabotage.ts";
import { Coverage } from "./coverage.ts";
import { type Deed, deeds } from "./deed.ts";
import { EventKind, EventQueue, type SimEvent } from "./event_queue.ts";
import { History } from "./history.ts";
import type { Invariant, ReadAsked, ReadMade, Verdict } from "./invariant/invariant.ts";
import { invariantMakers } from "./invariants.ts";
import { Liveness } from "./liveness.ts";
import type { SimOptions } from "./options.ts";
import { phasesOf } from "./phase.ts";
import { SimNetwork } from "./sim_network.ts";
import { type Applying, type Fetched, SimNode } from "./sim_node.ts";
import type { Stored, StoredSnapshot } from "./stored_log.ts";
import { incomingTamperings, leavingTamperings } from "./tampering.ts";
import { Trace } from "./trace.ts";

/** Many times what busy runs have; more is a storm: messages that cause each other for ever. */
const EVENTS_PER_SECOND_MAX = 10_000;

export interface Violation {
  readonly invariant: string;
  readonly message: string;
  readonly atMs: number;
}

export interface RunResult {
  readonly hash: string;
  readonly violation: Violation | undefined;
  readonly simulatedMs: number;
  readonly eventCount: number;
  readonly coverage: Coverage;
  readonly committedCount: number;
  readonly acknowledgedCount: number;
  readonly readCount: number;
  readonly leaderCount: number;
  /** Why progress was not demanded: too few disks were left, for example. */
  readonly livenessSkipped: string | undefined;
  /** The last lines of each node, of a recorded run. */
  readonly report: string;
  /** The deeds that were done, of a recorded run: "crash:0". */
  readonly performed: readonly string[];
}

export interface RunSettings {
  readonly isRecording?: boolean;
  /** Only what an outsider could see is checked. */
  readonly isObservableOnly?: boolean;
  /** Only the invariant of this name is checked: to show that it can fail by itself. */
  readonly only?: string;
}

/** The moments at which invariants look. */
type Hook = Exclude<keyof Invariant, "name" | "isObservable">;

/** One hook of one invariant. All have the same shape: they are asked millions of times. */
interface Watch<H extends Hook> {
  readonly name: string;
  readonly look: NonNullable<Invariant[H]>;
}

export class World {
  readonly options: SimOptions;
  readonly bootstrap: Configuration;
  readonly areDirectoriesKnown: boolean;
  readonly sabotage: ReadonlySet<string>;
  readonly machineSabotage: ReadonlySet<Sabotage> | undefined;
  readonly random: Prng;
  readonly network: SimNetwork;
  readonly history: History;
  readonly nodes: readonly SimNode[];
  readonly trace: Trace;
  readonly coverage = new Coverage();
  readonly incoming: readonly ((node: SimNode, message: Message) => Message)[];
  readonly leaving: readonly ((node: SimNode, message: Outgoing) => Outgoing)[];
  nowMs = 0;
  acknowledgedCount = 0;
  readCount = 0;
  leaderCount = 0;
  lastAcknowledgedMs = -1;
  lastReadMs = -1;
  liveness: Liveness | undefined;
  /** Two nodes that have each other's disk. */
  swapped: readonly [SimNode, SimNode] | undefined;
  /** Who leads, or led, each term. */
  readonly leaders = new Map<number, number>();
  /** Which way changes of voters go, where they come in tides. */
  isTideFalling = false;
  readonly #queue = new EventQueue();
  readonly #only: string | undefined;
  readonly #hooks: { readonly [H in Hook]: readonly Watch<H>[] };
  readonly #heldEvents = new Map<SimNode, SimEvent[]>();
  readonly #performed: string[] = [];
  #violation: Violation | undefined;
  #payloads = 0;
  #eventCount = 0;

  constructor(options: SimOptions, settings: RunSettings = {}) {
    this.options = options;
    this.random = new Prng(options.seed ^ 0x5eed);
    this.trace = new Trace(settings.isRecording ?? false);
    this.sabotage = new Set(options.sabotage);
    this.machineSabotage = this.sabotage.size === 0
      ? undefined
      : this.sabotage as ReadonlySet<string> as ReadonlySet<Sabotage>;
    this.incoming = options.sabotage.flatMap((name) => incomingTamperings[name] ?? []);
    this.leaving = options.sabotage.flatMap((name) => leavingTamperings[name] ?? []);
    this.areDirectoriesKnown = options.areDirectoriesKnown;
    const voters = Array.from({ length: options.voterCount }, (_, index) => this.voterOf(index, 0));
    this.bootstrap = { voters, learners: [] };
    this.history = new History(this.bootstrap);
    this.network = new SimNetwork(options, this.random.fork());
    const all = invariantMakers.map((make) => make());
    this.#only = settings.only;
    const invariants = all.filter((each) => each.isObservable || !settings.isObservableOnly);
    const having = <H extends Hook>(hook: H): readonly Watch<H>[] =>
      invariants.flatMap(({ name, [hook]: look }) => look === undefined ? [] : [{ name, look }]);
    this.#hooks = {
      afterStep: having("afterStep"),
      afterInput: having("afterInput"),
      onSend: having("onSend"),
      onAppend: having("onAppend"),
      onTruncate: having("onTruncate"),
      onLead: having("onLead"),
      onCommit: having("onCommit"),
      onApply: having("onApply"),
      onSnapshot: having("onSnapshot"),
      onReadIndex: having("onReadIndex"),
      onRead: having("onRead"),
      onStart: having("onStart"),
    };
    const drift = options.driftPermille;
    this.nodes = Array.from(
      { length: options.nodeCount },
      (_, index) => new SimNode(this, index, this.random.between(1_000 - drift, 1_000 + drift)),
    );
  }

  run(): RunResult {
    for (const node of this.nodes) {
      this.later(undefined, this.random.below(100), () => {
        if (!node.isUp) node.start(); // or a power failure was before, and over
      });
    }
    for (const deed of deeds) {
      this.#plan(deed, new Prng(this.options.seed + 7_919 * deed.number), 0);
    }
    const { safetyMs, livenessMs } = this.options;
    if (livenessMs > 0) {
      this.later(undefined, safetyMs, () => {
        this.liveness = new Liveness(this);
        this.liveness.begin();
      });
    }
    this.#runUntil(safetyMs + livenessMs);
    const missing = this.#violation === undefined ? this.liveness?.missing() : undefined;
    if (missing !== undefined) this.fail("progress with a healthy quorum", missing);
    return {
      hash: this.trace.text(),
      violation: this.#violation,
      simulatedMs: this.nowMs,
      eventCount: this.#eventCount,
      coverage: this.coverage,
      committedCount: this.history.batches.length,
      acknowledgedCount: this.acknowledgedCount,
      readCount: this.readCount,
      leaderCount: this.leaderCount,
      livenessSkipped: this.liveness?.skipped,
      report: this.trace.isRecording ? this.trace.report(200) : "",
      performed: this.#performed,
    };
  }

  #runUntil(endMs: number): void {
    const countMax = EVENTS_PER_SECOND_MAX * endMs / 1_000;
    while (this.#violation === undefined) {
      const event = this.#queue.take();
      if (event === undefined || event.atMs > endMs) break;
      this.nowMs = event.atMs;
      if (++this.#eventCount > countMax) this.fail("a bounded number of events", `${countMax}`);
      this.trace.mix(event.atMs * 16 + event.kind);
      this.trace.mix(event.node);
      this.#happen(event);
    }
    if (this.#violation === undefined) this.nowMs = endMs;
  }

  #happen(event: SimEvent): void {
    if (event.kind === EventKind.World) {
      (event.value as () => void)();
      return;
    }
    const node = this.nodes[event.node] as SimNode;
    if (event.life >= 0 && event.life !== node.life) return;
    if (!node.isUp) return;
    if (node.isPaused) {
      this.#heldEvents.get(node)?.push(event);
      return;
    }
    switch (event.kind) {
      case EventKind.Message:
        this.#deliver(node, event.value as Message);
        break;
      case EventKind.Tick:
        node.onTick();
        break;
      case EventKind.Synced:
        node.onSynced(event.value as number);
        break;
      case EventKind.Applied:
        node.onApplied(event.value as Applying);
        break;
      case EventKind.Fetched:
        node.onFetched(event.value as Fetched);
        break;
      default:
        (event.value as () => void)();
    }
  }

  #deliver(node: SimNode, message: Message): void {
    if (!this.network.isOpen(message.from.id - 1, node.index)) return;
    this.trace.mix(message.term);
    this.trace.mix(kindNumber[message.kind]);
    if (message.kind === "AppendReply") this.trace.mix(message.matchOffset);
    if (this.trace.isRecording) {
      this.trace.line(node.index, `${this.stamp()} <- ${message.from.id} ${shown(message)}`);
    }
    node.onMessage(message);
  }

  stamp(): string {
    return this.nowMs.toFixed(3).padStart(10);
  }

  // -- what nodes do

  schedule(kind: number, node: SimNode, delayMs: number, value: unknown): void {
    this.#queue.add({
      atMs: this.nowMs + delayMs,
      order: 0,
      kind,
      node: node.index,
      life: node.life,
      value,
    });
  }

  /** Calls later: in the present life of a node, or, without one, in any case. */
  later(node: SimNode | undefined, delayMs: number, call: () => void): void {
    const kind = node === undefined ? EventKind.World : EventKind.Own;
    this.#queue.add({
      atMs: this.nowMs + delayMs,
      order: 0,
      kind,
      node: node?.index ?? -1,
      life: node?.life ?? -1,
      value: call,
    });
  }

  send(from: SimNode, message: Message): void {
    if (this.trace.isRecording) {
      this.trace.line(from.index, `${this.stamp()} -> ${message.to.id} ${shown(message)}`);
    }
    const to = message.to.id - 1;
    if (!this.network.isOpen(from.index, to) || !(this.nodes[to]?.isUp ?? false)) {
      if (this.random.oneIn(2)) {
        this.later(from, 5, () => from.step({ kind: "unreachable", to: message.to }));
      }
      return;
    }
    this.#sendCopy(from.index, to, message);
    if (this.network.isDoubled()) this.#sendCopy(from.index, to, message);
  }

  #sendCopy(from: number, to: number, message: Message): void {
    const atMs = this.network.arrival(this.nowMs, from, to);
    if (atMs === undefined) return;
    this.#queue.add({
      atMs,
      order: 0,
      kind: EventKind.Message,
      node: to,
      life: -1,
      value: message,
    });
  }

  diskDelays(node: SimNode): SimOptions["disk"] {
    return this.liveness?.isCore(node.index) ? this.liveness.diskDelays : this.options.disk;
  }

  snapshotOf(from: ReplicaKey, to: number, wanted: SnapshotId): StoredSnapshot | undefined {
    const source = this.nodes[from.id - 1];
    if (source === undefined || !source.isUp || source.isPaused) return undefined;
    if (source.key.directoryId !== from.directoryId) return undefined;
    if (!this.network.isOpen(source.index, to) || !this.network.isOpen(to, source.index)) {
      return undefined;
    }
    return source.disk.snapshots.find(({ id }) =>
      id.offset === wanted.offset && id.term === wanted.term
    );
  }

  newPayload(): number {
    return ++this.#payloads;
  }

  keyOf(index: number, diskNumber: number): ReplicaKey {
    return { id: index + 1, directoryId: directoryId(index, diskNumber) };
  }

  voterOf(index: number, diskNumber: number): Voter {
    const known = this.options.areDirectoriesKnown ? directoryId(index, diskNumber) : ZERO_UUID;
    return { id: index + 1, directoryId: known, host: `n${index + 1}`, port: 9092 };
  }

  onAcknowledged(endOffset: number): void {
    this.acknowledgedCount++;
    this.lastAcknowledgedMs = this.nowMs;
    this.history.promisedOffset = Math.max(this.history.promisedOffset, endOffset);
  }

  onReadAnswered(node: SimNode, read: ReadMade): void {
    this.readCount++;
    this.lastReadMs = this.nowMs;
    for (const each of this.#hooks.onRead) this.#hear(each, each.look(node, read));
    this.history.promisedOffset = Math.max(this.history.promisedOffset, read.answeredOffset);
  }

  // -- what goes wrong

  stop(node: SimNode, random: Prng): void {
    if (!node.isUp) return;
    this.note(node.index, "stops");
    this.#heldEvents.delete(node);
    node.stop(random);
  }

  start(node: SimNode): void {
    if (node.isUp) return;
    this.note(node.index, "starts");
    node.start();
  }

  pause(node: SimNode): void {
    if (!node.isUp || node.isPaused) return;
    this.note(node.index, "pauses");
    node.isPaused = true;
    this.#heldEvents.set(node, []);
  }

  /** What arrived meanwhile comes all at once. */
  resume(node: SimNode): void {
    if (!node.isPaused) return;
    this.note(node.index, "resumes");
    node.isPaused = false;
    if (this.options.readsOnWaking && node.soft.role === "leader") node.read();
    const held = this.#heldEvents.get(node) ?? [];
    this.#heldEvents.delete(node);
    for (const event of held) {
      if (event.kind === EventKind.Tick) node.rearm();
      else this.#queue.addAgain(event, this.nowMs);
    }
  }

  /** Whether a deed may still touch or heal this node: in the liveness phase all stays as it is. */
  isOpenToDeeds(): boolean {
    return this.liveness === undefined;
  }

  met(deed: string, node: SimNode | undefined): void {
    for (const each of node === undefined ? this.nodes : [node]) {
      for (const phase of phasesOf(each)) this.coverage.met(deed, phase);
    }
  }

  note(node: number, text: string): void {
    if (this.trace.isRecording) this.trace.line(node, `${this.stamp()} ${text}`);
  }

  /** Each deed has a generator of its own, and each time it is done another: a deed left out changes no other. */
  #plan(deed: Deed, random: Prng, count: number): void {
    const meanMs = this.options.meanMs[deed.name];
    if (meanMs === 0) return;
    this.later(undefined, random.between(1, 2 * meanMs), () => {
      const own = random.fork();
      const isLeftOut = this.options.skip.includes(`${deed.name}:${count}`) ||
        (deed.endsWithSafety && !this.isOpenToDeeds());
      if (!isLeftOut) {
        if (this.trace.isRecording) this.#performed.push(`${deed.name}:${count}`);
        deed.perform(this, own);
      }
      this.#plan(deed, random, count + 1);
    });
  }

  // -- what is checked

  fail(invariant: string, message: string): void {
    if (this.#only !== undefined && this.#only !== invariant) return;
    this.#violation ??= { invariant, message, atMs: this.nowMs };
    this.note(-1, `VIOLATION ${invariant}: ${message}`);
  }

  get hasFailed(): boolean {
    return this.#violation !== undefined;
  }

  #hear(watch: { readonly name: string }, verdict: Verdict): void {
    if (verdict !== undefined) this.fail(watch.name, verdict);
  }

  checkStep(node: SimNode): void {
    for (const each of this.#hooks.afterStep) this.#hear(each, each.look(node, this));
  }

  checkInput(node: SimNode, input: Input): void {
    for (const each of this.#hooks.afterInput) {
      this.#hear(each, each.look(node, input, this));
    }
  }

  checkSend(node: SimNode, message: Outgoing): void {
    for (const each of this.#hooks.onSend) this.#hear(each, each.look(node, message, this));
  }

  checkAppend(node: SimNode, stored: Stored): void {
    for (const each of this.#hooks.onAppend) {
      this.#hear(each, each.look(node, stored, node.log));
    }
  }

  checkTruncate(node: SimNode, endOffset: number): void {
    for (const each of this.#hooks.onTruncate) {
      this.#hear(each, each.look(node, endOffset, this));
    }
  }

  checkLead(node: SimNode): void {
    this.leaderCount++;
    this.leaders.set(node.soft.term, node.id);
    for (const each of this.#hooks.onLead) this.#hear(each, each.look(node, this));
  }

  checkCommit(node: SimNode, batches: readonly Stored[]): void {
    for (const each of this.#hooks.onCommit) this.#hear(each, each.look(node, batches, this));
  }

  checkApply(node: SimNode, stored: Stored): void {
    for (const each of this.#hooks.onApply) this.#hear(each, each.look(node, stored, this));
  }

  checkSnapshot(node: SimNode, snapshot: StoredSnapshot): void {
    for (const each of this.#hooks.onSnapshot) {
      this.#hear(each, each.look(node, snapshot, this));
    }
  }

  checkReadIndex(node: SimNode, read: ReadAsked): void {
    for (const each of this.#hooks.onReadIndex) this.#hear(each, each.look(node, read));
  }

  checkStart(node: SimNode): void {
    for (const each of this.#hooks.onStart) this.#hear(each, each.look(node, this));
  }
}

const kindNumber: Readonly<Record<Message["kind"], number>> = {
  PreVoteRequest: 1,
  PreVoteReply: 2,
  VoteRequest: 3,
  VoteReply: 4,
  AppendRequest: 5,
  AppendReply: 6,
  SnapshotOffer: 7,
  TimeoutNow: 8,
};

function directoryId(index: number, diskNumber: number): Uuid {
  assert(index < 200 && diskNumber < 200, "few nodes and few disks");
  const bytes = new Uint8Array(16);
  bytes[0] = index + 1;
  bytes[1] = diskNumber + 1;
  return uuidFromBytes(bytes);
}

function shown(message: Message): string {
  return JSON.stringify(message, (name, value) => {
    if (name === "from" || name === "to" || name === "records") return undefined;
    if (name === "entries") {
      return (value as readonly { baseOffset: number; nextOffset: number; term: number }[])
        .map(({ baseOffset, nextOffset, term }) => `${baseOffset}-${nextOffset}@${term}`).join(" ");
    }
    return value as unknown;
  });
}
