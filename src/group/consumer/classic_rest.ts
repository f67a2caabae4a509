/**
 * SyncGroup, Heartbeat and LeaveGroup of classic members in a consumer group.
 *
 * A heartbeat is answered REBALANCE_IN_PROGRESS where the member would learn something by joining
 * again: a new epoch, partitions to give back, partitions that have become free. From then on it has
 * its rebalance timeout to do so.
 *
 * Source: kafka: GroupMetadataManager.classicGroup{Sync,Heartbeat,Leave}ToConsumerGroup.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type {
  HeartbeatRequest,
  LeaveGroupRequest,
  ResponseTo,
  SyncGroupRequest,
} from "../group_request.ts";
import type { Turn } from "../turn.ts";
import type { ConsumerCore } from "./core.ts";
import { assignmentBytes } from "./downgrade.ts";
import { type Leaver, removeMembers } from "./fencing.ts";
import { ownStaticMember, unknownMember } from "./heartbeat.ts";
import type { ClassicMetadata, ConsumerMember } from "./member.ts";
import { givenReason } from "./member_name.ts";
import { has } from "./partitions.ts";
import { MemberState } from "./reconcile.ts";
import { Refusal } from "./refusal.ts";
import { CONSUMER_PROTOCOL_TYPE } from "./upgrade.ts";

/** From this version on a LeaveGroup names many members, each with an answer of its own (KIP-345). */
const MANY_MEMBERS_VERSION = 3;

type LeaveResponse = ResponseTo<LeaveGroupRequest>;

interface ClassicMember {
  readonly member: ConsumerMember;
  readonly classic: ClassicMetadata;
}

export function onClassicSync(
  core: ConsumerCore,
  turn: Turn,
  { body }: SyncGroupRequest,
): ResponseTo<SyncGroupRequest> | Refusal {
  const found = classicMember(core, body);
  if (found instanceof Refusal) return found;
  const { member, classic } = found;
  const { groupId, state, memory: { timers } } = core;
  const { memberId, memberEpoch } = member;
  const [first] = classic.supportedProtocols;
  const { protocolType, protocolName } = body;
  const isOther = protocolType !== null && protocolType !== CONSUMER_PROTOCOL_TYPE ||
    protocolName !== null && protocolName !== first?.name;
  if (isOther) return new Refusal(ErrorCode.InconsistentGroupProtocol);
  // Who has to give back partitions has joined already, and goes on once it has given them back.
  if (state.groupEpoch > memberEpoch && member.state !== MemberState.UnrevokedPartitions) {
    timers.startJoinIfNone(memberId, turn.now + member.rebalanceTimeoutMs);
    return new Refusal(
      ErrorCode.RebalanceInProgress,
      `A new rebalance is triggered in group ${groupId} and member ${memberId} should rejoin to ` +
        "catch up.",
    );
  }
  timers.cancelSync(memberId);
  timers.startSession(memberId, turn.now + classic.sessionTimeoutMs);
  return {
    errorCode: ErrorCode.None,
    protocolType,
    protocolName,
    assignment: assignmentBytes(member.assigned, first?.metadata ?? new Uint8Array(0), turn.image),
  };
}

export function onClassicHeartbeat(
  core: ConsumerCore,
  turn: Turn,
  { body }: HeartbeatRequest,
): ResponseTo<HeartbeatRequest> | Refusal {
  const found = classicMember(core, body);
  if (found instanceof Refusal) return found;
  const { member, classic } = found;
  const { timers } = core.memory;
  timers.startSession(member.memberId, turn.now + classic.sessionTimeoutMs);
  const isToJoin = member.memberEpoch < core.state.groupEpoch ||
    member.state === MemberState.UnrevokedPartitions ||
    member.state === MemberState.UnreleasedPartitions && !isWaiting(core, member);
  if (!isToJoin) return { errorCode: ErrorCode.None };
  timers.startJoinIfNone(member.memberId, turn.now + member.rebalanceTimeoutMs);
  return { errorCode: ErrorCode.RebalanceInProgress };
}

export function onClassicLeave(
  core: ConsumerCore,
  turn: Turn,
  request: LeaveGroupRequest,
): LeaveResponse {
  const leavers = new Map<string, Leaver>();
  const members = leavingMembers(request).map(({ memberId, groupInstanceId, reason }) => {
    const member = leavingMember(core, memberId, groupInstanceId);
    if (member instanceof Refusal) {
      return { memberId, groupInstanceId, errorCode: member.errorCode };
    }
    leavers.set(member.memberId, { member, why: `left${givenReason(reason)}` });
    return { memberId, groupInstanceId, errorCode: ErrorCode.None };
  });
  removeMembers(core, turn, [...leavers.values()]);
  if (request.caller.apiVersion >= MANY_MEMBERS_VERSION) {
    return { errorCode: ErrorCode.None, members };
  }
  return { errorCode: members[0]?.errorCode ?? ErrorCode.None };
}

function leavingMembers(
  { body, caller }: LeaveGroupRequest,
): LeaveGroupRequest["body"]["members"] {
  if (caller.apiVersion >= MANY_MEMBERS_VERSION) return body.members;
  return [{ memberId: body.memberId, groupInstanceId: null, reason: null }];
}

/** An administrator removes a static member by its name alone. */
function leavingMember(
  core: ConsumerCore,
  memberId: string,
  groupInstanceId: string | null,
): ConsumerMember | Refusal {
  const { groupId, state } = core;
  if (groupInstanceId === null) {
    return state.members.get(memberId) ?? unknownMember(groupId, memberId);
  }
  const askedId = memberId === "" ? state.staticMemberId(groupInstanceId) ?? "" : memberId;
  return ownStaticMember(core, askedId, groupInstanceId);
}

function classicMember(
  core: ConsumerCore,
  { memberId, groupInstanceId, generationId }: {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly generationId: number;
  },
): ClassicMember | Refusal {
  const member = groupInstanceId === null
    ? core.state.members.get(memberId) ?? unknownMember(core.groupId, memberId)
    : ownStaticMember(core, memberId, groupInstanceId);
  if (member instanceof Refusal) return member;
  const { classic, memberEpoch } = member;
  if (classic === null) {
    return new Refusal(
      ErrorCode.UnknownMemberId,
      `Member ${memberId} does not use the classic protocol.`,
    );
  }
  return generationId === memberEpoch
    ? { member, classic }
    : new Refusal(ErrorCode.IllegalGeneration);
}

/** Whether others still hold a part of its target. */
function isWaiting({ state }: ConsumerCore, { memberId, assigned }: ConsumerMember): boolean {
  for (const [topicId, ids] of state.targetOf(memberId)) {
    if (ids.some((id) => !has(assigned, topicId, id) && state.isHeld(topicId, id))) return true;
  }
  return false;
}
