/**
 * What a ConsumerGroupHeartbeat has to look like, whatever group it is for.
 *
 * Source: kafka: GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { ConsumerGroupHeartbeatRequest } from "../group_request.ts";
import { LEAVE_EPOCH, LEAVE_STATIC_EPOCH } from "./member.ts";
import { Refusal } from "./refusal.ts";

/** From this version on a member makes its own id (KIP-1082). */
const OWN_MEMBER_ID_VERSION = 1;

/** Every change of a group looks at the names of all members; Kafka has no bound. */
export const NAMES_MAX = 10_000;

export function refuseHeartbeat(
  { body, caller }: ConsumerGroupHeartbeatRequest,
  assignors: readonly string[],
): Refusal | undefined {
  const { memberEpoch, serverAssignor } = body;
  const needsMemberId = caller.apiVersion >= OWN_MEMBER_ID_VERSION || memberEpoch > 0 ||
    memberEpoch === LEAVE_EPOCH;
  if (needsMemberId && isBlank(body.memberId)) return invalid("MemberId can't be empty.");
  if (isBlank(body.groupId)) return invalid("GroupId can't be empty.");
  if (isBlank(body.instanceId)) return invalid("InstanceId can't be empty.");
  if (isBlank(body.rackId)) return invalid("RackId can't be empty.");
  const nameCount = body.subscribedTopicNames?.length ?? 0;
  if (nameCount > NAMES_MAX) {
    return invalid(
      `SubscribedTopicNames has ${nameCount} names, ${NAMES_MAX} at most; ` +
        "use SubscribedTopicRegex to subscribe to more.",
    );
  }
  const refusal = memberEpoch === 0 ? refuseJoin(body) : refuseEpoch(body);
  if (refusal !== undefined) return refusal;
  if (serverAssignor === null || assignors.includes(serverAssignor)) return undefined;
  return new Refusal(
    ErrorCode.UnsupportedAssignor,
    `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${
      assignors.join(", ")
    }.`,
  );
}

function refuseJoin(body: ConsumerGroupHeartbeatRequest["body"]): Refusal | undefined {
  if (body.rebalanceTimeoutMs === -1) {
    return invalid("RebalanceTimeoutMs must be provided in first request.");
  }
  if (body.topicPartitions === null || body.topicPartitions.length > 0) {
    return invalid("TopicPartitions must be empty when (re-)joining.");
  }
  if (body.subscribedTopicNames === null && body.subscribedTopicRegex === null) {
    return invalid(
      "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.",
    );
  }
  return undefined;
}

function refuseEpoch(
  { memberEpoch, instanceId }: ConsumerGroupHeartbeatRequest["body"],
): Refusal | undefined {
  if (memberEpoch === LEAVE_STATIC_EPOCH && instanceId === null) {
    return invalid("InstanceId can't be null.");
  }
  return memberEpoch < LEAVE_STATIC_EPOCH ? invalid("MemberEpoch is invalid.") : undefined;
}

function isBlank(text: string | null): boolean {
  return text !== null && text.trim() === "";
}

function invalid(message: string): Refusal {
  return new Refusal(ErrorCode.InvalidRequest, message);
}
