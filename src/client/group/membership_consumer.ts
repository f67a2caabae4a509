/**
 * A member of a group of the consumer protocol (KIP-848): the coordinator divides, one request does all.
 *
 *     heartbeat ─► answer with a target ─► revoke what it lacks ─► take what is new ─► heartbeat that says so
 *
 * The target names topics by id. Ids that are not known yet are looked up; what is known already is
 * carried out meanwhile. While partitions are being given back, heartbeats go on and say nothing of it:
 * the coordinator gives them to nobody else before it was told. What was given back and taken is told in
 * full, and again after every failure, because the coordinator may not have heard.
 *
 * UNKNOWN_MEMBER_ID and FENCED_MEMBER_EPOCH mean that the group went on without us: all is lost, and it
 * joins anew at epoch 0. GROUP_ID_NOT_FOUND, behind which Kafka's client ends, is the same: the group was
 * removed, or its coordinator has lost its log. Long because the life of a member is told in one piece.
 *
 * Source: kafka ConsumerMembershipManager, ConsumerHeartbeatRequestManager.
 */
import type { consumerGroupHeartbeat } from "../../api/consumer_group_heartbeat.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { RequestInput, ResponseOf } from "../../api/schema.ts";
import type { Uuid } from "../../ground/uuid.ts";
import type { GroupNotice, TopicPartition } from "../group_options.ts";
import { expelledText, hintOf, isPassing } from "./group_errors.ts";
import type {
  CommitVerdict,
  LeaveRequest,
  MemberIdentity,
  Membership,
  MembershipAction,
  MembershipAnswer,
  MembershipAsk,
  MembershipOptions,
} from "./membership.ts";
import { Losses } from "./losses.ts";
import { byTopic, partitionKey, PartitionSet } from "./partition_set.ts";

const EPOCH_JOIN = 0;
const EPOCH_LEAVE = -1;
/** A static member that will be back: its partitions wait for it. */
const EPOCH_LEAVE_FOR_NOW = -2;
const FIRST_PULSE_MS = 200;
/** Until the coordinator has told its interval. */
const INTERVAL_MS = 5000;
/** Kafka's session timeout of consumer groups; the coordinator does not tell its own. */
const SESSION_MS = 45_000;

/** The group has gone on without this member, or is gone with it. */
const IS_OUT: ReadonlySet<number> = new Set([
  ErrorCode.UnknownMemberId,
  ErrorCode.FencedMemberEpoch,
  ErrorCode.GroupIdNotFound,
]);

export interface ConsumerMembershipOptions extends MembershipOptions {
  /** Chosen here, and for the whole life of the consumer. */
  readonly memberId: string;
  readonly remoteAssignor: string | null;
  /** Instead of topics: the coordinator matches. */
  readonly pattern: string | null;
}

type HeartbeatBody = RequestInput<typeof consumerGroupHeartbeat>;
type Target = NonNullable<
  ResponseOf<typeof consumerGroupHeartbeat>["assignment"]
>["topicPartitions"];

export class ConsumerMembership implements Membership {
  readonly #options: ConsumerMembershipOptions;
  readonly #owned = new PartitionSet();
  readonly #queue: MembershipAction[] = [];
  readonly #names = new Map<Uuid, string>();
  #state: "in" | "left" | "failed" = "in";
  #memberEpoch = EPOCH_JOIN;
  #topics: readonly string[] | undefined;
  #toldTopics: readonly string[] = [];
  #toldOwned = "";
  readonly #losses = new Losses();
  /** What the coordinator wants it to have; undefined once it is carried out. */
  #target: Target | undefined;
  /** Ids that were asked about and are not known. */
  #asksNames = false;
  #hasTarget = false;
  #revoking = 0;
  #revokingPartitions: readonly TopicPartition[] = [];
  #serial = 0;
  #life = 0;
  #isAsking = false;
  /** What is owned has changed, and the coordinator is to be told. */
  #mustTell = false;
  /** The last answer was lost or a refusal: everything is told anew. */
  #mustTellAll = false;
  #intervalMs = INTERVAL_MS;
  #heartbeatAtMs = 0;
  /** Until the next heartbeat, where that is less than the interval; it doubles. */
  #pulseMs = FIRST_PULSE_MS;
  #heardAtMs = 0;
  #askedAtMs = 0;
  #confirmedAtMs = 0;
  #isCut = false;
  #failureCount = 0;
  #notBeforeMs = 0;
  #now = 0;

  constructor(options: ConsumerMembershipOptions) {
    this.#options = options;
  }

  get memberId(): string {
    return this.#options.memberId;
  }

  get owned(): readonly TopicPartition[] {
    return this.#owned.list();
  }

  get isSettled(): boolean {
    return this.#state === "in" && this.#hasTarget && this.#target === undefined &&
      this.#revoking === 0 && !this.#mustTell;
  }

  get identity(): MemberIdentity | undefined {
    if (this.#state !== "in" || this.#memberEpoch <= 0) return undefined;
    const { memberId, groupInstanceId } = this.#options;
    return { memberId, generationIdOrMemberEpoch: this.#memberEpoch, groupInstanceId };
  }

  get wakeAtMs(): number {
    if (this.#state !== "in" || this.#isAsking || this.#topics === undefined) return Infinity;
    return Math.max(this.#mustTell ? 0 : this.#heartbeatAtMs, this.#notBeforeMs);
  }

  get confirmedAtMs(): number {
    return this.#confirmedAtMs;
  }

  /** The coordinator notices by itself. */
  get watchedTopics(): readonly string[] {
    return [];
  }

  next(now: number): MembershipAction | undefined {
    this.#now = now;
    if (this.#queue.length === 0) this.#reconcile();
    const queued = this.#queue.shift();
    if (queued !== undefined) return queued;
    return now >= this.wakeAtMs ? this.#heartbeat() : undefined;
  }

  subscribe(now: number, topics: readonly string[]): void {
    this.#now = now;
    if (this.#topics === undefined) this.#heardAtMs = now;
    this.#topics = topics.toSorted();
    if (this.#topics.join() !== this.#toldTopics.join()) this.#heartbeatAtMs = now;
  }

  counted(): void {} // the coordinator counts

  looked(): void {} // it asks for no counts

  compared(): void {} // the coordinator divides

  named(now: number, names: ReadonlyMap<Uuid, string>): void {
    this.#now = now;
    for (const [topicId, name] of names) this.#names.set(topicId, name);
    this.#asksNames = false;
  }

  revoked(now: number, serial: number): void {
    this.#now = now;
    if (serial !== this.#revoking) return;
    this.#revoking = 0;
    for (const partition of this.#revokingPartitions) this.#owned.delete(partition);
    this.#revokingPartitions = [];
    this.#seeWhatToTell();
  }

  failed(now: number, { life }: MembershipAsk): void {
    this.#now = now;
    if (life !== this.#life) return;
    this.#isAsking = false;
    this.#retry();
  }

  answered(now: number, answer: MembershipAnswer): void {
    this.#now = now;
    if (answer.life !== this.#life || answer.what !== "consumer-heartbeat") return;
    this.#isAsking = false;
    const { errorCode, errorMessage } = answer.response;
    if (errorCode === ErrorCode.None) {
      this.#onHeartbeat(answer.response);
    } else if (isPassing(errorCode)) {
      this.#retry();
    } else if (IS_OUT.has(errorCode)) {
      this.#lose(errorCode);
    } else {
      this.#fail(errorCode, errorMessage);
    }
  }

  /** The next heartbeat, sent at once, tells what has become of this member. */
  commitRefused(now: number, errorCode: number, identity: MemberIdentity): CommitVerdict {
    this.#now = now;
    const isOfNow = identity.generationIdOrMemberEpoch === this.#memberEpoch;
    switch (errorCode) {
      case ErrorCode.StaleMemberEpoch:
        if (isOfNow) this.#heartbeatAtMs = now;
        return "retry";
      case ErrorCode.UnknownMemberId:
      case ErrorCode.FencedMemberEpoch:
      case ErrorCode.IllegalGeneration:
      case ErrorCode.GroupIdNotFound:
        if (!isOfNow) return "retry";
        this.#heartbeatAtMs = now;
        return "refused";
      case ErrorCode.FencedInstanceId:
        if (!isOfNow) return "retry";
        this.#fail(errorCode, null);
        return "refused";
      default:
        return "refused";
    }
  }

  leave(isForGood: boolean): LeaveRequest | undefined {
    const { groupId, memberId, groupInstanceId } = this.#options;
    const wasMember = this.#memberEpoch > 0 || this.#isAsking;
    this.#drop();
    if (this.#state !== "failed") this.#state = "left";
    if (!wasMember) return undefined;
    const memberEpoch = groupInstanceId === null || isForGood ? EPOCH_LEAVE : EPOCH_LEAVE_FOR_NOW;
    return {
      what: "consumer-heartbeat",
      body: { groupId, memberId, memberEpoch, instanceId: groupInstanceId },
    };
  }

  rejoin(now: number): void {
    this.#now = now;
    if (this.#state === "left") this.#state = "in";
    this.#heartbeatAtMs = now;
  }

  #heartbeat(): MembershipAction {
    const { groupId, memberId, groupInstanceId, rackId, pattern } = this.#options;
    const isJoining = this.#memberEpoch === EPOCH_JOIN;
    const tellsAll = isJoining || this.#mustTellAll;
    const topics = this.#topics ?? [];
    const tellsTopics = tellsAll || topics.join() !== this.#toldTopics.join();
    const body: HeartbeatBody = {
      groupId,
      memberId,
      memberEpoch: this.#memberEpoch,
      instanceId: groupInstanceId,
      ...(tellsAll
        ? {
          rackId,
          rebalanceTimeoutMs: this.#options.rebalanceTimeoutMs,
          serverAssignor: this.#options.remoteAssignor,
        }
        : {}),
      ...(tellsTopics ? subscriptionOf(topics, pattern) : {}),
      ...(tellsAll || this.#mustTell ? { topicPartitions: isJoining ? [] : this.#told() } : {}),
    };
    this.#toldTopics = topics;
    if (body.topicPartitions !== undefined) {
      this.#toldOwned = isJoining ? "" : ownedText(this.#owned);
    }
    this.#mustTell = false;
    this.#mustTellAll = false;
    this.#isAsking = true;
    this.#askedAtMs = this.#now;
    this.#heartbeatAtMs = this.#now + this.#intervalMs;
    this.#pulseMs = isJoining ? FIRST_PULSE_MS : this.#pulseMs * 2;
    return { kind: "ask", what: "consumer-heartbeat", body, life: this.#life, extraMs: 0 };
  }

  #told(): NonNullable<HeartbeatBody["topicPartitions"]> {
    const idOf = new Map([...this.#names].map(([topicId, name]) => [name, topicId]));
    return byTopic(this.#owned.list()).flatMap(({ topic, partitions }) => {
      const topicId = idOf.get(topic);
      return topicId === undefined ? [] : [{ topicId, partitions }];
    });
  }

  #onHeartbeat(response: ResponseOf<typeof consumerGroupHeartbeat>): void {
    this.#failureCount = 0;
    this.#notBeforeMs = 0;
    this.#heardAtMs = this.#now;
    this.#confirmedAtMs = this.#askedAtMs;
    this.#isCut = false;
    if (response.heartbeatIntervalMs > 0) this.#intervalMs = response.heartbeatIntervalMs;
    // What others give back for this member comes with a heartbeat soon behind those that changed it.
    if (response.memberEpoch !== this.#memberEpoch) this.#pulseMs = FIRST_PULSE_MS;
    this.#memberEpoch = response.memberEpoch;
    this.#heartbeatAtMs = this.#now + Math.min(this.#pulseMs, this.#intervalMs);
    if (response.assignment === null) return;
    this.#target = response.assignment.topicPartitions;
    this.#asksNames = false;
    this.#hasTarget = true;
  }

  /** One step towards the target; the first of them is to give back what it lacks. */
  #reconcile(): void {
    if (this.#target === undefined || this.#revoking > 0 || this.#state !== "in") return;
    const unknown = this.#target.filter(({ topicId }) => !this.#names.has(topicId));
    if (unknown.length > 0 && !this.#asksNames) {
      this.#asksNames = true;
      this.#queue.push({ kind: "name", topicIds: unknown.map(({ topicId }) => topicId) });
    }
    const wanted = new PartitionSet(
      this.#target.flatMap(({ topicId, partitions }) => {
        const topic = this.#names.get(topicId);
        return topic === undefined ? [] : partitions.map((partition) => ({ topic, partition }));
      }),
    );
    const gone = this.#owned.without(wanted);
    if (gone.length > 0) {
      this.#revoking = ++this.#serial;
      this.#revokingPartitions = gone;
      this.#queue.push({ kind: "revoke", partitions: gone, serial: this.#serial });
      return;
    }
    const added = wanted.without(this.#owned);
    for (const partition of added) this.#owned.add(partition);
    if (added.length > 0) this.#queue.push({ kind: "assign", partitions: added });
    this.#seeWhatToTell();
    if (unknown.length === 0) this.#target = undefined;
  }

  /** Whatever the coordinator has sent: it is told of nothing that it knows, or the two would never rest. */
  #seeWhatToTell(): void {
    this.#mustTell = ownedText(this.#owned) !== this.#toldOwned;
  }

  #lose(errorCode: number): void {
    const wasMember = this.#memberEpoch > 0;
    this.#drop();
    this.#heartbeatAtMs = this.#now;
    this.#notBeforeMs = this.#now + this.#options.backoffMs(this.#losses.count(this.#now));
    if (wasMember) {
      this.#notice("expelled", expelledText(errorCode));
    }
  }

  #drop(): void {
    const partitions = this.owned;
    this.#life++;
    this.#isAsking = false;
    this.#revoking = 0;
    this.#revokingPartitions = [];
    this.#queue.length = 0;
    this.#owned.clear();
    this.#target = undefined;
    this.#hasTarget = false;
    this.#mustTell = false;
    this.#memberEpoch = EPOCH_JOIN;
    if (partitions.length > 0) this.#queue.push({ kind: "lose", partitions });
  }

  #fail(errorCode: number, detail: string | null): void {
    this.#drop();
    this.#state = "failed";
    this.#queue.push({
      kind: "fail",
      errorCode,
      detail,
      ...hintOf(errorCode, this.#options.groupInstanceId),
    });
  }

  #retry(): void {
    this.#mustTellAll = true;
    this.#heartbeatAtMs = this.#now;
    this.#notBeforeMs = this.#now + this.#options.backoffMs(++this.#failureCount);
    if (!this.#isCut && this.#now - this.#heardAtMs > SESSION_MS) {
      this.#isCut = true;
      this.#notice("coordinator-lost", "The coordinator of the group does not answer");
    }
  }

  #notice(kind: GroupNotice["kind"], message: string): void {
    this.#queue.push({ kind: "notice", notice: { kind, message } });
  }
}

function ownedText(owned: PartitionSet): string {
  return owned.list().map(partitionKey).sort().join();
}

function subscriptionOf(
  topics: readonly string[],
  pattern: string | null,
): Pick<HeartbeatBody, "subscribedTopicNames" | "subscribedTopicRegex"> {
  return pattern === null
    ? { subscribedTopicNames: topics }
    : { subscribedTopicNames: [], subscribedTopicRegex: pattern };
}
