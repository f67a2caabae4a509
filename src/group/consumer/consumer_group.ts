/**
 * A group of the consumer protocol (KIP-848): the broker assigns, members converge one by one.
 *
 * This is the one door to it: each question is a turn, each record comes back through `replay`. What is
 * decided is in the files that `core.ts` lists; offsets are the shard's.
 *
 *     a member joins, leaves, changes ──► group epoch ──► target ──► each member's own steps
 *
 * Invariant: no partition is assigned to a member while another one holds it.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import type { Ms } from "../../ground/numbers.ts";
import type { ClassicGroup } from "../classic/classic_group.ts";
import { errorResponse } from "../error_response.ts";
import type { Commit, ExpiryBase, Group } from "../group.ts";
import type {
  ConsumerGroupHeartbeatRequest,
  DescribedConsumerGroup,
  GroupRequest,
  HeartbeatRequest,
  JoinGroupRequest,
  LeaveGroupRequest,
  ResponseTo,
  SyncGroupRequest,
} from "../group_request.ts";
import { History } from "../history.ts";
import type { Token, Turn } from "../turn.ts";
import { carryHistory } from "./carried_history.ts";
import { onClassicJoin } from "./classic_join.ts";
import { onClassicHeartbeat, onClassicLeave, onClassicSync } from "./classic_rest.ts";
import { type ConsumerCore, GroupMemory } from "./core.ts";
import { describeGroup } from "./describe.ts";
import { fenceOverdue } from "./fencing.ts";
import { ConsumerGroupState } from "./group_state.ts";
import { type HeartbeatResponse, onHeartbeat } from "./heartbeat.ts";
import { refuseHeartbeat } from "./heartbeat_check.ts";
import type { ConsumerMember } from "./member.ts";
import { hashesOf } from "./metadata_hash.ts";
import { refuseCommit, refuseFetch } from "./offset_check.ts";
import { MemberState } from "./reconcile.ts";
import { groupTombstones } from "./record.ts";
import { Refusal } from "./refusal.ts";
import { mayMeanMore } from "./regexes.ts";
import { CONSUMER_PROTOCOL_TYPE, upgradeRecords } from "./upgrade.ts";

type TokenTo<Request extends GroupRequest> = Token<ResponseTo<Request>>;

const AT_ONCE = 0 as Ms;

export class ConsumerGroup implements Group {
  readonly kind = "consumer";
  readonly protocolType = CONSUMER_PROTOCOL_TYPE;
  readonly #core: ConsumerCore;
  /** Members that came out of the log and have no session yet. */
  #untimed: string[] = [];

  constructor(groupId: string) {
    this.#core = {
      groupId,
      state: new ConsumerGroupState(),
      memory: new GroupMemory(),
      history: new History(),
    };
  }

  /**
   * The consumer group that a classic group with members becomes, with its records written; or why it
   * stays what it is, in Kafka's words. It is in force when its records come back.
   */
  static upgraded(turn: Turn, classic: ClassicGroup): ConsumerGroup | string {
    const group = new ConsumerGroup(classic.groupId);
    const { memory, history } = group.#core;
    const records = upgradeRecords(turn, classic);
    if (typeof records === "string") return records;
    carryHistory(turn.now, classic.history, history);
    memory.conversion = "the group went on with the consumer protocol";
    // Who asks is decided about on what the group will be; the same records come back once more.
    for (const record of records) {
      turn.write(record);
      group.replay(record);
    }
    return group;
  }

  get groupId(): string {
    return this.#core.groupId;
  }

  get history(): History {
    return this.#core.history;
  }

  get memberCount(): number {
    return this.#core.state.members.size;
  }

  get isEmpty(): boolean {
    return this.memberCount === 0;
  }

  get isForgettable(): boolean {
    return this.#core.state.isBlank;
  }

  get wakeAt(): Ms | undefined {
    return this.#untimed.length > 0 ? AT_ONCE : this.#core.memory.timers.wakeAt;
  }

  state(): string {
    return this.#core.state.name;
  }

  // What clients ask.

  heartbeat(
    turn: Turn,
    request: ConsumerGroupHeartbeatRequest,
    token: TokenTo<ConsumerGroupHeartbeatRequest>,
  ): void {
    const core = this.#begin(turn);
    const answer = refuseHeartbeat(request, turn.settings.consumerGroupAssignors) ??
      onHeartbeat(core, turn, request);
    turn.reply(token, answer instanceof Refusal ? refusedHeartbeat(answer) : answer);
  }

  classicJoin(turn: Turn, request: JoinGroupRequest, token: TokenTo<JoinGroupRequest>): void {
    const answer = onClassicJoin(this.#begin(turn), turn, request);
    if (!(answer instanceof Refusal)) return turn.reply(token, answer);
    turn.reply(token, { ...errorResponse(request, answer.errorCode), memberId: "" });
  }

  classicSync(turn: Turn, request: SyncGroupRequest, token: TokenTo<SyncGroupRequest>): void {
    const answer = onClassicSync(this.#begin(turn), turn, request);
    const isRefused = answer instanceof Refusal;
    turn.reply(token, isRefused ? errorResponse(request, answer.errorCode) : answer);
  }

  classicHeartbeat(turn: Turn, request: HeartbeatRequest, token: TokenTo<HeartbeatRequest>): void {
    const answer = onClassicHeartbeat(this.#begin(turn), turn, request);
    turn.reply(token, answer instanceof Refusal ? { errorCode: answer.errorCode } : answer);
  }

  classicLeave(turn: Turn, request: LeaveGroupRequest, token: TokenTo<LeaveGroupRequest>): void {
    turn.reply(token, onClassicLeave(this.#begin(turn), turn, request));
  }

  describe(turn: Turn, includeHistory: boolean): DescribedConsumerGroup {
    return describeGroup(this.#core, turn, includeHistory);
  }

  // What time and the cluster do.

  wake(turn: Turn): void {
    const core = this.#begin(turn);
    const untimed = this.#untimed;
    this.#untimed = [];
    for (const memberId of untimed) {
      const member = core.state.members.get(memberId);
      if (member !== undefined && !core.memory.timers.has(memberId)) {
        startTimers(core, turn, member);
      }
    }
    fenceOverdue(core, turn);
  }

  loaded(turn: Turn): void {
    const core = this.#begin(turn);
    this.#untimed = [];
    for (const member of core.state.members.values()) startTimers(core, turn, member);
    // Nobody told of the topics that came before.
    core.memory.newTopicsAt = turn.image.nextOffset - 1;
  }

  /** Looked at by the next heartbeat: nothing is due before a member can learn of it. */
  topicsChanged(turn: Turn, names: readonly string[]): void {
    const { state, memory } = this.#begin(turn);
    for (const name of names) {
      hashesOf(turn.image).forget(name);
      if (state.subscriptions.isSubscribedTo(name)) memory.noteTopic(name);
    }
  }

  get hasPatterns(): boolean {
    return this.#core.state.subscriptions.hasRegexes;
  }

  /** Behind `topicsChanged`: dear, for programs are made of patterns. */
  patternsMayMeanMore(turn: Turn, names: readonly string[]): void {
    const { state, memory } = this.#begin(turn);
    if (mayMeanMore(turn, state, names)) memory.newTopicsAt = turn.image.nextOffset - 1;
  }

  // What offsets depend on.

  isSubscribedTo(topic: string): boolean {
    return this.#core.state.subscriptions.isSubscribedTo(topic);
  }

  refuseCommit(commit: Commit): ErrorCode | undefined {
    return refuseCommit(this.#core.state, commit);
  }

  refuseFetch(memberId: string | null, memberEpoch: number): ErrorCode | undefined {
    return refuseFetch(this.#core.state, memberId, memberEpoch);
  }

  refuseDelete(): ErrorCode | undefined {
    return this.isEmpty ? undefined : ErrorCode.NonEmptyGroup;
  }

  /** The shard asks for each topic whether it is in use. */
  refuseOffsetDelete(): undefined {
    return undefined;
  }

  expiryBase(): ExpiryBase {
    return "commit";
  }

  // What is durable.

  writeTombstones(turn: Turn): void {
    const { groupId, state } = this.#core;
    const memberIds = [...state.members.keys()];
    const regexes = [...state.resolvedRegexes.keys()];
    for (const record of groupTombstones(groupId, memberIds, regexes)) turn.write(record);
  }

  replay(record: GroupRecord): void {
    const { state, memory, history } = this.#core;
    state.replay(record);
    switch (record.kind) {
      case "ConsumerGroupMemberMetadata": {
        const { memberId } = record.key;
        if (record.value === null) memory.timers.forget(memberId);
        else if (!memory.timers.has(memberId)) this.#untimed.push(memberId);
        break;
      }
      case "ConsumerGroupMetadata":
        if (record.value !== null) this.#noteEpoch(record.value.epoch);
        break;
      case "ConsumerGroupCurrentMemberAssignment":
        break;
      default:
        return;
    }
    if (history.open() !== undefined && state.isSettled) history.end(memory.now);
  }

  dump(): unknown {
    return this.#core.state.dump();
  }

  /** A new epoch is told of once it is in the log; the one before ends, reached or not. */
  #noteEpoch(epoch: number): void {
    const { memory, history } = this.#core;
    const { begun, conversion } = memory;
    if (begun?.generation !== epoch) return;
    history.end(memory.now);
    history.begin(
      conversion === undefined ? begun : { ...begun, reason: `${begun.reason}; ${conversion}` },
    );
    memory.begun = undefined;
    memory.conversion = undefined;
  }

  #begin(turn: Turn): ConsumerCore {
    this.#core.memory.now = turn.now;
    return this.#core;
  }
}

/** A whole session; and where it has to give back partitions, all the time for that. */
function startTimers(core: ConsumerCore, turn: Turn, member: ConsumerMember): void {
  const { timers } = core.memory;
  const { memberId, classic, memberEpoch, rebalanceTimeoutMs } = member;
  const { consumerSessionTimeoutMs } = turn.configOf(core.groupId);
  timers.startSession(memberId, turn.now + (classic?.sessionTimeoutMs ?? consumerSessionTimeoutMs));
  if (classic === null && member.state === MemberState.UnrevokedPartitions) {
    timers.startRebalance(memberId, turn.now + rebalanceTimeoutMs, memberEpoch);
  }
}

export function refusedHeartbeat({ errorCode, message }: Refusal): HeartbeatResponse {
  return { errorCode, errorMessage: message };
}
