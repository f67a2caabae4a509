/**
 * Which group is meant by a request, and which of its answers: none, a consumer without membership, a
 * classic group, a consumer group; and what a request makes where the group it wants is not there.
 *
 *                        none, or simple      classic               consumer
 *     JoinGroup          a new classic one    join                  with members: classicJoin
 *                                                                   empty: it becomes a classic one
 *     Sync-, LeaveGroup,
 *     Heartbeat          UNKNOWN_MEMBER_ID    sync, leave, …        classicSync, classicLeave, …
 *     ConsumerGroup-     epoch 0: a new one    epoch 0: it becomes   heartbeat
 *     Heartbeat          one, else GROUP_ID_NOT_FOUND of both
 *
 * A group that a request makes comes back as the value: it is in force once its records are replayed.
 *
 * Source: kafka GroupMetadataManager (classicGroupJoin, classicGroupSync, classicGroupHeartbeat,
 * classicGroupLeave, getOrMaybeCreateConsumerGroup, describeGroups, consumerGroupDescribe).
 */
import { ErrorCode } from "../api/error_code.ts";
import { ClassicGroup } from "./classic/classic_group.ts";
import { ConsumerGroup } from "./consumer/consumer_group.ts";
import { refuseHeartbeat } from "./consumer/heartbeat_check.ts";
import { errorResponse } from "./error_response.ts";
import type { GroupKind } from "./group.ts";
import type { AnyGroup } from "./group_classes.ts";
import type {
  ConsumerGroupDescribeRequest,
  ConsumerGroupHeartbeatRequest,
  DescribeGroupRequest,
  GroupRequest,
  HeartbeatRequest,
  JoinGroupRequest,
  LeaveGroupRequest,
  ResponseTo,
  SyncGroupRequest,
} from "./group_request.ts";
import type { GroupSlot } from "./group_slot.ts";
import type { ShardTurn } from "./shard_turn.ts";
import type { Token } from "./turn.ts";

/** The versions from which a group that is not there is an error, and from which one is of each member. */
const NOT_FOUND_IN_DESCRIBE_GROUPS = 6;
const MEMBERS_IN_LEAVE_GROUP = 3;

/** A request with the place it is about; the token waits for the answer. */
export interface Question<Request extends GroupRequest> {
  readonly kind: Request["kind"];
  readonly request: Request;
  readonly slot: GroupSlot | undefined;
  readonly token: Token<ResponseTo<Request>>;
}

type EachQuestion<Request> = Request extends GroupRequest ? Question<Request> : never;
/** Told apart by its kind. */
export type AnyQuestion = EachQuestion<GroupRequest>;

export function routeJoin(
  turn: ShardTurn,
  question: Question<JoinGroupRequest>,
): AnyGroup | undefined {
  const { request, slot, token } = question;
  const { groupId, memberId, sessionTimeoutMs } = request.body;
  const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = turn.settings;
  if (sessionTimeoutMs < groupMinSessionTimeoutMs || sessionTimeoutMs > groupMaxSessionTimeoutMs) {
    return refuse(turn, question, ErrorCode.InvalidSessionTimeout);
  }
  const group = slot?.group;
  if (group?.kind === "classic") return void group.join(turn, request, token);
  if (group?.isEmpty === false) return void group.classicJoin(turn, request, token);
  const isSimple = slot !== undefined && group === undefined;
  if (memberId !== "" && !isSimple) return refuse(turn, question, ErrorCode.UnknownMemberId);
  const place = turn.records.length;
  const successor = ClassicGroup.created(groupId);
  successor.join(turn, request, token);
  if (successor.isForgettable && turn.records.length === place) return undefined;
  if (group !== undefined) turn.writeBefore(place, () => group.writeTombstones(turn));
  return successor;
}

export function routeSync(turn: ShardTurn, question: Question<SyncGroupRequest>): void {
  const { request, slot, token } = question;
  const group = slot?.group;
  if (group === undefined || group.isEmpty) refuse(turn, question, ErrorCode.UnknownMemberId);
  else if (group.kind === "classic") group.sync(turn, request, token);
  else group.classicSync(turn, request, token);
}

export function routeHeartbeat(turn: ShardTurn, question: Question<HeartbeatRequest>): void {
  const { request, slot, token } = question;
  const group = slot?.group;
  if (group === undefined) refuse(turn, question, ErrorCode.UnknownMemberId);
  else if (group.kind === "classic") group.heartbeat(turn, request, token);
  else group.classicHeartbeat(turn, request, token);
}

export function routeLeave(
  turn: ShardTurn,
  { request, slot, token }: Question<LeaveGroupRequest>,
): void {
  const group = slot?.group;
  if (group?.kind === "classic") return group.leave(turn, request, token);
  if (group?.kind === "consumer") return group.classicLeave(turn, request, token);
  const errorCode = ErrorCode.UnknownMemberId;
  if (request.caller.apiVersion < MEMBERS_IN_LEAVE_GROUP) return turn.reply(token, { errorCode });
  const members = request.body.members.map(({ memberId, groupInstanceId }) => ({
    memberId,
    groupInstanceId,
    errorCode,
  }));
  turn.reply(token, { errorCode: ErrorCode.None, members });
}

export function routeConsumerHeartbeat(
  turn: ShardTurn,
  question: Question<ConsumerGroupHeartbeatRequest>,
): AnyGroup | undefined {
  const { request, slot, token } = question;
  const { groupId, memberEpoch } = request.body;
  const group = slot?.group;
  if (group?.kind === "consumer") return void group.heartbeat(turn, request, token);
  const refusal = refuseHeartbeat(request, turn.settings.consumerGroupAssignors);
  if (refusal !== undefined) {
    const { errorCode, message } = refusal;
    return void turn.reply(token, { errorCode, errorMessage: message });
  }
  if (memberEpoch !== 0) {
    const errorMessage = notFound(groupId, slot, "consumer");
    return void turn.reply(token, { errorCode: ErrorCode.GroupIdNotFound, errorMessage });
  }
  const place = turn.records.length;
  const successor = consumerGroupFrom(turn, groupId, group);
  if (typeof successor === "string") {
    const errorCode = ErrorCode.GroupIdNotFound;
    return void turn.reply(token, { errorCode, errorMessage: successor });
  }
  successor.heartbeat(turn, request, token);
  if (!turn.isRefused(token)) return successor;
  // What the group was to become, nobody is in: it stays what it is.
  turn.records.length = place;
  return undefined;
}

/** Writes what makes the old group, if there is one, a consumer group; or says why it is none. */
function consumerGroupFrom(
  turn: ShardTurn,
  groupId: string,
  group: ClassicGroup | undefined,
): ConsumerGroup | string {
  if (group !== undefined && !group.isEmpty) return ConsumerGroup.upgraded(turn, group);
  group?.writeTombstones(turn);
  return new ConsumerGroup(groupId);
}

export function routeDescribe(
  turn: ShardTurn,
  { request, slot, token }: Question<DescribeGroupRequest>,
): void {
  const { groupId, includeHistory } = request.body;
  const group = slot?.group;
  if (group?.kind === "classic") return turn.reply(token, group.describe(includeHistory));
  const nothing = { groupId, protocolType: "", protocolData: "", members: [] };
  if (slot !== undefined && group === undefined) {
    return turn.reply(token, { ...nothing, errorCode: ErrorCode.None, groupState: slot.state() });
  }
  const isError = request.caller.apiVersion >= NOT_FOUND_IN_DESCRIBE_GROUPS;
  turn.reply(token, {
    ...nothing,
    groupState: "Dead",
    errorCode: isError ? ErrorCode.GroupIdNotFound : ErrorCode.None,
    errorMessage: isError ? notFound(groupId, slot, "classic") : null,
  });
}

export function routeConsumerDescribe(
  turn: ShardTurn,
  { request, slot, token }: Question<ConsumerGroupDescribeRequest>,
): void {
  const { groupId, includeHistory } = request.body;
  const group = slot?.group;
  if (group?.kind === "consumer") return turn.reply(token, group.describe(turn, includeHistory));
  turn.reply(token, {
    groupId,
    errorCode: ErrorCode.GroupIdNotFound,
    errorMessage: notFound(groupId, slot, "consumer"),
  });
}

/** Kafka's words. */
function notFound(groupId: string, slot: GroupSlot | undefined, kind: GroupKind): string {
  return slot === undefined
    ? `Group ${groupId} not found.`
    : `Group ${groupId} is not a ${kind} group.`;
}

function refuse<Request extends GroupRequest>(
  turn: ShardTurn,
  { request, token }: Question<Request>,
  errorCode: ErrorCode,
): undefined {
  turn.reply(token, errorResponse(request, errorCode));
}
