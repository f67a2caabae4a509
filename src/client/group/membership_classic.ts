/**
 * A member of a classic group (KIP-62, KIP-345, KIP-429).
 *
 *     away ─► giving ─► joining ─► dividing ─► syncing ─► stable
 *      ▲        (eager: all)        (leader)                │ REBALANCE_IN_PROGRESS, other topics,
 *      └──────────────────────────────────────────────────┘ something was revoked
 *
 * Under an eager assignor everything is given back before each JoinGroup. Under a cooperative one the
 * member goes on reading; what the new assignment lacks is given back behind SyncGroup, and then it joins
 * once more, so that its next owner can have it. Heartbeats are sent whenever no other question is under
 * way, also while the application takes its time to give partitions back: the coordinator then answers
 * REBALANCE_IN_PROGRESS, which is no news.
 *
 * UNKNOWN_MEMBER_ID and ILLEGAL_GENERATION mean that the group went on without us: all is lost. Long
 * because the life of a member is told in one piece.
 *
 * Source: kafka AbstractCoordinator, ConsumerCoordinator.
 */
import {
  CONSUMER_PROTOCOL_VERSION,
  readAssignment,
  writeSubscription,
} from "../../api/consumer_protocol.ts";
import { ErrorCode, errorName } from "../../api/error_code.ts";
import type { heartbeat } from "../../api/heartbeat.ts";
import type { joinGroup } from "../../api/join_group.ts";
import type { ResponseOf } from "../../api/schema.ts";
import type { syncGroup } from "../../api/sync_group.ts";
import type { AssignorName, GroupNotice, TopicPartition } from "../group_options.ts";
import { assignorMember, generationUserData, type PartitionCounts } from "./assignor/assignor.ts";
import { assignors } from "./assignor/assignors.ts";
import type { PartitionRacks } from "./assignor/racks.ts";
import { ClassicLeader } from "./classic_leader.ts";
import { expelledText, hintOf, isPassing } from "./group_errors.ts";
import { Losses } from "./losses.ts";
import type {
  CommitVerdict,
  Comparison,
  CountAnswer,
  LeaveRequest,
  MemberIdentity,
  Membership,
  MembershipAction,
  MembershipAnswer,
  MembershipAsk,
  MembershipOptions,
} from "./membership.ts";
import { byTopic, flattened, PartitionSet } from "./partition_set.ts";

const PROTOCOL_TYPE = "consumer";
const NO_GENERATION = -1;
/** Kafka: JOIN_GROUP_TIMEOUT_LAPSE. The answer comes when the last member has joined or timed out. */
const JOIN_LAPSE_MS = 5000;
const FIRST_PULSE_MS = 100;

export interface ClassicOptions extends MembershipOptions {
  readonly assignors: readonly AssignorName[];
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

type Phase = "away" | "giving" | "joining" | "dividing" | "syncing" | "stable" | "left" | "failed";

export class ClassicMembership implements Membership {
  readonly #options: ClassicOptions;
  readonly #isCooperative: boolean;
  readonly #owned = new PartitionSet();
  readonly #queue: MembershipAction[] = [];
  #phase: Phase = "away";
  #memberId = "";
  #generationId = NO_GENERATION;
  /** Of the last assignment: what "cooperative-sticky" tells in its user data. */
  #assignedGenerationId = NO_GENERATION;
  #protocolName: string | null = null;
  #topics: readonly string[] | undefined;
  #joinedTopics: readonly string[] = [];
  #rejoinReason: string | undefined;
  /** Where this member leads. */
  #leader: ClassicLeader | undefined;
  /** The revocation under way; 0 = none. */
  #revoking = 0;
  #revokingPartitions: readonly TopicPartition[] = [];
  #serial = 0;
  #life = 0;
  #isAsking = false;
  #failureCount = 0;
  readonly #losses = new Losses();
  #notBeforeMs = 0;
  #heartbeatAtMs = 0;
  /** Until the heartbeat behind the next; it grows to the interval. */
  #pulseMs = 0;
  #heardAtMs = 0;
  #askedAtMs = 0;
  #confirmedAtMs = 0;
  #isCut = false;
  #now = 0;

  constructor(options: ClassicOptions) {
    this.#options = options;
    this.#pulseMs = options.heartbeatIntervalMs;
    this.#isCooperative = options.assignors.every((name) => assignors[name].isCooperative);
  }

  get memberId(): string {
    return this.#memberId;
  }

  get owned(): readonly TopicPartition[] {
    return this.#owned.list();
  }

  get isSettled(): boolean {
    return this.#phase === "stable" && this.#rejoinReason === undefined && this.#revoking === 0;
  }

  get identity(): MemberIdentity | undefined {
    const isBetween = this.#phase === "joining" || this.#phase === "dividing" ||
      this.#phase === "syncing";
    if (isBetween || this.#generationId === NO_GENERATION) return undefined;
    return {
      memberId: this.#memberId,
      generationIdOrMemberEpoch: this.#generationId,
      groupInstanceId: this.#options.groupInstanceId,
    };
  }

  get wakeAtMs(): number {
    if (this.#phase === "left" || this.#phase === "failed" || this.#isAsking) return Infinity;
    if (this.#topics === undefined) return Infinity;
    return Math.max(this.#phase === "away" ? 0 : this.#heartbeatAtMs, this.#notBeforeMs);
  }

  get confirmedAtMs(): number {
    return this.#confirmedAtMs;
  }

  /** All topics that concern it: as the leader, those of all members. */
  get watchedTopics(): readonly string[] {
    const own = this.#topics ?? [];
    return this.#leader === undefined ? own : [...new Set([...own, ...this.#leader.topics])];
  }

  next(now: number): MembershipAction | undefined {
    this.#now = now;
    const queued = this.#queue.shift();
    if (queued !== undefined) return queued;
    if (this.#isAsking || now < this.#notBeforeMs) return undefined;
    if (this.#phase === "stable" && this.#rejoinReason !== undefined && this.#revoking === 0) {
      this.#phase = "away";
    }
    if (this.#phase === "away") return this.#topics === undefined ? undefined : this.#prepare();
    const isMember = this.#phase === "stable" || this.#phase === "giving" ||
      this.#phase === "dividing";
    return isMember && now >= this.#heartbeatAtMs ? this.#heartbeat() : undefined;
  }

  subscribe(now: number, topics: readonly string[]): void {
    this.#now = now;
    if (this.#topics === undefined) this.#heardAtMs = now;
    this.#topics = topics.toSorted();
    if (this.#phase === "stable" && this.#topics.join() !== this.#joinedTopics.join()) {
      this.#rejoin("the subscription has changed");
    }
  }

  counted(now: number, counts: PartitionCounts): void {
    this.#now = now;
    if (this.#phase === "stable" && this.#leader?.hasOutlived(counts) === true) {
      this.#rejoin("topics of the group have changed");
    }
  }

  looked(now: number, { life, counts, racks }: CountAnswer): void {
    this.#now = now;
    if (this.#phase === "dividing" && life === this.#life) this.#divide(counts, racks);
  }

  compared(now: number, { of: { life, generationId }, there, given }: Comparison): void {
    this.#now = now;
    const isOfNow = life === this.#life && generationId === this.#generationId;
    if (isOfNow && this.#phase === "stable" && this.#leader?.hasLeftOut(there, given) === true) {
      this.#rejoin("topics of the group have changed");
    }
  }

  named(): void {} // a classic group knows topics by name

  revoked(now: number, serial: number): void {
    this.#now = now;
    if (serial !== this.#revoking) return;
    this.#revoking = 0;
    for (const partition of this.#revokingPartitions) this.#owned.delete(partition);
    this.#revokingPartitions = [];
    if (this.#phase === "giving") this.#phase = "away";
    else this.#rejoin("it has given partitions back");
  }

  failed(now: number, { life, what }: MembershipAsk): void {
    this.#now = now;
    if (life !== this.#life) return;
    this.#isAsking = false;
    this.#retry();
    // Whether a JoinGroup or SyncGroup was heard is not known: to join once more is right in both cases.
    if (what !== "heartbeat") this.#phase = "away";
  }

  answered(now: number, answer: MembershipAnswer): void {
    this.#now = now;
    if (answer.life !== this.#life) return;
    this.#isAsking = false;
    const { errorCode } = answer.response;
    if (!isPassing(errorCode)) this.#failureCount = 0;
    if (errorCode === ErrorCode.None) this.#heard();
    if (answer.what === "join") this.#onJoin(answer.response);
    else if (answer.what === "sync") this.#onSync(answer.response);
    else if (answer.what === "heartbeat") this.#onHeartbeat(answer.response);
  }

  commitRefused(now: number, errorCode: number, identity: MemberIdentity): CommitVerdict {
    this.#now = now;
    const isOfNow = identity.memberId === this.#memberId &&
      identity.generationIdOrMemberEpoch === this.#generationId;
    switch (errorCode) {
      case ErrorCode.RebalanceInProgress:
        if (this.#revoking > 0) return "refused"; // until it is given back nothing will change
        if (this.#phase === "stable") this.#rejoin("a rebalance is under way");
        return "retry";
      case ErrorCode.UnknownMemberId:
      case ErrorCode.IllegalGeneration:
        if (!isOfNow) return "retry";
        this.#lose(errorCode);
        return "refused";
      case ErrorCode.FencedInstanceId:
        if (!isOfNow) return "retry";
        this.#fail(errorCode);
        return "refused";
      default:
        return "refused";
    }
  }

  leave(isForGood: boolean): LeaveRequest | undefined {
    const { groupId, groupInstanceId } = this.#options;
    const memberId = this.#memberId;
    this.#drop(true);
    if (this.#phase !== "failed") this.#phase = "left";
    const isKnown = memberId !== "" && (groupInstanceId === null || isForGood);
    if (!isKnown) return undefined;
    const reason = "the consumer is being closed";
    return {
      what: "leave",
      body: { groupId, memberId, members: [{ memberId, groupInstanceId, reason }] },
    };
  }

  rejoin(now: number): void {
    this.#now = now;
    if (this.#phase === "left") this.#phase = "away";
  }

  #prepare(): MembershipAction {
    const topics = new Set(this.#topics);
    const unwanted = this.#isCooperative
      ? this.owned.filter(({ topic }) => !topics.has(topic))
      : this.owned;
    if (unwanted.length === 0) return this.#join();
    this.#phase = "giving";
    return this.#revoke(unwanted);
  }

  #revoke(partitions: readonly TopicPartition[]): MembershipAction {
    this.#revoking = ++this.#serial;
    this.#revokingPartitions = partitions;
    return { kind: "revoke", partitions, serial: this.#serial };
  }

  #join(): MembershipAction {
    const { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    this.#phase = "joining";
    this.#joinedTopics = this.#topics ?? [];
    this.#leader = undefined;
    const reason = this.#rejoinReason ?? null;
    this.#rejoinReason = undefined;
    return this.#ask({
      what: "join",
      extraMs: rebalanceTimeoutMs + JOIN_LAPSE_MS,
      body: {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.#memberId,
        groupInstanceId,
        protocolType: PROTOCOL_TYPE,
        protocols: this.#options.assignors.map((name) => ({
          name,
          metadata: this.#subscription(name),
        })),
        reason,
      },
    });
  }

  #subscription(name: AssignorName): Uint8Array {
    const isSticky = name === "cooperative-sticky";
    return writeSubscription({
      topics: this.#joinedTopics,
      userData: isSticky ? generationUserData(this.#assignedGenerationId) : null,
      ownedPartitions: byTopic(this.owned),
      generationId: this.#generationId,
      rackId: this.#options.rackId,
    }, CONSUMER_PROTOCOL_VERSION);
  }

  #heartbeat(): MembershipAction {
    const { groupId, groupInstanceId, heartbeatIntervalMs } = this.#options;
    this.#heartbeatAtMs = this.#now + this.#pulseMs;
    this.#pulseMs = Math.min(this.#pulseMs * 2, heartbeatIntervalMs);
    const body = { groupId, ...this.#as(), groupInstanceId };
    return this.#ask({ what: "heartbeat", body, extraMs: 0 });
  }

  #as(): { readonly memberId: string; readonly generationId: number } {
    return { memberId: this.#memberId, generationId: this.#generationId };
  }

  #ask(ask: DistributiveOmit<MembershipAsk, "kind" | "life">): MembershipAction {
    this.#isAsking = true;
    this.#askedAtMs = this.#now;
    return { kind: "ask", life: this.#life, ...ask } as MembershipAction;
  }

  #onJoin(response: ResponseOf<typeof joinGroup>): void {
    const { errorCode, memberId, generationId, leader, members, protocolName } = response;
    if (errorCode === ErrorCode.None) {
      this.#memberId = memberId;
      this.#generationId = generationId;
      this.#protocolName = protocolName;
      this.#heartbeatAtMs = this.#now + this.#options.heartbeatIntervalMs;
      if (leader === memberId) this.#leader = new ClassicLeader(members.map(assignorMember));
      // A static leader that came back: the coordinator keeps the division (KIP-814).
      if (this.#leader === undefined || response.skipAssignment) {
        this.#sync(new Map());
        return;
      }
      this.#phase = "dividing";
      this.#queue.push({ kind: "count", topics: this.#leader.topics, life: this.#life });
      return;
    }
    this.#phase = "away";
    if (errorCode === ErrorCode.MemberIdRequired) this.#memberId = memberId;
    else this.#onError(errorCode);
    if (errorCode === ErrorCode.RebalanceInProgress) this.#retry(); // the coordinator could not write
  }

  #divide(counts: PartitionCounts, racks: PartitionRacks): void {
    const division = this.#leader?.divide(this.#protocolName, counts, racks);
    if (division === undefined) this.#fail(ErrorCode.InconsistentGroupProtocol);
    else this.#sync(division);
  }

  #sync(assignments: ReadonlyMap<string, Uint8Array>): void {
    const { groupId, groupInstanceId } = this.#options;
    this.#phase = "syncing";
    this.#queue.push(this.#ask({
      what: "sync",
      extraMs: this.#options.rebalanceTimeoutMs, // until the leader has divided
      body: {
        groupId,
        ...this.#as(),
        groupInstanceId,
        protocolType: PROTOCOL_TYPE,
        protocolName: this.#protocolName,
        assignments: [...assignments].map(([memberId, assignment]) => ({ memberId, assignment })),
      },
    }));
  }

  #onSync({ errorCode, assignment }: ResponseOf<typeof syncGroup>): void {
    if (errorCode !== ErrorCode.None) {
      this.#phase = "away";
      this.#onError(errorCode);
      return;
    }
    // Some leaders give nothing at all to a member for which nothing is left.
    const read = assignment.length === 0 ? { assignedPartitions: [] } : readAssignment(assignment);
    if (read === undefined) {
      this.#fail(ErrorCode.InconsistentGroupProtocol);
      return;
    }
    const topics = new Set(this.#joinedTopics);
    const assigned = new PartitionSet(
      flattened(read.assignedPartitions).filter(({ topic }) => topics.has(topic)),
    );
    this.#phase = "stable";
    this.#assignedGenerationId = this.#generationId;
    // What somebody gives back behind this SyncGroup is divided in a second round, which comes soon.
    this.#pulseMs = this.#isCooperative ? FIRST_PULSE_MS : this.#options.heartbeatIntervalMs;
    this.#pulseMs = Math.min(this.#pulseMs, this.#options.heartbeatIntervalMs);
    this.#heartbeatAtMs = this.#now + this.#pulseMs;
    const added = assigned.without(this.#owned);
    const gone = this.#owned.without(assigned);
    for (const partition of added) this.#owned.add(partition);
    if (added.length > 0) this.#queue.push({ kind: "assign", partitions: added });
    if (gone.length > 0) this.#queue.push(this.#revoke(gone));
    if (this.#topics?.join() !== this.#joinedTopics.join()) {
      this.#rejoin("the subscription has changed");
    }
    // A static leader that came back was not there to see what has come since the division (KIP-814).
    if (this.#leader?.hasDivided === false) {
      const of = { life: this.#life, generationId: this.#generationId };
      this.#queue.push({ kind: "compare", topics: this.watchedTopics, of });
    }
  }

  #onHeartbeat({ errorCode }: ResponseOf<typeof heartbeat>): void {
    if (errorCode === ErrorCode.None) return;
    if (errorCode !== ErrorCode.RebalanceInProgress) {
      this.#onError(errorCode);
      return;
    }
    this.#heardAtMs = this.#now;
    this.#confirmedAtMs = this.#askedAtMs;
    if (this.#phase === "stable") this.#rejoin("a rebalance is under way");
  }

  /** Of any of the three. */
  #onError(errorCode: number): void {
    if (isPassing(errorCode)) {
      this.#retry();
    } else if (errorCode === ErrorCode.RebalanceInProgress) {
      this.#rejoin("a rebalance is under way");
    } else if (
      errorCode === ErrorCode.UnknownMemberId || errorCode === ErrorCode.IllegalGeneration
    ) {
      this.#lose(errorCode);
    } else {
      this.#fail(errorCode);
    }
  }

  #rejoin(reason: string): void {
    this.#rejoinReason ??= reason;
  }

  #lose(errorCode: number): void {
    const wasMember = this.#generationId !== NO_GENERATION;
    this.#drop(errorCode === ErrorCode.UnknownMemberId);
    this.#phase = "away";
    this.#rejoin(`the coordinator said ${errorName(errorCode)}`);
    this.#notBeforeMs = this.#now + this.#options.backoffMs(this.#losses.count(this.#now));
    if (wasMember) {
      this.#notice("expelled", expelledText(errorCode));
    }
  }

  #drop(isIdVoid: boolean): void {
    const partitions = this.owned;
    this.#life++;
    this.#isAsking = false;
    this.#revoking = 0;
    this.#revokingPartitions = [];
    this.#queue.length = 0;
    this.#owned.clear();
    this.#generationId = NO_GENERATION;
    if (isIdVoid) this.#memberId = "";
    if (partitions.length > 0) this.#queue.push({ kind: "lose", partitions });
  }

  #fail(errorCode: number): void {
    this.#drop(false);
    this.#phase = "failed";
    this.#queue.push({
      kind: "fail",
      errorCode,
      detail: null,
      ...hintOf(errorCode, this.#options.groupInstanceId),
    });
  }

  #retry(): void {
    this.#notBeforeMs = this.#now + this.#options.backoffMs(++this.#failureCount);
    if (this.#phase === "stable" || this.#phase === "giving") this.#heartbeatAtMs = this.#now;
    if (!this.#isCut && this.#now - this.#heardAtMs > this.#options.sessionTimeoutMs) {
      this.#isCut = true;
      this.#notice("coordinator-lost", "The coordinator of the group does not answer");
    }
  }

  #heard(): void {
    this.#heardAtMs = this.#now;
    this.#confirmedAtMs = this.#askedAtMs;
    this.#isCut = false;
    this.#notBeforeMs = 0;
  }

  #notice(kind: GroupNotice["kind"], message: string): void {
    this.#queue.push({ kind: "notice", notice: { kind, message } });
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
