/** DescribeGroups: state and members of classic groups; the empty id is one, as in Kafka. */
import { describeGroups } from "../../api/describe_groups.ts";
import { ErrorCode } from "../../api/error_code.ts";
import { askEach, callerOf } from "../group_call.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { GROUP_OPERATIONS, NOT_ASKED } from "../operations.ts";

export const describeGroupsHandler = defineHandler({
  api: describeGroups,
  async handle(broker, request, call): Promise<Answer<typeof describeGroups>> {
    const { includeHistory, includeAuthorizedOperations } = request;
    const caller = callerOf(call);
    const groups = await askEach(
      broker.env,
      [...new Set(request.groups)],
      (groupId) =>
        broker.groups.ask({ kind: "DescribeGroup", body: { groupId, includeHistory }, caller }),
    );
    return {
      groups: groups.map((group) => ({
        ...group,
        authorizedOperations: includeAuthorizedOperations && group.errorCode === ErrorCode.None
          ? GROUP_OPERATIONS
          : NOT_ASKED,
      })),
    };
  },
});
