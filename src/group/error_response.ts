/**
 * The answer to each kind of question that carries nothing but an error: the coordinator is loading,
 * is elsewhere, the group id is not one, the log refused the records.
 */
import { ErrorCode } from "../api/error_code.ts";
import { unreachable } from "../ground/assert.ts";
import type {
  GroupRequest,
  GroupResponses,
  JoinGroupRequest,
  OffsetCommitRequest,
  ResponseTo,
} from "./group_request.ts";

export function errorResponse<Request extends GroupRequest>(
  request: Request,
  errorCode: ErrorCode,
): ResponseTo<Request> {
  // The compiler does not narrow `ResponseTo` by the kind; each row of `answerTo` is checked.
  return answerTo(request, errorCode) as ResponseTo<Request>;
}

function answerTo(
  request: GroupRequest,
  errorCode: ErrorCode,
): GroupResponses[GroupRequest["kind"]] {
  switch (request.kind) {
    case "JoinGroup":
      return refusedJoin(request, errorCode);
    case "SyncGroup":
      return { errorCode, assignment: new Uint8Array(0) } satisfies GroupResponses["SyncGroup"];
    case "Heartbeat":
      return { errorCode } satisfies GroupResponses["Heartbeat"];
    case "LeaveGroup":
      return { errorCode } satisfies GroupResponses["LeaveGroup"];
    case "OffsetCommit":
      return refusedCommit(request, errorCode);
    case "OffsetFetch":
      return { groupId: request.body.groupId, topics: [], errorCode } satisfies GroupResponses[
        "OffsetFetch"
      ];
    case "OffsetDelete":
      return { errorCode, topics: [] } satisfies GroupResponses["OffsetDelete"];
    case "ConsumerGroupHeartbeat":
      return { errorCode } satisfies GroupResponses["ConsumerGroupHeartbeat"];
    case "DescribeGroup":
      return {
        errorCode,
        groupId: request.body.groupId,
        groupState: "",
        protocolType: "",
        protocolData: "",
        members: [],
      } satisfies GroupResponses["DescribeGroup"];
    case "ConsumerGroupDescribe":
      return { errorCode, groupId: request.body.groupId } satisfies GroupResponses[
        "ConsumerGroupDescribe"
      ];
    case "DeleteGroup":
      return { groupId: request.body.groupId, errorCode } satisfies GroupResponses["DeleteGroup"];
    default:
      return unreachable(request);
  }
}

/** The protocol's name is null where there is none, which versions before 7 cannot say. */
function refusedJoin(
  { body, caller }: JoinGroupRequest,
  errorCode: ErrorCode,
): GroupResponses["JoinGroup"] {
  return {
    errorCode,
    protocolName: caller.apiVersion >= 7 ? null : "",
    leader: "",
    memberId: body.memberId,
    members: [],
  };
}

/** An OffsetCommit has no place for an error but its partitions. */
function refusedCommit(
  { body }: OffsetCommitRequest,
  errorCode: ErrorCode,
): GroupResponses["OffsetCommit"] {
  return {
    topics: body.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  };
}
