/** LeaveGroup: members of a classic group leave it; before version 3 it is one, who is answered alone. */
import { ErrorCode } from "../../api/error_code.ts";
import { leaveGroup } from "../../api/leave_group.ts";
import { callerOf } from "../group_call.ts";
import { type Answer, defineHandler } from "../handler.ts";

const MEMBERS_FROM_VERSION = 3;

export const leaveGroupHandler = defineHandler({
  api: leaveGroup,
  async handle(broker, body, call): Promise<Answer<typeof leaveGroup>> {
    if (body.groupId === "") return { errorCode: ErrorCode.InvalidGroupId };
    const isOne = call.apiVersion < MEMBERS_FROM_VERSION;
    const members = isOne
      ? [{ memberId: body.memberId, groupInstanceId: null, reason: null }]
      : body.members;
    const answer = await broker.groups.ask({
      kind: "LeaveGroup",
      body: { ...body, members },
      caller: callerOf(call),
    });
    if (!isOne) return answer;
    const ofMember = answer.members?.[0]?.errorCode ?? ErrorCode.None;
    return { errorCode: answer.errorCode === ErrorCode.None ? ofMember : answer.errorCode };
  },
});
