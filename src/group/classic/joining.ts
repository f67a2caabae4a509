/**
 * JoinGroup: who may come in, as whom, and what that sets going.
 *
 * Source: kafka GroupMetadataManager.classicGroupJoinToClassicGroup and what it calls.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Ms } from "../../ground/numbers.ts";
import type { JoinGroupRequest } from "../group_request.ts";
import type { GroupSettings } from "../group_settings.ts";
import type { Token, Turn } from "../turn.ts";
import { addCause, givenReason, nameOf } from "./causes.ts";
import {
  type ClassicMember,
  distinctProtocols,
  EMPTY_ASSIGNMENT,
  hasSameProtocols,
  type JoinResponse,
  NEW_MEMBER_JOIN_TIMEOUT_MS,
  newMember,
  newPendingMember,
  type Protocol,
} from "./classic_member.ts";
import type { ClassicCore } from "./core.ts";
import { type Join, updateMember } from "./join.ts";
import { refuseMember } from "./member_check.ts";
import { newMemberId } from "./member_id.ts";
import { bytesOf } from "./member_table.ts";
import { completeJoinIfAll, rebalanceOrCompleteJoin } from "./rebalance.ts";
import { joinedResponse, joinError } from "./replies.ts";
import { replaceStaticMember } from "./static_replacement.ts";

/** From this version on a new member is told its id and has to come again with it (KIP-394). */
const MEMBER_ID_REQUIRED_VERSION = 4;

/**
 * What members may say of themselves together, kept in memory: more than this has no room in the record
 * of a group anyway. Kafka has no bound before that record.
 */
const GROUP_BYTES_MAX = 32 * 1024 * 1024;

/** What is refused before any group is looked at (kafka: GroupCoordinatorService.joinGroup). */
export function refuseJoinArguments(
  { body }: JoinGroupRequest,
  settings: GroupSettings,
): ErrorCode | undefined {
  if (body.groupId === "") return ErrorCode.InvalidGroupId;
  const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = settings;
  const isInBounds = body.sessionTimeoutMs >= groupMinSessionTimeoutMs &&
    body.sessionTimeoutMs <= groupMaxSessionTimeoutMs;
  return isInBounds ? undefined : ErrorCode.InvalidSessionTimeout;
}

export function onJoinGroup(
  core: ClassicCore,
  turn: Turn,
  request: JoinGroupRequest,
  token: Token<JoinResponse>,
): void {
  const { body, caller } = request;
  const refused = refuseJoinArguments(request, turn.settings);
  if (refused !== undefined) {
    turn.reply(token, joinError(caller.apiVersion, refused, body.memberId));
    return;
  }
  const join: Join = {
    request,
    token,
    protocols: distinctProtocols(body.protocols),
    // Version 0 has none (KIP-62).
    rebalanceTimeoutMs: caller.apiVersion === 0 ? body.sessionTimeoutMs : body.rebalanceTimeoutMs,
  };
  const hasRoom = isRoomFor(core, body.memberId, turn.settings.groupMaxSize) &&
    isRoomInMemory(core, body.memberId, join.protocols);
  if (!hasRoom) {
    rejectForSize(core, turn, join);
  } else if (!supportsProtocols(core, body.protocolType, join.protocols)) {
    rejectJoin(turn, join, ErrorCode.InconsistentGroupProtocol, body.memberId);
  } else if (body.memberId === "") {
    joinAsNew(core, turn, join);
  } else {
    joinAs(core, turn, join);
  }
}

function rejectJoin(turn: Turn, join: Join, errorCode: ErrorCode, memberId: string): void {
  turn.reply(join.token, joinError(join.request.caller.apiVersion, errorCode, memberId));
}

/**
 * While a group is gathered, only those who wait count: the last ones to come back are those who go
 * when the limit was lowered (kafka: acceptJoiningMember).
 */
function isRoomFor({ phase, members }: ClassicCore, memberId: string, sizeMax: number): boolean {
  if (phase === "Empty") return true;
  const member = members.get(memberId);
  if (phase === "PreparingRebalance") {
    return member?.waitingJoin !== undefined || members.awaitingJoinCount < sizeMax;
  }
  return member !== undefined || members.size < sizeMax;
}

function isRoomInMemory(
  { members }: ClassicCore,
  memberId: string,
  protocols: readonly Protocol[],
): boolean {
  const before = members.get(memberId)?.protocols ?? [];
  return members.byteCount - bytesOf(before) + bytesOf(protocols) <= GROUP_BYTES_MAX;
}

function rejectForSize(core: ClassicCore, turn: Turn, join: Join): void {
  const { memberId } = join.request.body;
  const watched = core.members.get(memberId) ?? core.members.pending(memberId);
  core.members.remove(memberId);
  if (watched !== undefined) core.deadlines.clear(watched);
  rejectJoin(turn, join, ErrorCode.GroupMaxSizeReached, "");
  // Kafka leaves the others waiting for one who is gone until the time for joining is up.
  completeJoinIfAll(core, turn);
}

function supportsProtocols(
  { phase, members, protocolType: groupType }: ClassicCore,
  protocolType: string,
  protocols: readonly Protocol[],
): boolean {
  if (phase === "Empty") return protocolType !== "" && protocols.length > 0;
  return groupType === protocolType && members.hasCommonProtocol(protocols);
}

function joinAsNew(core: ClassicCore, turn: Turn, join: Join): void {
  const { body, caller } = join.request;
  const memberId = newMemberId(turn.random, body.groupInstanceId ?? caller.clientId);
  const namesakeId = body.groupInstanceId === null
    ? undefined
    : core.members.staticId(body.groupInstanceId);
  if (namesakeId !== undefined) {
    const namesake = core.members.get(namesakeId) as ClassicMember;
    replaceStaticMember(core, turn, { join, old: namesake, memberId });
  } else if (body.groupInstanceId === null && caller.apiVersion >= MEMBER_ID_REQUIRED_VERSION) {
    const pending = newPendingMember(memberId, caller.clientId);
    core.members.addPending(pending);
    core.deadlines.set(pending, (turn.now + body.sessionTimeoutMs) as Ms);
    rejectJoin(turn, join, ErrorCode.MemberIdRequired, memberId);
  } else {
    addMember(core, turn, join, memberId);
  }
}

function joinAs(core: ClassicCore, turn: Turn, join: Join): void {
  const { memberId, groupInstanceId } = join.request.body;
  const pending = core.members.pending(memberId);
  if (pending !== undefined) {
    // Ids are given out to dynamic members only. Kafka fails in this case, with this code.
    if (groupInstanceId !== null) return rejectJoin(turn, join, ErrorCode.UnknownServerError, "");
    core.deadlines.clear(pending);
    return addMember(core, turn, join, memberId);
  }
  const refused = refuseMember(core, memberId, groupInstanceId);
  if (refused !== undefined) return rejectJoin(turn, join, refused, memberId);
  const member = core.members.get(memberId) as ClassicMember;
  // It may not have heard the answer to its first JoinGroup; and a follower that has nothing new to
  // say does not call the others together. A leader does: it may see something that others do not.
  const isNews = !hasSameProtocols(member, join.protocols) ||
    (core.phase === "Stable" && core.members.isLeader(memberId));
  if (core.phase === "PreparingRebalance" || isNews) {
    rejoin(core, turn, join, member);
  } else {
    turn.reply(join.token, joinedResponse(core, memberId, join.request.caller.apiVersion));
  }
}

function addMember(core: ClassicCore, turn: Turn, join: Join, memberId: string): void {
  const { body, caller } = join.request;
  const member = newMember({
    memberId,
    groupInstanceId: body.groupInstanceId,
    clientId: caller.clientId,
    clientHost: caller.clientHost,
    rebalanceTimeoutMs: join.rebalanceTimeoutMs,
    sessionTimeoutMs: body.sessionTimeoutMs,
    protocols: join.protocols,
    assignment: EMPTY_ASSIGNMENT,
  });
  member.isNew = true;
  if (core.phase === "PreparingRebalance" && core.previousPhase === "Empty") {
    core.isNewMemberAdded = true;
  }
  if (core.members.size === 0) core.protocolType = body.protocolType;
  core.members.add(member);
  core.members.setWaitingJoin(member, { token: join.token, apiVersion: caller.apiVersion });
  // It cannot heartbeat before it is told its generation, and a client that has gone meanwhile would
  // leave a member behind with each of its attempts: so much time it has to be there at all.
  core.deadlines.set(member, (turn.now + NEW_MEMBER_JOIN_TIMEOUT_MS) as Ms);
  addCause(core, () => `${nameOf(member)} joined${givenReason(body.reason)}`);
  rebalanceOrCompleteJoin(core, turn);
}

/** A member comes back, for a rebalance that goes on or to begin one. */
function rejoin(core: ClassicCore, turn: Turn, join: Join, member: ClassicMember): void {
  const { body } = join.request;
  // That members come back while they are called is no news; the causes are those of the rebalance.
  if (core.phase !== "PreparingRebalance") {
    const what = hasSameProtocols(member, join.protocols)
      ? "joined again as the leader"
      : "joined again with another subscription";
    addCause(core, () => `${nameOf(member)} ${what}${givenReason(body.reason)}`);
  }
  updateMember(core, turn, join, member);
  rebalanceOrCompleteJoin(core, turn);
}
