/**
 * The Raft machine of one replica: a pure function of what it is told, in the manner of etcd's raft.
 *
 * `step`, `propose`, `read`, `changeVoters` and `transferLeadership` change its state; `ready` hands out
 * what is to be done about it. It holds descriptors of batches, never bytes of its own, reads no
 * clock, draws chance from a generator it is given, and asks to be ticked at `Ready.wakeAt`.
 *
 * Deviations from the contract: a proposal cannot carry a configuration (only `changeVoters` makes them,
 * so that none can slip past the rules); `changeVoters` and `transferLeadership` answer with a reason
 * where they refuse; `read` on a replica that does not lead is answered as refused in the next Ready.
 */
import type { Offset } from "../ground/numbers.ts";
import { toOffset } from "../ground/numbers.ts";
import { assert, unreachable } from "../ground/assert.ts";
import type { Configuration, ReplicaKey } from "./configuration.ts";
import { isSameReplica } from "./configuration.ts";
import { Core } from "./core.ts";
import { countOwnVote, onElectionTimeout } from "./election.ts";
import type { Entry } from "./entry.ts";
import { onSnapshotFailed, onSnapshotInstalled, onSnapshotTaken } from "./following.ts";
import type { Input } from "./input.ts";
import type { Leadership } from "./leadership.ts";
import { isReadyToDecide, maybeCommit, tickLeader } from "./leading.ts";
import type { RaftStart } from "./options.ts";
import { askRead, startReadRound } from "./reads.ts";
import type { Outgoing, ReadAnswer, Ready, SoftState } from "./ready.ts";
import { receive } from "./receive.ts";
import { appendOwn, sendAll } from "./replication.ts";
import { describeRaft, statusOf } from "./report.ts";
import { resumeLeadership } from "./resumption.ts";
import type { RaftStatus } from "./status.ts";
import { startTransfer, type TransferRefusal } from "./transfer.ts";
import { type ChangeRefusal, startChange, type VoterChange } from "./voter_change.ts";

export interface Proposal {
  readonly recordCount: number;
  readonly byteLength: number;
}

export interface Proposed {
  readonly baseOffset: Offset;
  readonly term: number;
}

const NO_MESSAGES: readonly Outgoing[] = [];
const NO_READS: readonly ReadAnswer[] = [];
/** A leader without followers has nothing to do by time. */
const LONG_SLEEP_MS = 60_000;

export class Raft {
  readonly #core: Core;
  #softState: SoftState | undefined;

  constructor(start: RaftStart) {
    this.#core = new Core(start);
    if (start.resumes === true) resumeLeadership(this.#core);
  }

  step(now: number, input: Input): void {
    const core = this.#core;
    this.#setNow(now);
    switch (input.kind) {
      case "message":
        receive(core, input.message);
        break;
      case "tick":
        this.#tick();
        break;
      case "persisted":
        this.#onPersisted(input.number);
        break;
      case "applied":
        assert(input.offset <= core.applyIssued, "only what was handed out can be applied");
        core.appliedOffset = toOffset(Math.max(core.appliedOffset, input.offset));
        break;
      case "snapshot-installed":
        onSnapshotInstalled(core, input.snapshot, input.configuration);
        break;
      case "snapshot-failed":
        onSnapshotFailed(core, input.snapshot);
        break;
      case "snapshot-taken":
        onSnapshotTaken(core, input.snapshot);
        break;
      case "unreachable":
        this.#onUnreachable(input.to);
        break;
      default:
        unreachable(input);
    }
  }

  /** The caller builds the batch with what comes back; the entry is in the next `Ready.persist`. */
  propose(now: number, proposal: Proposal): Proposed | "not-leader" | "not-ready" {
    const core = this.#core;
    this.#setNow(now);
    assert(proposal.recordCount > 0, "a proposal holds at least one record");
    if (core.role.kind !== "leader") return "not-leader";
    if (!isReadyToDecide(core)) return "not-ready";
    const { recordCount, byteLength } = proposal;
    const entry = appendOwn(core, { recordCount, byteLength });
    return { baseOffset: entry.baseOffset, term: entry.term };
  }

  /** A linearizable read; answered in `ready().reads`, refused where this is not the leader. */
  read(now: number, token: number): void {
    this.#setNow(now);
    askRead(this.#core, token);
  }

  /** Adds a voter, removes one, replaces one, or gives one another address. */
  changeVoters(now: number, change: VoterChange): "started" | ChangeRefusal {
    this.#setNow(now);
    return startChange(this.#core, change);
  }

  /** To the best follower where none is named. */
  transferLeadership(now: number, to?: ReplicaKey): "started" | TransferRefusal {
    this.#setNow(now);
    return startTransfer(this.#core, to);
  }

  /** Takes what has gathered; the next one begins empty. */
  ready(): Ready {
    const core = this.#core;
    if (core.role.kind === "leader") {
      startReadRound(core, core.role);
      sendAll(core, core.role);
    }
    const { persistence, log } = core;
    const persist = persistence.isWanted(log)
      ? persistence.take(log, core.hardState, core.now)
      : undefined;
    const { sendNow, sendWhenDurable, reads } = core;
    if (sendNow.length > 0) core.sendNow = [];
    if (sendWhenDurable.length > 0) core.sendWhenDurable = [];
    if (reads.length > 0) core.reads = [];
    const apply = this.#takeApply();
    const softState = this.#takeSoftState();
    const fetchSnapshot = core.isFetchNew ? core.fetching : undefined;
    core.isFetchNew = false;
    // Always the same members: this is made after every event, and copying optional ones is dear.
    return {
      sendNow: sendNow.length > 0 ? sendNow : NO_MESSAGES,
      sendWhenDurable: sendWhenDurable.length > 0 ? sendWhenDurable : NO_MESSAGES,
      reads: reads.length > 0 ? reads : NO_READS,
      wakeAt: this.#wakeAt(),
      persist,
      apply,
      fetchSnapshot,
      softState,
    };
  }

  status(): RaftStatus {
    return statusOf(this.#core);
  }

  // Parts of the status that cost nothing to ask for, after every event if need be.

  term(): number {
    return this.#core.term;
  }

  votedFor(): ReplicaKey | undefined {
    return this.#core.votedFor;
  }

  commitOffset(): Offset {
    return this.#core.commitOffset;
  }

  /** Of a leader: up to where it believes this follower to have its log. */
  matchOffsetOf(follower: ReplicaKey): Offset | undefined {
    const { role } = this.#core;
    return role.kind === "leader" ? role.find(follower)?.matchOffset : undefined;
  }

  /** The configuration in force: the same object until another one is. */
  configuration(): Configuration {
    return this.#core.log.configuration;
  }

  /** One line: role, term, log, configuration. */
  describe(): string {
    return describeRaft(this.#core);
  }

  /** The log from the snapshot to its end: for tests and invariants. */
  entries(): readonly Entry[] {
    return this.#core.log.entries;
  }

  #setNow(now: number): void {
    // A clock that went back stands still until it has caught up.
    if (now > this.#core.now) this.#core.now = now;
  }

  #tick(): void {
    const core = this.#core;
    if (core.role.kind === "leader") tickLeader(core, core.role);
    else if (core.now >= core.electionAtMs) onElectionTimeout(core);
  }

  #onPersisted(number: number): void {
    const core = this.#core;
    core.persistence.completed(number);
    countOwnVote(core);
    if (core.role.kind === "leader") maybeCommit(core, core.role);
  }

  /** What was on its way is lost: the pipeline starts again from what is known to match. */
  #onUnreachable(to: ReplicaKey): void {
    const { role } = this.#core;
    if (role.kind !== "leader") return;
    const progress = role.find(to);
    if (progress?.state !== "replicate") return;
    progress.becomeProbe(progress.matchOffset);
    progress.isProbing = true; // the next heartbeat asks
  }

  /** At most what is committed and durable here. */
  #takeApply(): { readonly from: Offset; readonly upTo: Offset } | undefined {
    const core = this.#core;
    const { durableOffset } = core.persistence;
    const durable = core.isSabotaged("apply-unsynced") ? core.log.endOffset : durableOffset;
    const upTo = toOffset(Math.min(core.commitOffset, durable));
    if (upTo <= core.applyIssued) return undefined;
    const from = core.applyIssued;
    core.applyIssued = upTo;
    return { from, upTo };
  }

  #takeSoftState(): SoftState | undefined {
    const core = this.#core;
    const { leader, term } = core;
    const isReady = isReadyToDecide(core);
    const known = this.#softState;
    const isSame = known !== undefined && known.role === core.roleName && known.term === term &&
      known.isReadyToDecide === isReady && isSameLeader(known.leader, leader);
    if (isSame) return undefined;
    const base = { role: core.roleName, term, isReadyToDecide: isReady };
    this.#softState = leader === undefined ? base : { ...base, leader };
    return this.#softState;
  }

  #wakeAt(): number {
    const core = this.#core;
    if (core.role.kind !== "leader") return core.electionAtMs;
    return isAlone(core.role) ? core.now + LONG_SLEEP_MS : core.role.heartbeatAtMs;
  }
}

function isAlone(leadership: Leadership): boolean {
  return leadership.progresses.length === 0;
}

function isSameLeader(one: ReplicaKey | undefined, other: ReplicaKey | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return isSameReplica(one, other);
}
