/**
 * ConsumerGroupHeartbeat: a member joins, lives, is assigned and leaves, all by the one request.
 *
 * Source: KIP-848; kafka: GroupMetadataManager.consumerGroupHeartbeat, consumerGroupLeave,
 * getOrMaybeSubscribe{Dynamic,Static}ConsumerGroupMember, throwIf….
 */
import { ErrorCode } from "../../api/error_code.ts";
import { type Uuid, uuidFromEntropy } from "../../ground/uuid.ts";
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import type { ConsumerGroupHeartbeatRequest, ResponseTo } from "../group_request.ts";
import type { Turn } from "../turn.ts";
import { MemberChange } from "./change.ts";
import type { ConsumerCore } from "./core.ts";
import { removeMembers } from "./fencing.ts";
import {
  type ConsumerMember,
  distinctNames,
  LEAVE_EPOCH,
  LEAVE_STATIC_EPOCH,
  newMember,
  sameMetadata,
} from "./member.ts";
import { isSubset, listOf, NO_PARTITIONS, samePartitions } from "./partitions.ts";
import { memberMetadataRecord, memberTombstones, progressRecord, targetRecord } from "./record.ts";
import { Refusal } from "./refusal.ts";

type HeartbeatBody = ConsumerGroupHeartbeatRequest["body"];
export type HeartbeatResponse = ResponseTo<ConsumerGroupHeartbeatRequest>;

/** A member, and what has to be written first where it takes another's place. */
export interface Subscribed {
  readonly member: ConsumerMember;
  readonly records: readonly GroupRecord[];
}

export function onHeartbeat(
  core: ConsumerCore,
  turn: Turn,
  request: ConsumerGroupHeartbeatRequest,
): HeartbeatResponse | Refusal {
  const { memberEpoch } = request.body;
  const isLeaving = memberEpoch === LEAVE_EPOCH || memberEpoch === LEAVE_STATIC_EPOCH;
  return isLeaving ? onLeave(core, turn, request.body) : onRegular(core, turn, request);
}

function onRegular(
  core: ConsumerCore,
  turn: Turn,
  { body, caller }: ConsumerGroupHeartbeatRequest,
): HeartbeatResponse | Refusal {
  const full = refuseFull(core, turn, body.memberId);
  if (full !== undefined) return full;
  const memberId = body.memberId === "" ? newMemberId(turn) : body.memberId;
  const subscribed = body.instanceId === null
    ? dynamicMember(core, memberId, body)
    : staticMember(core, memberId, body);
  if (subscribed instanceof Refusal) return subscribed;
  const { member: before, records } = subscribed;
  const after = told(before, body, caller);
  const change = new MemberChange({
    turn,
    core,
    before,
    after,
    owned: body.topicPartitions,
    records,
  });
  const epoch = change.subscribe();
  if (epoch instanceof Refusal) return epoch;
  const member = change.advance(epoch);
  if (member instanceof Refusal) return member;
  change.write();
  const config = turn.configOf(core.groupId);
  core.memory.timers.startSession(memberId, turn.now + config.consumerSessionTimeoutMs);
  // Told where it has changed, and to a member that joins or begins anew: such a one says all it
  // knows, because it does not know what the last answer said.
  const isFull = body.rebalanceTimeoutMs !== -1 && body.topicPartitions !== null &&
    (body.subscribedTopicNames !== null || body.subscribedTopicRegex !== null);
  const isTold = body.memberEpoch === 0 || isFull ||
    !samePartitions(before.assigned, member.assigned);
  return {
    errorCode: ErrorCode.None,
    memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs: config.consumerHeartbeatIntervalMs,
    assignment: isTold ? { topicPartitions: listOf(member.assigned) } : null,
  };
}

function onLeave(core: ConsumerCore, turn: Turn, body: HeartbeatBody): HeartbeatResponse | Refusal {
  const { groupId, state } = core;
  const { memberId, memberEpoch, instanceId } = body;
  const response = { errorCode: ErrorCode.None, memberId, memberEpoch };
  if (instanceId === null) {
    const member = state.members.get(memberId);
    if (member === undefined) return unknownMember(groupId, memberId);
    removeMembers(core, turn, [{ member, why: "left" }]);
    return response;
  }
  const member = ownStaticMember(core, memberId, instanceId);
  if (member instanceof Refusal) return member;
  if (memberEpoch !== LEAVE_STATIC_EPOCH) {
    removeMembers(core, turn, [{ member, why: "left" }]);
    return response;
  }
  // It is to come back within its session, and finds its partitions as they were.
  turn.write(progressRecord(groupId, member.memberId, {
    ...member,
    memberEpoch: LEAVE_STATIC_EPOCH,
    pendingRevocation: NO_PARTITIONS,
  }));
  return response;
}

/** A group that is full takes only who is in it already. */
export function refuseFull(
  { state }: ConsumerCore,
  { settings: { consumerGroupMaxSize } }: Turn,
  memberId: string,
): Refusal | undefined {
  if (state.members.size < consumerGroupMaxSize || state.members.has(memberId)) return undefined;
  return new Refusal(
    ErrorCode.GroupMaxSizeReached,
    `The consumer group has reached its maximum capacity of ${consumerGroupMaxSize} members.`,
  );
}

function dynamicMember(
  { groupId, state }: ConsumerCore,
  memberId: string,
  body: HeartbeatBody,
): Subscribed | Refusal {
  const known = state.members.get(memberId);
  if (known === undefined && body.memberEpoch !== 0) return unknownMember(groupId, memberId);
  const member = known ?? newMember(memberId);
  return refuseEpoch(member, body) ?? { member, records: [] };
}

function staticMember(
  core: ConsumerCore,
  memberId: string,
  body: HeartbeatBody,
): Subscribed | Refusal {
  const instanceId = body.instanceId as string;
  if (body.memberEpoch !== 0) {
    const member = ownStaticMember(core, memberId, instanceId);
    if (member instanceof Refusal) return member;
    return refuseEpoch(member, body) ?? { member, records: [] };
  }
  const known = core.state.staticMember(instanceId);
  if (known === undefined) {
    return { member: core.state.members.get(memberId) ?? newMember(memberId), records: [] };
  }
  if (known.classic === null && known.memberEpoch !== LEAVE_STATIC_EPOCH) {
    return new Refusal(
      ErrorCode.UnreleasedInstanceId,
      `Static member ${memberId} with instance id ${instanceId} cannot join the group because ` +
        `the instance id is owned by ${known.memberId} member.`,
    );
  }
  return replacing(core, known, memberId);
}

/** A static member comes back with a new member id: it takes the place of the one that was. */
export function replacing(
  { groupId, state }: ConsumerCore,
  known: ConsumerMember,
  memberId: string,
): Subscribed {
  const member = { ...known, memberId, memberEpoch: 0, previousMemberEpoch: 0 };
  return {
    member,
    records: [
      ...memberTombstones(groupId, known.memberId),
      memberMetadataRecord(groupId, member),
      targetRecord(groupId, memberId, state.targetOf(known.memberId)),
      progressRecord(groupId, memberId, member),
    ],
  };
}

/** The member of this instance id, if this member is it. */
export function ownStaticMember(
  { state }: ConsumerCore,
  memberId: string,
  instanceId: string,
): ConsumerMember | Refusal {
  const member = state.staticMember(instanceId);
  if (member === undefined) {
    return new Refusal(ErrorCode.UnknownMemberId, `Instance id ${instanceId} is unknown.`);
  }
  if (member.memberId === memberId) return member;
  return new Refusal(
    ErrorCode.FencedInstanceId,
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ` +
      `${member.memberId}.`,
  );
}

export function unknownMember(groupId: string, memberId: string): Refusal {
  return new Refusal(
    ErrorCode.UnknownMemberId,
    `Member ${memberId} is not a member of group ${groupId}.`,
  );
}

/** As Kafka's, of the text form of a random uuid; here of mq's own generator. */
export function newMemberId(turn: Turn): Uuid {
  return uuidFromEntropy(turn.random.bytes(16));
}

/**
 * A member may be one epoch behind where the answer that told it the new one was lost: then what it
 * has is a part of what it is assigned.
 */
function refuseEpoch(
  member: ConsumerMember,
  { memberEpoch, topicPartitions }: HeartbeatBody,
): Refusal | undefined {
  if (memberEpoch === member.memberEpoch) return undefined;
  const isRetry = memberEpoch < member.memberEpoch && memberEpoch === member.previousMemberEpoch &&
    isSubset(topicPartitions, member.assigned);
  if (isRetry) return undefined;
  const than = memberEpoch > member.memberEpoch ? "greater" : "smaller";
  return new Refusal(
    ErrorCode.FencedMemberEpoch,
    `The consumer group member has a ${than} member epoch (${memberEpoch}) than the one known by ` +
      `the group coordinator (${member.memberEpoch}). The member must abandon all its partitions ` +
      "and rejoin.",
  );
}

/** The member with what it tells; what it leaves out is as it was. The same object where all is. */
function told(
  before: ConsumerMember,
  body: HeartbeatBody,
  { clientId, clientHost }: ConsumerGroupHeartbeatRequest["caller"],
): ConsumerMember {
  const { rebalanceTimeoutMs, subscribedTopicNames } = body;
  const after: ConsumerMember = {
    ...before,
    instanceId: body.instanceId ?? before.instanceId,
    rackId: body.rackId ?? before.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: body.serverAssignor ?? before.serverAssignor,
    subscribedTopicNames: subscribedTopicNames === null
      ? before.subscribedTopicNames
      : distinctNames(subscribedTopicNames),
    subscribedTopicRegex: body.subscribedTopicRegex ?? before.subscribedTopicRegex,
    clientId,
    clientHost,
    classic: null,
  };
  return sameMetadata(before, after) ? before : after;
}
