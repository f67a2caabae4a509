/**
 * From one generation to the next: members are called back, gathered, and told the new generation.
 *
 * Source: kafka GroupMetadataManager.prepareRebalance, maybeCompleteJoinPhase,
 *         tryCompleteInitialRebalanceElseSchedule, completeClassicGroupJoin, removeMemberAndUpdate.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Ms } from "../../ground/numbers.ts";
import type { Turn } from "../turn.ts";
import { addCause, forgetCauses, nameOf, namesOf, reasonOf } from "./causes.ts";
import { type ClassicMember, EMPTY_ASSIGNMENT } from "./classic_member.ts";
import {
  becomePhase,
  type ClassicCore,
  expectReplay,
  expectSync,
  rebalanceTimeoutMs,
  renewSession,
} from "./core.ts";
import { groupMetadataRecord } from "./metadata_record.ts";
import { answerJoin, answerSync, joinedResponse, refuseWaitingJoin, syncError } from "./replies.ts";
import { snapshotSubscriptions } from "./subscribed_topics.ts";

/**
 * Where no member at all has come back, the next look is no sooner than this, whatever rebalance
 * timeout they asked for: one of 0 must not make the coordinator spin.
 */
const NOBODY_JOINED_RETRY_MIN_MS = 1000;

/** Something happened for which there has to be a new generation, or for which one may be complete. */
export function rebalanceOrCompleteJoin(core: ClassicCore, turn: Turn): void {
  if (core.phase === "PreparingRebalance") completeJoinIfAll(core, turn);
  else prepareRebalance(core, turn);
}

/**
 * Calls all members back. Why is in the causes by now.
 *
 * An empty group waits for more members before its first generation; others go on as soon as all of
 * their members are back.
 */
export function prepareRebalance(core: ClassicCore, turn: Turn): void {
  if (core.phase === "CompletingRebalance") refuseWaitingSyncs(core, turn);
  core.members.clearPendingSync();
  core.syncTimer = undefined;
  core.isAsDurable = false;
  beginHistory(core, turn);
  const isInitial = core.phase === "Empty";
  becomePhase(core, turn.now, "PreparingRebalance");
  if (isInitial) {
    const delayMs = turn.settings.groupInitialRebalanceDelayMs;
    const remainingMs = Math.max(rebalanceTimeoutMs(core) - delayMs, 0);
    core.joinTimer = { kind: "initial", at: (turn.now + delayMs) as Ms, delayMs, remainingMs };
  } else if (core.members.hasAllJoined()) {
    completeJoin(core, turn);
  } else {
    core.joinTimer = { kind: "rebalance", at: (turn.now + rebalanceTimeoutMs(core)) as Ms };
  }
}

/** A generation that nobody got an assignment in has its entry too: a group in a loop is to be seen. */
function beginHistory(core: ClassicCore, turn: Turn): void {
  const open = core.history.open();
  if (open !== undefined) {
    core.history.end(turn.now, { reason: `${open.reason}; cut short by the next rebalance` });
  }
  core.history.begin({
    atMs: turn.now,
    generation: core.generationId + 1,
    reason: reasonOf(core),
    memberCount: core.members.size,
  });
}

/** Keeps: a first generation is not begun before its time, even if all who are known are there. */
export function completeJoinIfAll(core: ClassicCore, turn: Turn): void {
  if (core.phase !== "PreparingRebalance" || core.previousPhase === "Empty") return;
  if (core.members.hasAllJoined()) completeJoin(core, turn);
}

/** The time for joining is up. */
export function onJoinTimer(core: ClassicCore, turn: Turn): void {
  const timer = core.joinTimer;
  core.joinTimer = undefined;
  if (timer === undefined || core.phase !== "PreparingRebalance") return;
  if (timer.kind === "initial" && core.isNewMemberAdded && timer.remainingMs !== 0) {
    const delayMs = Math.min(turn.settings.groupInitialRebalanceDelayMs, timer.remainingMs);
    core.isNewMemberAdded = false;
    core.joinTimer = {
      kind: "initial",
      at: (turn.now + delayMs) as Ms,
      delayMs,
      remainingMs: Math.max(timer.remainingMs - timer.delayMs, 0),
    };
    return;
  }
  completeJoin(core, turn);
}

/**
 * Goes on with those who are back. Dynamic members who are not are thrown out; static members stay
 * while their session lasts (KIP-345), but one of those present becomes the leader.
 */
export function completeJoin(core: ClassicCore, turn: Turn): void {
  core.joinTimer = undefined;
  throwOutAbsent(core);
  if (core.members.size > 0 && !core.members.electJoinedLeader()) {
    const waitMs = Math.max(rebalanceTimeoutMs(core), NOBODY_JOINED_RETRY_MIN_MS);
    core.joinTimer = { kind: "rebalance", at: (turn.now + waitMs) as Ms };
    return;
  }
  // That of a record may be one that nobody is in: see `conversion.ts`.
  core.generationId = Math.max(core.generationId, core.durable?.generation ?? 0) + 1;
  core.isNewMemberAdded = false;
  core.protocolName = core.members.selectProtocol();
  snapshotSubscriptions(core);
  core.members.clearPendingSync();
  if (core.members.size === 0) becomeEmpty(core, turn);
  else becomeCompleting(core, turn);
}

function throwOutAbsent(core: ClassicCore): void {
  const absent: ClassicMember[] = [];
  for (const member of core.members.values()) {
    if (member.waitingJoin === undefined && member.groupInstanceId === null) absent.push(member);
  }
  if (absent.length === 0) return;
  for (const member of absent) {
    core.members.remove(member.memberId);
    core.deadlines.clear(member);
  }
  addCause(core, () => `removed for not joining again in time: ${namesOf(absent)}`);
}

function becomeEmpty(core: ClassicCore, turn: Turn): void {
  becomePhase(core, turn.now, "Empty");
  const { generationId } = core;
  core.history.amend({ generation: generationId, memberCount: 0, reason: reasonOf(core) });
  core.history.end(turn.now);
  forgetCauses(core);
  expectReplay(core, turn, { kind: "emptied" });
  turn.write(groupMetadataRecord(core, () => EMPTY_ASSIGNMENT));
}

function becomeCompleting(core: ClassicCore, turn: Turn): void {
  becomePhase(core, turn.now, "CompletingRebalance");
  core.history.amend({
    generation: core.generationId,
    memberCount: core.members.size,
    reason: reasonOf(core),
  });
  forgetCauses(core);
  for (const member of core.members.values()) {
    const { memberId } = member;
    answerJoin(core, turn, member, ({ apiVersion }) => joinedResponse(core, memberId, apiVersion));
    renewSession(core, turn, member);
    member.isNew = false;
    expectSync(core, turn, member);
  }
}

/** Whoever waits for an assignment of this generation has to join the next one. */
function refuseWaitingSyncs(core: ClassicCore, turn: Turn): void {
  for (const member of core.members.values()) {
    member.assignment = EMPTY_ASSIGNMENT;
    if (answerSync(turn, member, syncError(ErrorCode.RebalanceInProgress))) {
      renewSession(core, turn, member);
    }
  }
}

/** Takes a member out of the group; what that means for the others is asked of `onMembersGone`. */
export function removeMember(core: ClassicCore, turn: Turn, member: ClassicMember): void {
  // Its client asks again without an id, if it still lives.
  refuseWaitingJoin(core, turn, member, { errorCode: ErrorCode.UnknownMemberId, memberId: "" });
  answerSync(turn, member, syncError(ErrorCode.UnknownMemberId));
  core.members.remove(member.memberId);
  core.deadlines.clear(member);
}

/** The session of a member has run out. */
export function onSessionExpired(core: ClassicCore, turn: Turn, member: ClassicMember): void {
  addCause(
    core,
    () =>
      member.isNew
        ? `${nameOf(member)} waited to join for too long`
        : `${nameOf(member)} was not heard of for ${member.sessionTimeoutMs} ms (session timeout)`,
  );
  removeMember(core, turn, member);
  if (core.phase === "Stable" || core.phase === "CompletingRebalance") {
    rebalanceOrCompleteJoin(core, turn);
  } else if (core.phase === "PreparingRebalance" && core.members.hasAllJoined()) {
    completeJoin(core, turn);
  }
}

/** Members that were told the new generation have not asked for their assignments. */
export function onSyncTimer(core: ClassicCore, turn: Turn): void {
  core.syncTimer = undefined;
  if (core.phase !== "CompletingRebalance" && core.phase !== "Stable") return;
  const silent = core.members.pendingSyncIds().map((id) => core.members.get(id) as ClassicMember);
  if (silent.length === 0) return;
  for (const member of silent) removeMember(core, turn, member);
  addCause(core, () => `removed for not asking for an assignment in time: ${namesOf(silent)}`);
  prepareRebalance(core, turn);
}
