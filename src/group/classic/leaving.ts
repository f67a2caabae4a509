/**
 * LeaveGroup: members go, one by itself or many by an administrator's word, by id or by static name.
 *
 * Source: kafka GroupMetadataManager.classicGroupLeaveToClassicGroup, LeaveGroupRequest.normalizedData.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { LeaveGroupRequest, ResponseTo } from "../group_request.ts";
import type { Turn } from "../turn.ts";
import { addCause, givenReason, nameOf } from "./causes.ts";
import type { ClassicMember } from "./classic_member.ts";
import type { ClassicCore } from "./core.ts";
import { refuseMember } from "./member_check.ts";
import { completeJoinIfAll, rebalanceOrCompleteJoin, removeMember } from "./rebalance.ts";

export type LeaveResponse = ResponseTo<LeaveGroupRequest>;
type Leaving = LeaveGroupRequest["body"]["members"][number];
type Left = NonNullable<LeaveResponse["members"]>[number];

/** From this version on there are many members, each with an answer of its own (KIP-345). */
const MANY_MEMBERS_VERSION = 3;

export function leavingMembers({ body, caller }: LeaveGroupRequest): readonly Leaving[] {
  if (caller.apiVersion >= MANY_MEMBERS_VERSION) return body.members;
  return [{ memberId: body.memberId, groupInstanceId: null, reason: null }];
}

/** The answer in the form of the version that asked. */
export function leftResponse(
  { caller }: LeaveGroupRequest,
  members: readonly Left[],
): LeaveResponse {
  if (caller.apiVersion >= MANY_MEMBERS_VERSION) return { errorCode: ErrorCode.None, members };
  return { errorCode: members[0]?.errorCode ?? ErrorCode.None, members: [] };
}

export function onLeaveGroup(
  core: ClassicCore,
  turn: Turn,
  request: LeaveGroupRequest,
): LeaveResponse {
  if (request.body.groupId === "") return { errorCode: ErrorCode.InvalidGroupId, members: [] };
  const sizeBefore = core.members.size;
  const members = leavingMembers(request).map((leaving) => ({
    memberId: leaving.memberId,
    groupInstanceId: leaving.groupInstanceId,
    errorCode: leave(core, turn, leaving),
  }));
  // Kafka also calls everybody together when somebody goes who only held an id and had joined nothing.
  if (core.members.size < sizeBefore) rebalanceOrCompleteJoin(core, turn);
  else completeJoinIfAll(core, turn);
  return leftResponse(request, members);
}

function leave(core: ClassicCore, turn: Turn, leaving: Leaving): ErrorCode {
  const { memberId, groupInstanceId } = leaving;
  if (memberId === "") {
    // An administrator removes a static member and does not know its id.
    const ownerId = groupInstanceId === null ? undefined : core.members.staticId(groupInstanceId);
    return ownerId === undefined ? ErrorCode.UnknownMemberId : goes(core, turn, ownerId, leaving);
  }
  const pending = core.members.pending(memberId);
  if (pending !== undefined) {
    core.members.remove(memberId);
    core.deadlines.clear(pending);
    return ErrorCode.None;
  }
  return refuseMember(core, memberId, groupInstanceId) ?? goes(core, turn, memberId, leaving);
}

function goes(core: ClassicCore, turn: Turn, memberId: string, { reason }: Leaving): ErrorCode {
  const member = core.members.get(memberId) as ClassicMember;
  addCause(core, () => `${nameOf(member)} left${givenReason(reason)}`);
  removeMember(core, turn, member);
  return ErrorCode.None;
}
