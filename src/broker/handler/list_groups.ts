/** ListGroups: the groups that this broker coordinates. */
import { ErrorCode } from "../../api/error_code.ts";
import { listGroups } from "../../api/list_groups.ts";
import { type Answer, defineHandler } from "../handler.ts";

export const listGroupsHandler = defineHandler({
  api: listGroups,
  async handle(broker, request): Promise<Answer<typeof listGroups>> {
    const groups = await broker.groups.listGroups(request);
    return typeof groups === "number"
      ? { errorCode: groups, groups: [] }
      : { errorCode: ErrorCode.None, groups };
  },
});
