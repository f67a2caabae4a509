/**
 * A group of the classic protocol: clients gather in generations, and one of them, the leader, assigns.
 *
 * This is the one door to it: each question is a turn, each record comes back through `replayMetadata`.
 * What is decided is in the files that `core.ts` lists; offsets are the shard's.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Ms } from "../../ground/numbers.ts";
import type { Commit, ExpiryBase, Group } from "../group.ts";
import type {
  DescribedGroup,
  HeartbeatRequest,
  JoinGroupRequest,
  LeaveGroupRequest,
  ResponseTo,
  SyncGroupRequest,
} from "../group_request.ts";
import type { History } from "../history.ts";
import type { Token, Turn } from "../turn.ts";
import { addCause } from "./causes.ts";
import type { ClassicMember, JoinResponse, SyncResponse } from "./classic_member.ts";
import { confirm, takeBack } from "./confirmation.ts";
import { convert, type FormerGroup } from "./conversion.ts";
import {
  type ClassicCore,
  expectReplay,
  expectSync,
  type GroupMetadataValue,
  newCore,
} from "./core.ts";
import { describeClassicGroup } from "./describing.ts";
import { onHeartbeat } from "./heartbeating.ts";
import { onJoinGroup } from "./joining.ts";
import { type LeaveResponse, onLeaveGroup } from "./leaving.ts";
import { newGroupRecord, restore, valueOf } from "./metadata_record.ts";
import { refuseClassicCommit } from "./offset_commits.ts";
import { prepareRebalance } from "./rebalance.ts";
import { answerSync, refuseWaitingJoin, syncError } from "./replies.ts";
import { isOfConsumers, isSubscribedTo, subscribedTopicsOf } from "./subscribed_topics.ts";
import { onSyncGroup } from "./syncing.ts";
import { beginSessions, onWake, wakeAtOf } from "./waking.ts";

const UNKNOWN_TIME = -1;

export class ClassicGroup implements Group {
  readonly kind = "classic";
  #core: ClassicCore;

  private constructor(core: ClassicCore) {
    this.#core = core;
  }

  /** A group that is in no record yet. */
  static created(groupId: string): ClassicGroup {
    return new ClassicGroup(newCore(groupId, UNKNOWN_TIME));
  }

  /**
   * A Stable group out of what was a consumer group, with its record. Whoever makes it has it rebalance
   * in the same turn.
   */
  static converted(turn: Turn, former: FormerGroup): ClassicGroup {
    const core = newCore(former.groupId, turn.now);
    convert(core, turn, former);
    return new ClassicGroup(core);
  }

  /** A group as its newest record has it; its sessions begin with `loaded`, or at the next `wake`. */
  static replayed(groupId: string, value: GroupMetadataValue): ClassicGroup {
    const group = new ClassicGroup(newCore(groupId, value.currentStateTimestamp));
    group.#restore(value);
    return group;
  }

  get groupId(): string {
    return this.#core.groupId;
  }

  get protocolType(): string {
    return this.#core.protocolType ?? "";
  }

  get history(): History {
    return this.#core.history;
  }

  get memberCount(): number {
    return this.#core.members.size;
  }

  get isEmpty(): boolean {
    return this.#core.phase === "Empty";
  }

  get isForgettable(): boolean {
    const { durable, unconfirmed, members } = this.#core;
    return durable === undefined && unconfirmed === undefined && members.size === 0 &&
      members.pendingCount === 0;
  }

  get wakeAt(): Ms | undefined {
    return wakeAtOf(this.#core);
  }

  state(): string {
    return this.#core.phase;
  }

  generationId(): number {
    return this.#core.generationId;
  }

  protocolName(): string | undefined {
    return this.#core.protocolName;
  }

  leaderId(): string | undefined {
    return this.#core.members.leaderId;
  }

  /** In the order in which they came. */
  members(): Iterable<Readonly<ClassicMember>> {
    return this.#core.members.values();
  }

  // What clients ask.

  join(turn: Turn, request: JoinGroupRequest, token: Token<JoinResponse>): void {
    const core = this.#begin(turn);
    onJoinGroup(core, turn, request, token);
    const isNew = core.durable === undefined && core.unconfirmed === undefined;
    if (!isNew || this.isForgettable) return;
    expectReplay(core, turn, { kind: "created" });
    turn.write(newGroupRecord(core.groupId, turn.now));
  }

  sync(turn: Turn, request: SyncGroupRequest, token: Token<SyncResponse>): void {
    onSyncGroup(this.#begin(turn), turn, request, token);
  }

  heartbeat(
    turn: Turn,
    request: HeartbeatRequest,
    token: Token<ResponseTo<HeartbeatRequest>>,
  ): void {
    turn.reply(token, { errorCode: onHeartbeat(this.#begin(turn), turn, request) });
  }

  leave(turn: Turn, request: LeaveGroupRequest, token: Token<LeaveResponse>): void {
    turn.reply(token, onLeaveGroup(this.#begin(turn), turn, request));
  }

  describe(includeHistory: boolean): DescribedGroup {
    return describeClassicGroup(this.#core, includeHistory);
  }

  // What time does.

  wake(turn: Turn): void {
    const core = this.#begin(turn);
    if (!core.isWatched) this.loaded(turn);
    onWake(core, turn);
  }

  loaded(turn: Turn): void {
    const core = this.#begin(turn);
    beginSessions(core, turn);
    const { groupMaxSize } = turn.settings;
    if (core.phase === "Stable" && core.members.size > groupMaxSize) {
      this.rebalance(
        turn,
        `${core.members.size} members are more than group.max.size ${groupMaxSize}`,
      );
    }
  }

  /** Calls all members back, for a reason of the coordinator's. */
  rebalance(turn: Turn, reason: string): void {
    const core = this.#begin(turn);
    if (core.phase === "Empty" || core.phase === "PreparingRebalance") return;
    addCause(core, () => reason);
    prepareRebalance(core, turn);
  }

  /**
   * Answers whoever waits with an error: the group is about to be something else. Where the log refuses
   * that, they are expected to come again.
   */
  refuseWaiting(turn: Turn, errorCode: ErrorCode): void {
    const core = this.#begin(turn);
    for (const member of core.members.values()) {
      refuseWaitingJoin(core, turn, member, { errorCode, memberId: member.memberId });
      if (answerSync(turn, member, syncError(errorCode))) expectSync(core, turn, member);
    }
  }

  // What offsets depend on.

  isSubscribedTo(topic: string): boolean {
    return isSubscribedTo(this.#core, topic);
  }

  refuseCommit(commit: Commit, turn: Turn): ErrorCode | undefined {
    return refuseClassicCommit(this.#begin(turn), commit, turn);
  }

  /** Members of this protocol do not say who they are when they read offsets. */
  refuseFetch(): ErrorCode | undefined {
    return undefined;
  }

  refuseDelete(): ErrorCode | undefined {
    return this.isEmpty ? undefined : ErrorCode.NonEmptyGroup;
  }

  /** Of consumers it is known which topics they use; the shard asks for each topic. */
  refuseOffsetDelete(): ErrorCode | undefined {
    return this.isEmpty || isOfConsumers(this.#core) ? undefined : ErrorCode.NonEmptyGroup;
  }

  /** Source: kafka ClassicGroup.offsetExpirationCondition. */
  expiryBase(): ExpiryBase {
    const core = this.#core;
    if (core.protocolType === undefined) return "commit";
    if (core.phase === "Empty") return core.changedAtMs < 0 ? "commit" : core.changedAtMs as Ms;
    const areTopicsKnown = core.phase === "Stable" && subscribedTopicsOf(core) !== undefined;
    return areTopicsKnown ? "commit" : "never";
  }

  // What is durable.

  writeTombstones(turn: Turn): void {
    turn.write({ kind: "GroupMetadata", key: { group: this.groupId }, value: null });
  }

  /**
   * A record of the group came out of the log: one that was written in the last turn, or at load.
   *
   * A tombstone takes what is durable; the shard forgets the group if nothing else holds it.
   */
  replayMetadata(value: GroupMetadataValue | null): void {
    const core = this.#core;
    const { unconfirmed } = core;
    core.unconfirmed = undefined;
    core.unconfirmedIn = undefined;
    if (value === null) {
      this.#core = newCore(core.groupId, core.changedAtMs);
      return;
    }
    if (unconfirmed === undefined) {
      this.#core = { ...newCore(core.groupId, value.currentStateTimestamp), history: core.history };
      this.#restore(value);
      return;
    }
    confirm(core, unconfirmed, value);
  }

  /** The order of members is no state: a member that came back stands behind those who stayed. */
  dump(): unknown {
    const core = this.#core;
    const value = core.isAsDurable ? valueOf(core, ({ assignment }) => assignment) : core.durable;
    if (value === undefined) return undefined;
    const members = [...value.members].sort((one, other) => one.memberId < other.memberId ? -1 : 1);
    return { ...value, members };
  }

  #restore(value: GroupMetadataValue): void {
    restore(this.#core, value);
    this.#core.durable = value;
    this.#core.isAsDurable = true;
    this.#core.isWatched = value.members.length === 0;
  }

  /** A record that did not come back by the next turn was refused by the log: as if it never was. */
  #begin(turn: Turn): ClassicCore {
    const core = this.#core;
    const { unconfirmed } = core;
    if (core.unconfirmedIn === turn) return core;
    core.unconfirmed = undefined;
    core.unconfirmedIn = undefined;
    if (unconfirmed !== undefined) takeBack(core, turn, unconfirmed);
    return core;
  }
}
