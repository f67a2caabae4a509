/**
 * The state of one replica (Raft fig. 2) and the few primitives that every part of the machine stands
 * on: sending, changing role, term and vote, moving the commit offset, the election timer.
 *
 * The parts are functions over this state, one file each, which see only those below them:
 *
 *   raft -> receive -> election -> leading -> voter_change, transfer, reads -> replication -> core
 *                   -> following ------------------------------------------------------------^
 *
 * Not here: any decision.
 */
import { assert } from "../ground/assert.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import { isVoter, type ReplicaKey, type Voter } from "./configuration.ts";
import type { SnapshotId } from "./entry.ts";
import type { Configuration } from "./configuration.ts";
import type { Leadership } from "./leadership.ts";
import type { Chance, RaftOptions, RaftStart } from "./options.ts";
import { Persistence } from "./persistence.ts";
import { quorumValue, type Tally } from "./quorum.ts";
import { RaftLog } from "./raft_log.ts";
import type { HardState, Outgoing, ReadAnswer, Role, SnapshotToFetch } from "./ready.ts";
import type { Sabotage } from "./sabotage.ts";
import type { IgnoreReason } from "./status.ts";

/** Terms are leader epochs in the batches of the log, which are int32. */
export const TERM_MAX = 0x7fff_ffff;

/** Room for as many rounds of reads again, in an int32 and far beyond. */
const SEQUENCE_START_MAX = 0x7fff_fffe;
/** A candidate waits for at most so many times the first wait. */
const CANDIDATE_PATIENCE_MAX = 4;

export type RoleState =
  | { readonly kind: "follower" }
  | { readonly kind: "prospective"; readonly tally: Tally }
  | { readonly kind: "candidate"; readonly tally: Tally }
  | Leadership;

export class Core {
  readonly self: ReplicaKey;
  readonly options: RaftOptions;
  readonly diskStallMs: number;
  readonly log: RaftLog;
  readonly persistence: Persistence;
  readonly ignored = new Map<IgnoreReason, number>();
  readonly #random: Chance;
  readonly #sabotage: ReadonlySet<Sabotage> | undefined;

  now: number;
  term: number;
  votedFor: ReplicaKey | undefined;
  role: RoleState = { kind: "follower" };
  leader: ReplicaKey | undefined;
  /** When the leader was last heard; -Infinity once it is forgotten. */
  leaderHeardMs = -Infinity;
  electionAtMs: number;
  /** A tick that came far too late was forgiven once (see `election.ts`). */
  isLateTickForgiven = false;
  /** Candidacies since a leader was heard. */
  candidacyCount = 0;
  commitOffset: Offset;
  appliedOffset: Offset;
  /** Up to here `Ready.apply` has named everything. */
  applyIssued: Offset;
  snapshot: (SnapshotId & { readonly configuration: Configuration }) | undefined;
  /** The fetch under way. */
  fetching: SnapshotToFetch | undefined;
  isFetchNew = false;

  sendNow: Outgoing[] = [];
  sendWhenDurable: Outgoing[] = [];
  reads: ReadAnswer[] = [];

  constructor(start: RaftStart) {
    const { snapshot, options, hardState } = start;
    assert(options.heartbeatMs < options.electionTimeoutMs, "a leader beats before it is given up");
    this.self = start.self;
    this.options = options;
    this.diskStallMs = options.diskStallMs ?? options.electionTimeoutMs * 5;
    this.#random = start.random;
    this.#sabotage = options.sabotage;
    this.now = start.now;
    const position = snapshot ?? { offset: toOffset(0), term: 0 };
    const configuration = snapshot?.configuration ?? start.bootstrap;
    this.log = new RaftLog(position, configuration, snapshot !== undefined);
    for (const entry of start.entries) this.log.append(entry);
    // What was fetched in a newer term may be durable before that term is: two files. A vote of that
    // term has not left then, for it would have been durable first.
    this.term = Math.max(hardState.term, this.log.lastTerm);
    this.votedFor = this.term === hardState.term ? hardState.votedFor : undefined;
    this.persistence = new Persistence(this.log.endOffset, this.isSabotaged("late-write-counts"));
    if (this.term !== hardState.term) this.persistence.hardStateChanged();
    this.commitOffset = position.offset;
    this.appliedOffset = position.offset;
    this.applyIssued = position.offset;
    this.snapshot = snapshot;
    this.electionAtMs = start.now;
    // Who is alone has nobody to wait for.
    if (!this.isSoleVoter) this.resetElectionTimer();
  }

  isSabotaged(bug: Sabotage): boolean {
    return this.#sabotage !== undefined && this.#sabotage.has(bug);
  }

  get roleName(): Role {
    return this.role.kind;
  }

  /** Whether it has a vote in the configuration in force. */
  get isVoter(): boolean {
    const { configuration } = this.log;
    if (this.isSabotaged("directory-ignored")) {
      return configuration.voters.some((voter) => voter.id === this.self.id);
    }
    if (this.isSabotaged("learners-count")) return true;
    return isVoter(configuration, this.self);
  }

  get isSoleVoter(): boolean {
    const { voters, outgoing } = this.log.configuration;
    return voters.length === 1 && outgoing === undefined && this.isVoter;
  }

  get isConfigurationCommitted(): boolean {
    return this.log.configurationEnd <= this.commitOffset;
  }

  /** What a majority of each ruling set has reached. */
  quorumValue(valueOf: (voter: Voter) => number): number {
    return quorumValue(this.rulingConfiguration, valueOf);
  }

  /** The configuration by which votes and acknowledgements are counted. */
  get rulingConfiguration(): Configuration {
    const { configuration } = this.log;
    if (this.#sabotage === undefined) return configuration;
    const { voters, outgoing, learners } = configuration;
    if (this.#sabotage.has("learners-count")) return { voters: [...voters, ...learners], learners };
    if (outgoing !== undefined && this.#sabotage.has("one-set-in-joint")) {
      return { voters, learners };
    }
    if (this.#sabotage.has("removed-leader-counts") && !this.isVoter) {
      return { voters: [...voters, { ...this.self, host: "", port: 0 }], learners };
    }
    return configuration;
  }

  /** Counts what is not acted upon, by reason. */
  ignore(reason: IgnoreReason): void {
    this.ignored.set(reason, (this.ignored.get(reason) ?? 0) + 1);
  }

  /** For what rests on the present term at most: answers to heartbeats, refusals. */
  sendInTerm(message: Outgoing): void {
    if (this.persistence.isHardStateDurable) this.sendNow.push(message);
    else this.sendWhenDurable.push(message);
  }

  /** For what rests on votes or entries that may not be durable yet. */
  sendDurably(message: Outgoing): void {
    if (this.persistence.isIdle(this.log)) this.sendNow.push(message);
    else this.sendWhenDurable.push(message);
  }

  get hardState(): HardState {
    return this.votedFor === undefined
      ? { term: this.term }
      : { term: this.term, votedFor: this.votedFor };
  }

  voteFor(candidate: ReplicaKey): void {
    this.votedFor = { id: candidate.id, directoryId: candidate.directoryId };
    this.persistence.hardStateChanged();
  }

  /** A newer term: nobody has our vote in it yet. */
  adoptTerm(term: number): void {
    assert(term > this.term, "terms only grow");
    this.term = term;
    this.votedFor = undefined;
    this.persistence.hardStateChanged();
  }

  becomeFollower(leader: ReplicaKey | undefined): void {
    if (this.role.kind === "leader") this.#failReads(this.role);
    this.role = { kind: "follower" };
    this.leader = leader;
    if (leader === undefined) this.leaderHeardMs = -Infinity;
    this.resetElectionTimer();
  }

  /** The leader of this term was heard. */
  hearLeader(leader: ReplicaKey): void {
    if (this.role.kind !== "follower" || this.leader === undefined) {
      this.becomeFollower({ id: leader.id, directoryId: leader.directoryId });
    } else {
      this.resetElectionTimer();
    }
    this.leaderHeardMs = this.now;
    this.candidacyCount = 0;
  }

  /** Jitter comes from the generator handed in, so that two replicas do not keep step. */
  resetElectionTimer(): void {
    const { electionTimeoutMs } = this.options;
    // An eighth more than the time for which others defend the leader: asking sooner is in vain.
    const low = electionTimeoutMs + (electionTimeoutMs >>> 3);
    this.electionAtMs = this.now + this.#random.between(low, electionTimeoutMs * 2);
    this.isLateTickForgiven = false;
  }

  /** A number that an earlier life of this replica can hardly have come to. */
  newSequence(): number {
    return this.#random.between(0, SEQUENCE_START_MAX);
  }

  /** After a round that was lost, when everybody is known to be without a leader or to have one. */
  resetElectionTimerShortly(): void {
    const { electionTimeoutMs } = this.options;
    this.electionAtMs = this.now +
      this.#random.between(electionTimeoutMs >>> 2, electionTimeoutMs);
  }

  /**
   * How long a candidate waits for votes: shorter than a follower waits for its leader, because it
   * knows that there is none; longer each time, in case it is disks and links that are slow.
   */
  resetCandidateTimer(): void {
    const { electionTimeoutMs } = this.options;
    const patience = Math.min(1 << this.candidacyCount, CANDIDATE_PATIENCE_MAX);
    this.electionAtMs = this.now +
      this.#random.between(electionTimeoutMs >>> 1, electionTimeoutMs) * patience;
    this.candidacyCount = Math.min(this.candidacyCount + 1, CANDIDATE_PATIENCE_MAX);
  }

  /** Everything below is decided for good. */
  commitTo(offset: number): void {
    assert(offset >= this.commitOffset, "the commit offset never goes back");
    assert(offset <= this.log.endOffset, "only what the log holds is committed here");
    this.commitOffset = toOffset(offset);
  }

  /** Cuts the log off where a leader's differs. */
  truncateTo(position: Offset): void {
    const isKept = position >= this.commitOffset || this.isSabotaged("truncate-committed");
    assert(isKept, "what is committed is never cut off");
    this.log.truncateTo(position, this.isSabotaged("no-configuration-rollback"));
    this.persistence.cutTo(position);
  }

  /** The leadership ends: those who wait for a read are told. */
  #failReads(leadership: Leadership): void {
    const tokens = [
      ...leadership.earlyReads,
      ...leadership.freshReads.map((read) => read.token),
      ...leadership.pendingReads.map((read) => read.token),
    ];
    for (const token of tokens) this.reads.push({ token, offset: undefined });
  }
}

/** Up to which offset a follower may promise what it was sent. */
export function provenOffset(core: Core, verified: number): Offset {
  if (core.isSabotaged("accept-before-durable")) return toOffset(verified);
  return toOffset(Math.min(verified, core.persistence.durableOffset));
}
