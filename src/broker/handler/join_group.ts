/** JoinGroup: a consumer becomes a member of a classic group. Answered when all members have come. */
import { ErrorCode } from "../../api/error_code.ts";
import { joinGroup } from "../../api/join_group.ts";
import { errorResponse } from "../../group/error_response.ts";
import type { JoinGroupRequest } from "../../group/group_request.ts";
import { callerOf } from "../group_call.ts";
import { type Answer, defineHandler } from "../handler.ts";

export const joinGroupHandler = defineHandler({
  api: joinGroup,
  handle(broker, body, call): Answer<typeof joinGroup> | Promise<Answer<typeof joinGroup>> {
    const request: JoinGroupRequest = { kind: "JoinGroup", body, caller: callerOf(call) };
    return body.groupId === ""
      ? errorResponse(request, ErrorCode.InvalidGroupId)
      : broker.groups.ask(request);
  },
});
