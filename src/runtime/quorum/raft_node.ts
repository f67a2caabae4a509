/**
 * Drives the Raft machine of a voter (`src/raft`): persists, sends, applies, wakes it up.
 *
 *     message, timer, proposal ─► step ─► ready ─┬─► RaftWriter ─► durable ─► step, sendWhenDurable
 *                                                ├─► transport (batches are read from the log)
 *                                                ├─► apply: committed batches ─► image ─► proposers
 *                                                └─► fetch a snapshot ─► install ─► image anew
 *
 * A proposal is in the log before the machine hears of it: what a full disk refuses was never proposed,
 * and so is never half decided. Whoever decides is asked for by `MetadataQuorum`.
 * When the machine is stepped and woken: `MachineDriver`. Longer than most: it is where all parts of the
 * driver meet.
 */
import { DiskFault, isPassing } from "../../env/disk.ts";
import { assert } from "../../ground/assert.ts";
import type { Offset } from "../../ground/numbers.ts";
import { LogFault } from "../../log/log_fault.ts";
import type { MetadataRecord } from "../../metadata/record.ts";
import { isSameReplica, type ReplicaKey, type Voter } from "../../raft/configuration.ts";
import type { Entry, SnapshotId } from "../../raft/entry.ts";
import type { Input } from "../../raft/input.ts";
import type { Message } from "../../raft/message.ts";
import type { Ready, SoftState } from "../../raft/ready.ts";
import { Raft } from "../../raft/raft.ts";
import type { RaftStatus } from "../../raft/status.ts";
import type { TransferRefusal } from "../../raft/transfer.ts";
import type { ChangeRefusal, VoterChange } from "../../raft/voter_change.ts";
import { checkAppend } from "./append_check.ts";
import { MachineDriver } from "./machine_driver.ts";
import { DecisionTooLarge, MetadataCorrupt, NotController } from "./not_controller.ts";
import { Proposals } from "./proposals.ts";
import {
  encodeConfiguration,
  encodeLeaderChange,
  finishBatch,
  packRecords,
} from "./quorum_batches.ts";
import { RaftApplier } from "./raft_applier.ts";
import { RaftSender } from "./raft_sender.ts";
import { DEFAULT_TIMING, type RaftNodeOptions, type RaftTiming } from "./raft_node_options.ts";
import { mayResume, type RaftStorage } from "./raft_storage.ts";
import { RaftWriter } from "./raft_writer.ts";
import { SnapshotDownload } from "./snapshot_download.ts";
import type { LoadedSnapshot } from "./snapshot_store.ts";
import type { SnapshotLimits } from "./snapshot_taker.ts";

const DEFAULT_LIMITS: SnapshotLimits = { bytesMax: 20 * 1024 * 1024, intervalMs: 3_600_000 };
const APPEND_BYTES_MAX = 1024 * 1024;
const INFLIGHT_MAX = 16;
/** A peer's request takes 16 MiB in all. */
const BATCH_BYTES_MAX = 15 * 1024 * 1024;
/** How often what is refused is told of, and how often a full disk makes a leader hand over. */
const TELL_MS = 60_000;
const HAND_OVER_MS = 1000;

type SoftStateListener = (state: SoftState) => void;

export class RaftNode {
  readonly #options: RaftNodeOptions;
  readonly #raft: Raft;
  readonly #driver: MachineDriver;
  readonly #timing: RaftTiming;
  readonly #writer: RaftWriter;
  readonly #download: SnapshotDownload;
  readonly #sender: RaftSender;
  readonly #applier: RaftApplier;
  readonly #proposals: Proposals;
  readonly #listeners: SoftStateListener[] = [];
  readonly #reads = new Map<number, (offset: Offset | undefined) => void>();
  #readToken = 0;
  #soft: SoftState;
  /** Downloaded, durable, and waiting for the machine to take it. */
  #received: LoadedSnapshot | undefined;
  #isClosing = false;
  #isStopped = false;
  #refusedCount = 0;
  #toldMs = -Infinity;
  #handedOverMs = -Infinity;
  #onNoRoom: (fault: DiskFault) => void = () => undefined;
  #onStopped: (fault: unknown) => void = () => undefined;

  /**
   * Loads the newest snapshot into the state, and the log where this node votes alone; nothing is sent
   * or written before `start`. Throws `MetadataCorrupt`, `LogFault` or a `DiskFault`.
   */
  static async open(options: RaftNodeOptions): Promise<RaftNode> {
    const { storage, state } = options;
    const { snapshot } = storage.found;
    if (snapshot !== undefined) await state.replace(snapshot);
    const node = new RaftNode(options);
    if (node.votesAlone) await node.#applier.preload();
    return node;
  }

  private constructor(options: RaftNodeOptions) {
    const { storage, clock, trace, transport } = options;
    this.#options = options;
    this.#timing = options.timing ?? DEFAULT_TIMING;
    this.#raft = newMachine(options, this.#timing);
    this.#driver = new MachineDriver({
      raft: this.#raft,
      clock,
      heartbeatMs: this.#timing.heartbeatMs,
      perform: (ready) => this.#perform(ready),
    });
    const { role, term, leader, isReadyToDecide } = this.#raft.status();
    this.#soft = { role, term, isReadyToDecide, ...(leader === undefined ? {} : { leader }) };
    const onFault = (fault: unknown): void => this.#fail(fault);
    this.#writer = new RaftWriter({
      storage,
      clock,
      makeBatch: (entry) => this.#makeBatch(entry),
      onDurable: (number) => this.#step({ kind: "persisted", number }),
      onNoRoom: (fault) => this.#onFull(fault),
      onFault,
    });
    this.#download = new SnapshotDownload({
      store: storage.snapshots,
      transport,
      clock,
      trace,
      crc32c: storage.crc32c,
      onInstalled: (received) => this.#onReceived(received),
      onFailed: (id) => this.#step({ kind: "snapshot-failed", snapshot: id }),
      onFault,
    });
    this.#sender = new RaftSender({
      storage,
      writer: this.#writer,
      transport,
      addressOf: (key) => this.#addressOf(key),
      onLost: (to) => this.#step({ kind: "unreachable", to }),
      onNoRoom: (fault) => this.#tellNoRoom(fault),
      onFault,
    });
    this.#proposals = new Proposals({
      clock,
      outcomeMs: 2 * this.#timing.electionTimeoutMs,
      leaderId: () => this.#leaderIdElsewhere(),
    });
    this.#applier = new RaftApplier({
      ...options,
      proposals: this.#proposals,
      limits: options.snapshots ?? DEFAULT_LIMITS,
      mayRoll: () => !this.#writer.isWriting,
      onApplied: (offset) => this.#step({ kind: "applied", offset }),
      onTaken: (older) => this.#step({ kind: "snapshot-taken", snapshot: older }),
      onNoRoom: (fault) => this.#tellNoRoom(fault),
      onFault,
    });
  }

  /** Begins; a voter alone leads as soon as its disk has the vote. */
  start(): void {
    this.#step({ kind: "tick" });
  }

  onMessage(message: Message): void {
    if (message.kind !== "AppendRequest" || message.records.length + message.entries.length === 0) {
      return this.#step({ kind: "message", message });
    }
    const checked = checkAppend(message, this.#options.storage.crc32c);
    if (typeof checked === "string") this.#refuse(message, checked);
    else this.#step({ kind: "message", message: checked });
  }

  status(): RaftStatus {
    return this.#raft.status();
  }

  /** Whether nobody else has a vote. */
  get votesAlone(): boolean {
    const { voters, outgoing } = this.#raft.configuration();
    const [only] = voters;
    return voters.length === 1 && outgoing === undefined && only !== undefined &&
      isSameReplica(only, this.#options.self);
  }

  get softState(): SoftState {
    return this.#soft;
  }

  /** Messages that were refused because they did not hold what they said. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** Everything below is known here to be committed, and durable here. */
  get committedUpTo(): Offset {
    return this.#applier.committedUpTo;
  }

  get snapshotStore(): RaftStorage["snapshots"] {
    return this.#options.storage.snapshots;
  }

  /** When this node took its newest snapshot, by the monotonic clock; undefined where it took none. */
  get snapshotTakenMs(): number | undefined {
    return this.#applier.snapshotTakenMs;
  }

  get logStartOffset(): Offset {
    return this.#options.storage.log.logStartOffset;
  }

  /** Hears of every change of role, term, leader or readiness. */
  onSoftState(listener: SoftStateListener): void {
    this.#listeners.push(listener);
  }

  /** Hears when more is committed, or nothing will be any more; the result ends it. */
  onCommitted(listener: () => void): () => void {
    return this.#applier.onCommitted(listener);
  }

  /**
   * Resolves when this node leads and may decide. Rejects where its disk has no room for the vote, so
   * that a node alone says why it does not start, and where the node has stopped.
   */
  whenReady(): Promise<void> {
    if (this.#soft.isReadyToDecide) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.onSoftState(({ isReadyToDecide }) => isReadyToDecide ? resolve() : undefined);
      this.#onNoRoom = reject;
      this.#onStopped = reject;
    });
  }

  /**
   * Appends a decision as one batch; resolves with its base offset when it is committed and applied.
   * Rejects with `NotController` (see `isDefinite`), with a `DiskFault` where there is no room for it:
   * nothing was decided then; with `DecisionUnsound` or `DecisionTooLarge`. Whoever has lost its term
   * since the decision was made may have an image by now that it was not made for.
   */
  async proposeRecords(records: readonly MetadataRecord[]): Promise<Offset> {
    const { storage, clock } = this.#options;
    const { term } = this.#raft.status();
    const now = clock.wallMs();
    const pause = (): Promise<void> => new Promise((resolve) => clock.after(0, resolve));
    const packed = await packRecords(records, now, pause);
    while (this.#writer.isWriting && this.#mayDecide()) {
      // deno-lint-ignore no-await-in-loop -- what the machine has added itself comes before
      await this.#writer.written();
    }
    const { term: present, logEndOffset } = this.#raft.status();
    if (!this.#mayDecide() || present !== term) throw this.#notController();
    const batch = finishBatch(packed, { baseOffset: logEndOffset, term }, storage.crc32c);
    if (batch.length > BATCH_BYTES_MAX) throw tooLarge(batch.length);
    try {
      storage.append(batch, now);
    } catch (fault) {
      if (fault instanceof DiskFault && isPassing(fault)) this.#onFull(fault);
      else this.#fail(fault);
      throw fault;
    }
    const proposed = this.#raft.propose(clock.monotonicMs(), {
      recordCount: records.length,
      byteLength: batch.length,
    });
    assert(
      typeof proposed === "object" && proposed.baseOffset === logEndOffset &&
        proposed.term === term,
      "a leader that may decide takes a proposal where its log ends",
    );
    const outcome = this.#proposals.add(logEndOffset, term);
    this.#driver.pump();
    return await outcome;
  }

  /** An offset up to which the image must have come to hold all that was decided before this call. */
  readIndex(): Promise<Offset> {
    if (!this.#mayDecide()) return Promise.reject(this.#notController());
    return new Promise((resolve, reject) => {
      const token = this.#readToken++;
      this.#reads.set(token, (offset) => {
        if (offset === undefined) reject(this.#notController());
        else resolve(offset);
      });
      this.#raft.read(this.#options.clock.monotonicMs(), token);
      this.#driver.pump();
    });
  }

  changeVoters(change: VoterChange): "started" | ChangeRefusal {
    if (this.#isClosing || this.#isStopped) return "not-leader";
    const answer = this.#raft.changeVoters(this.#options.clock.monotonicMs(), change);
    this.#driver.pump();
    return answer;
  }

  transferLeadership(to?: ReplicaKey): "started" | TransferRefusal {
    if (this.#isStopped) return "not-leader";
    const answer = this.#raft.transferLeadership(this.#options.clock.monotonicMs(), to);
    this.#driver.pump();
    return answer;
  }

  /** Committed batches from the one that begins at `from` on; undefined where the log has none there. */
  readCommitted(
    from: Offset,
    bytesMax: number,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const upTo = this.#applier.committedUpTo;
    if (this.#isStopped || from >= upTo) return undefined;
    return this.#options.storage.read(from, upTo, bytesMax);
  }

  /**
   * Hands leadership over where there is somebody, waits for what is under way, closes the log. Throws
   * the `DiskFault` of a log that cannot be closed cleanly.
   */
  async close(): Promise<void> {
    if (!this.#isStopped) {
      this.#isClosing = true;
      await this.#resign();
      await this.#writer.end();
      await this.#atMost(this.#timing.electionTimeoutMs, this.#proposals.whenEmpty());
      this.#stop(this.#proposals.unknown());
      await this.#applier.ended();
    }
    await this.#options.storage.close();
  }

  /** Lets go of the log as it is. */
  abandon(): void {
    this.#stop(this.#proposals.unknown());
    this.#options.storage.closeNow();
  }

  // --- the machine ---------------------------------------------------------------------------------

  #step(input: Input): void {
    this.#driver.step(input);
  }

  #perform(ready: Ready): void {
    const { persist, softState, apply, fetchSnapshot } = ready;
    if (persist?.resetTo !== undefined) this.#install(persist.resetTo);
    if (persist !== undefined) this.#writer.write(persist);
    for (const outgoing of ready.sendNow) this.#sender.send(outgoing);
    if (ready.sendWhenDurable.length > 0) {
      this.#writer.durable().then(() => {
        for (const outgoing of ready.sendWhenDurable) this.#sender.send(outgoing);
      }, () => undefined); // the writer has told of it
    }
    if (apply !== undefined) this.#applier.commit(apply.upTo);
    if (fetchSnapshot !== undefined) {
      this.#download.start(this.#addressOf(fetchSnapshot.from), fetchSnapshot.snapshot);
    }
    for (const { token, offset } of ready.reads) {
      const answer = this.#reads.get(token);
      this.#reads.delete(token);
      answer?.(offset);
    }
    if (softState !== undefined) this.#onSoft(softState);
  }

  #onSoft(softState: SoftState): void {
    const didLead = this.#soft.role === "leader";
    this.#soft = softState;
    if (didLead && softState.role !== "leader") this.#proposals.onLeadershipLost();
    for (const listener of [...this.#listeners]) listener(softState);
  }

  /** Of one that is in no configuration known here, the transport has a connection or nothing. */
  #addressOf(key: ReplicaKey): Voter {
    const { voters, outgoing, learners } = this.#raft.configuration();
    const isIt = ({ id }: Voter): boolean => id === key.id;
    const known = voters.find(isIt) ?? outgoing?.find(isIt) ?? learners.find(isIt);
    return { host: known?.host ?? "", port: known?.port ?? 0, ...key };
  }

  // --- snapshots -----------------------------------------------------------------------------------

  #onReceived(snapshot: LoadedSnapshot): void {
    this.#received = snapshot;
    const { id, configuration } = snapshot;
    this.#step({ kind: "snapshot-installed", snapshot: id, configuration });
    this.#received = undefined;
    void this.#options.storage.snapshots.dropOld();
  }

  /** The machine has taken it: the log begins anew behind it, and so does the state. */
  #install(id: SnapshotId): void {
    const snapshot = this.#received;
    assert(
      snapshot?.id.offset === id.offset && snapshot.id.term === id.term,
      "a machine installs the snapshot that it was handed",
    );
    this.#applier.install(snapshot);
  }

  // --- deciding ------------------------------------------------------------------------------------

  #makeBatch({ baseOffset, term, configuration }: Entry): Uint8Array {
    const { clock, storage, self } = this.#options;
    const place = { baseOffset, term, timestamp: clock.wallMs() };
    if (configuration !== undefined) {
      return encodeConfiguration(configuration, place, storage.crc32c);
    }
    const voterIds = this.#raft.configuration().voters.map(({ id }) => id);
    return encodeLeaderChange(self.id, voterIds, place, storage.crc32c);
  }

  #mayDecide(): boolean {
    return this.#soft.isReadyToDecide && !this.#isClosing && !this.#isStopped;
  }

  #notController(): NotController {
    return new NotController(this.#leaderIdElsewhere(), true);
  }

  #leaderIdElsewhere(): number | undefined {
    const { role, leader } = this.#soft;
    return role === "leader" ? undefined : leader?.id;
  }

  // --- ends ----------------------------------------------------------------------------------------

  /** Somebody else may have room: a leader that cannot write hands over, where there is one. */
  #onFull(fault: DiskFault): void {
    this.#tellNoRoom(fault);
    const now = this.#options.clock.monotonicMs();
    if (this.#soft.role === "leader" && now - this.#handedOverMs >= HAND_OVER_MS) {
      this.#handedOverMs = now;
      if (this.#raft.configuration().voters.length > 1) this.transferLeadership();
    }
    this.#onNoRoom(fault);
  }

  #tellNoRoom(fault: DiskFault): void {
    const { clock, trace } = this.#options;
    const now = clock.monotonicMs();
    if (now - this.#toldMs < TELL_MS) return;
    this.#toldMs = now;
    trace.event("error", "no room for metadata", { path: fault.path, error: fault.message });
  }

  #refuse({ from, term }: Message, reason: string): void {
    this.#refusedCount++;
    const { clock, trace } = this.#options;
    const now = clock.monotonicMs();
    if (now - this.#toldMs < TELL_MS) return;
    this.#toldMs = now;
    trace.event("warn", "a message of the quorum is refused", { from: from.id, term, reason });
  }

  /**
   * Ends the node. What passes does not come here but in a close: who met it tries again, and nobody is
   * refused for it, since what is in the log may still be committed.
   */
  #fail(fault: unknown): void {
    if (this.#isStopped) return;
    const isKnown = fault instanceof DiskFault || fault instanceof MetadataCorrupt ||
      fault instanceof LogFault;
    this.#stop(fault);
    if (!isKnown) throw fault;
    if (!(fault instanceof DiskFault)) this.#options.onCorrupt(fault);
    else if (!this.#isClosing || !isPassing(fault)) this.#options.onDiskFault(fault);
  }

  #stop(reason: unknown): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#driver.stop();
    this.#download.stop();
    this.#writer.abandon();
    this.#sender.stop();
    this.#proposals.rejectAll(reason);
    for (const answer of this.#reads.values()) answer(undefined);
    this.#reads.clear();
    this.#options.state.close();
    this.#applier.stop();
    this.#onStopped(reason);
  }

  async #resign(): Promise<void> {
    if (this.#soft.role !== "leader" || this.transferLeadership() !== "started") return;
    const isOver = new Promise<void>((resolve) => {
      this.onSoftState(({ role }) => role === "leader" ? undefined : resolve());
    });
    await this.#atMost(this.#timing.electionTimeoutMs, isOver);
  }

  /** Until it is settled, or the time has passed. */
  #atMost(delayMs: number, promise: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(delayMs, resolve);
      promise.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

/** As the disk has it. */
function newMachine(
  { storage, self, bootstrap, random, clock }: RaftNodeOptions,
  timing: RaftTiming,
): Raft {
  const { hardState, snapshot, entries } = storage.found;
  return new Raft({
    self,
    bootstrap,
    hardState,
    ...(snapshot === undefined
      ? {}
      : { snapshot: { ...snapshot.id, configuration: snapshot.configuration } }),
    entries,
    resumes: mayResume(storage.found, self),
    options: { ...timing, appendBytesMax: APPEND_BYTES_MAX, inflightMax: INFLIGHT_MAX },
    random: { between: (low, high) => low + random.below(high - low + 1) },
    now: clock.monotonicMs(),
  });
}

function tooLarge(bytes: number): DecisionTooLarge {
  return new DecisionTooLarge(
    `Cannot decide: its records take ${bytes} bytes, expected at most ${BATCH_BYTES_MAX}`,
  );
}
