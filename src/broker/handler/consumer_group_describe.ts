/** ConsumerGroupDescribe: state and members of groups of KIP-848. */
import { consumerGroupDescribe } from "../../api/consumer_group_describe.ts";
import { ErrorCode } from "../../api/error_code.ts";
import { askEach, callerOf } from "../group_call.ts";
import { hasConsumerGroups } from "../consumer_groups.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { GROUP_OPERATIONS, NOT_ASKED } from "../operations.ts";

type Described = Answer<typeof consumerGroupDescribe> & object;

export const consumerGroupDescribeHandler = defineHandler({
  api: consumerGroupDescribe,
  async handle(broker, request, call): Promise<Answer<typeof consumerGroupDescribe>> {
    const { includeHistory, includeAuthorizedOperations } = request;
    const groupIds = [...new Set(request.groupIds)];
    if (!hasConsumerGroups(broker)) {
      return { groups: groupIds.map((id) => failed(id, ErrorCode.UnsupportedVersion)) };
    }
    const caller = callerOf(call);
    const groups = await askEach(broker.env, groupIds, (groupId) => {
      if (groupId === "") return failed(groupId, ErrorCode.InvalidGroupId);
      const body = { groupId, includeHistory };
      return broker.groups.ask({ kind: "ConsumerGroupDescribe", body, caller });
    });
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

function failed(
  groupId: string,
  errorCode: ErrorCode,
): Extract<Described, { readonly groups: unknown }>["groups"][number] {
  return { groupId, errorCode, members: [] };
}
