/**
 * A few machines, their disks and the messages between them, moved step by step by a test.
 *
 * Nothing happens by itself: messages wait until they are delivered, time stands still until it is
 * moved. A disk answers at once unless it is held. After every move the invariants of Raft are
 * checked (`invariant.ts`).
 *
 * Long because the moves of a test and the duties of a driver share every field.
 */
import { Prng } from "../../src/ground/prng.ts";
import { type Offset, toOffset } from "../../src/ground/numbers.ts";
import { type Uuid, uuidFromBytes, uuidToBytes, ZERO_UUID } from "../../src/ground/uuid.ts";
import type { Configuration, ReplicaKey, Voter } from "../../src/raft/configuration.ts";
import type { Message } from "../../src/raft/message.ts";
import type { RaftOptions } from "../../src/raft/options.ts";
import { Raft } from "../../src/raft/raft.ts";
import type { Outgoing, Ready } from "../../src/raft/ready.ts";
import type { Sabotage } from "../../src/raft/sabotage.ts";
import { type Batch, type Snapshot, TestDisk } from "./disk.ts";
import { Witness } from "./invariant.ts";
import { messageText } from "./message_text.ts";

export const OPTIONS: RaftOptions = {
  electionTimeoutMs: 400,
  heartbeatMs: 100,
  appendBytesMax: 1000,
  inflightMax: 4,
};

/** "A" … "Z" name directories in tests, "?" one that is not known. */
export function directory(name: string): Uuid {
  if (name === "?") return ZERO_UUID;
  return uuidFromBytes(new Uint8Array(16).fill(name.charCodeAt(0)));
}

export function directoryName(directoryId: Uuid): string {
  return directoryId === ZERO_UUID
    ? "?"
    : String.fromCharCode(uuidToBytes(directoryId)[0] as number);
}

export function voter(id: number, directoryName = "A"): Voter {
  return { id, directoryId: directory(directoryName), host: `host${id}`, port: 9092 };
}

export function voters(...ids: readonly number[]): Configuration {
  return { voters: ids.map((id) => voter(id)), learners: [] };
}

export class TestNode {
  readonly key: ReplicaKey;
  readonly disk: TestDisk;
  raft: Raft;
  isUp = true;
  isDiskHeld = false;
  wakeAt = 0;
  readonly applied: Batch[] = [];
  appliedFrom = 0;
  reads: { readonly token: number; readonly offset: Offset | undefined }[] = [];
  fetch: Ready["fetchSnapshot"];
  /** Messages that wait for a persist, by its number. */
  waiting: { readonly number: number; readonly messages: readonly Message[] }[] = [];
  lastPersistNumber = 0;

  constructor(key: ReplicaKey, disk: TestDisk, raft: Raft) {
    this.key = key;
    this.disk = disk;
    this.raft = raft;
  }
}

export class Cluster {
  now = 1000;
  readonly nodes = new Map<number, TestNode>();
  /** On their way, oldest first. */
  messages: Message[] = [];
  readonly witness = new Witness();
  /** Told of everything that happens; the scenario scripts print it. */
  onEvent: (line: string) => void = () => {};
  readonly #random: Prng;
  readonly #options: RaftOptions;
  #cuts: ReadonlySet<number>[] = [];
  #proposalCount = 0;

  constructor(
    options: { seed?: number; sabotage?: readonly Sabotage[]; raft?: Partial<RaftOptions> } = {},
  ) {
    this.#random = new Prng(options.seed ?? 1);
    this.#options = { ...OPTIONS, ...options.raft, sabotage: new Set(options.sabotage ?? []) };
  }

  /** Voters 1 … count that know each other from the start. */
  static of(count: number, options: ConstructorParameters<typeof Cluster>[0] = {}): Cluster {
    const cluster = new Cluster(options);
    const ids = Array.from({ length: count }, (_, index) => index + 1);
    for (const id of ids) cluster.add(id, voters(...ids));
    return cluster;
  }

  add(id: number, bootstrap: Configuration, directoryName = "A"): TestNode {
    const key = { id, directoryId: directory(directoryName) };
    const disk = new TestDisk();
    const node = new TestNode(key, disk, this.#open(key, bootstrap, disk));
    this.nodes.set(id, node);
    this.#bootstraps.set(id, bootstrap);
    this.pump(node);
    return node;
  }

  readonly #bootstraps = new Map<number, Configuration>();

  node(id: number): TestNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  raft(id: number): Raft {
    return this.node(id).raft;
  }

  /** The node that leads in the newest term. */
  leader(): TestNode | undefined {
    let best: TestNode | undefined;
    for (const node of this.nodes.values()) {
      if (!node.isUp || node.raft.status().role !== "leader") continue;
      if (best === undefined || node.raft.status().term > best.raft.status().term) best = node;
    }
    return best;
  }

  // Moves.

  /** Time comes to the point where the node wants its tick. */
  expire(id: number): void {
    const node = this.node(id);
    this.now = Math.max(this.now, node.wakeAt);
    this.tick(id);
  }

  tick(id: number): void {
    const node = this.node(id);
    node.raft.step(this.now, { kind: "tick" });
    this.pump(node);
  }

  /** Makes a node the leader if the others let it. */
  elect(id: number): void {
    for (let round = 0; round < 5 && this.raft(id).status().role !== "leader"; round++) {
      this.expire(id);
      this.deliverAll();
    }
  }

  propose(id: number, recordCount = 1): ReturnType<Raft["propose"]> {
    const node = this.node(id);
    const proposed = node.raft.propose(this.now, { recordCount, byteLength: 100 * recordCount });
    if (typeof proposed !== "string") {
      this.#proposalCount++;
      node.disk.proposals.set(
        `${proposed.baseOffset}/${proposed.term}`,
        `p${this.#proposalCount}`,
      );
    }
    this.pump(node);
    return proposed;
  }

  read(id: number, token: number): void {
    const node = this.node(id);
    node.raft.read(this.now, token);
    this.pump(node);
  }

  /** Delivers the first message that fits; false if there is none. */
  deliver(fits: (message: Message) => boolean = () => true): boolean {
    const index = this.messages.findIndex((message) => fits(message));
    if (index < 0) return false;
    const [message] = this.messages.splice(index, 1);
    if (message !== undefined) this.receive(message);
    return true;
  }

  deliverAll(fits: (message: Message) => boolean = () => true): void {
    for (let count = 0; count < 10_000; count++) if (!this.deliver(fits)) return;
    throw new Error("messages without end");
  }

  drop(fits: (message: Message) => boolean = () => true): number {
    const before = this.messages.length;
    this.messages = this.messages.filter((message) => !fits(message));
    return before - this.messages.length;
  }

  receive(message: Message): void {
    const node = this.nodes.get(message.to.id);
    if (node === undefined || !node.isUp || this.#isCut(message.from.id, message.to.id)) return;
    this.onEvent(messageText(message));
    node.raft.step(this.now, { kind: "message", message });
    this.pump(node);
  }

  /** Lets time pass: every node is ticked when it wants, and messages arrive after a millisecond. */
  pass(ms: number): void {
    const until = this.now + ms;
    while (this.now < until) {
      this.now++;
      const arriving = this.messages;
      this.messages = [];
      for (const message of arriving) this.receive(message);
      for (const node of this.nodes.values()) {
        if (node.isUp && node.wakeAt <= this.now) this.tick(node.key.id);
      }
    }
  }

  partition(...groups: readonly (readonly number[])[]): void {
    this.#cuts = groups.map((group) => new Set(group));
    this.messages = this.messages.filter((message) => !this.#isCut(message.from.id, message.to.id));
  }

  heal(): void {
    this.#cuts = [];
  }

  crash(id: number): void {
    const node = this.node(id);
    node.isUp = false;
    node.disk.crash();
    node.waiting = [];
    node.isDiskHeld = false;
    node.fetch = undefined;
    this.witness.forget(id);
  }

  /** After a clean stop a node that leads alone may go on: `resumes`. */
  restart(id: number, resumes = false): void {
    const node = this.node(id);
    const bootstrap = this.#bootstraps.get(id) as Configuration;
    node.raft = this.#open(node.key, bootstrap, node.disk, resumes);
    node.isUp = true;
    node.lastPersistNumber = 0;
    node.applied.length = 0;
    node.appliedFrom = node.disk.content.snapshot?.offset ?? 0;
    node.reads = [];
    this.pump(node);
  }

  /** A new disk under the same node id. */
  replaceDisk(id: number, directoryName: string): TestNode {
    this.witness.forget(id);
    return this.add(id, this.#bootstraps.get(id) as Configuration, directoryName);
  }

  holdDisk(id: number): void {
    this.node(id).isDiskHeld = true;
  }

  /** Completes persists in flight: all, or so many. */
  sync(id: number, count = Infinity): void {
    const node = this.node(id);
    for (let done = 0; done < count; done++) {
      const number = node.disk.sync();
      if (number === undefined) return;
      this.#persisted(node, number);
    }
  }

  releaseDisk(id: number): void {
    this.node(id).isDiskHeld = false;
    this.sync(id);
  }

  /** Takes a snapshot of all that is applied. */
  compact(id: number): void {
    const node = this.node(id);
    const { appliedOffset, configuration } = node.raft.status();
    const last = node.raft.entries().find((entry) => entry.nextOffset === appliedOffset);
    if (last === undefined) return;
    const snapshot = { offset: appliedOffset, term: last.term, configuration };
    node.disk.compact(snapshot);
    node.raft.step(this.now, { kind: "snapshot-taken", snapshot });
    this.pump(node);
  }

  /** Finishes the fetch under way. */
  install(id: number): boolean {
    const node = this.node(id);
    const { fetch } = node;
    if (fetch === undefined) return false;
    node.fetch = undefined;
    const { snapshot, configuration } = fetch;
    node.disk.installed = { ...snapshot, configuration };
    node.raft.step(this.now, { kind: "snapshot-installed", snapshot, configuration });
    this.pump(node);
    return true;
  }

  // What the driver does.

  pump(node: TestNode): void {
    for (let round = 0; round < 100; round++) {
      const ready = node.raft.ready();
      node.wakeAt = ready.wakeAt;
      const { softState, persist } = ready;
      if (softState !== undefined) {
        const leader = softState.leader === undefined ? "none" : softState.leader.id;
        this.onEvent(
          `${node.key.id} is ${softState.role} term=${softState.term} leader=${leader}` +
            (softState.isReadyToDecide ? " ready" : ""),
        );
      }
      if (persist !== undefined) this.#write(node, persist);
      for (const outgoing of ready.sendNow) this.messages.push(this.#filled(node, outgoing));
      this.#holdBack(node, ready.sendWhenDurable);
      if (ready.apply !== undefined) this.#apply(node, ready.apply);
      if (ready.fetchSnapshot !== undefined) {
        node.fetch = ready.fetchSnapshot;
        this.onEvent(`${node.key.id} fetches snapshot ${ready.fetchSnapshot.snapshot.offset}`);
      }
      node.reads.push(...ready.reads);
      for (const { token, offset } of ready.reads) {
        this.onEvent(`${node.key.id} read ${token}: ${offset ?? "refused"}`);
      }
      this.witness.look(this, node);
      if (persist !== undefined && !node.isDiskHeld) {
        const number = node.disk.sync();
        if (number !== undefined) node.raft.step(this.now, { kind: "persisted", number });
        this.#release(node);
      } else if (ready.apply === undefined) return;
    }
    throw new Error("a machine that is never done");
  }

  #write(node: TestNode, persist: NonNullable<Ready["persist"]>): void {
    node.lastPersistNumber = persist.number;
    node.disk.write(persist);
    if (persist.resetTo !== undefined) {
      node.applied.length = 0;
      node.appliedFrom = persist.resetTo.offset;
    }
    if (persist.truncateTo !== undefined) {
      this.onEvent(`${node.key.id} cuts its log to ${persist.truncateTo}`);
    }
    if (persist.resetTo !== undefined) {
      this.onEvent(`${node.key.id} loads snapshot ${persist.resetTo.offset}`);
    }
  }

  #persisted(node: TestNode, number: number): void {
    node.raft.step(this.now, { kind: "persisted", number });
    this.#release(node);
    this.pump(node);
  }

  #holdBack(node: TestNode, outgoing: readonly Outgoing[]): void {
    if (outgoing.length === 0) return;
    const messages = outgoing.map((message) => this.#filled(node, message));
    node.waiting.push({ number: node.lastPersistNumber, messages });
    this.#release(node);
  }

  #release(node: TestNode): void {
    const open = node.disk.flights[0]?.number ?? Infinity;
    for (const { messages } of node.waiting.filter(({ number }) => number < open)) {
      this.messages.push(...messages);
    }
    node.waiting = node.waiting.filter(({ number }) => number >= open);
  }

  #filled(node: TestNode, outgoing: Outgoing): Message {
    if (outgoing.kind !== "AppendRequest") return outgoing;
    const { range, ...rest } = outgoing;
    const records = range === undefined ? new Uint8Array() : node.disk.read(range.from, range.upTo);
    return { ...rest, records };
  }

  #apply(node: TestNode, range: NonNullable<Ready["apply"]>): void {
    const { batches } = node.disk.durable;
    for (const batch of batches) {
      const { baseOffset } = batch.entry;
      if (baseOffset >= range.from && baseOffset < range.upTo) node.applied.push(batch);
    }
    node.raft.step(this.now, { kind: "applied", offset: range.upTo });
  }

  #open(key: ReplicaKey, bootstrap: Configuration, disk: TestDisk, resumes = false): Raft {
    const { hardState, snapshot, batches } = disk.content;
    return new Raft({
      self: key,
      bootstrap,
      hardState,
      ...(snapshot === undefined ? {} : { snapshot: snapshot satisfies Snapshot }),
      entries: batches.map((batch) => batch.entry),
      options: this.#options,
      resumes,
      random: this.#random.fork(),
      now: this.now,
    });
  }

  #isCut(from: number, to: number): boolean {
    if (this.#cuts.length === 0) return false;
    return !this.#cuts.some((group) => group.has(from) && group.has(to));
  }
}

export function offset(value: number): Offset {
  return toOffset(value);
}
