/** DeleteGroups: groups without members are removed with all of their offsets. */
import { deleteGroups } from "../../api/delete_groups.ts";
import { askEach, callerOf } from "../group_call.ts";
import { type Answer, defineHandler } from "../handler.ts";

export const deleteGroupsHandler = defineHandler({
  api: deleteGroups,
  async handle(broker, { groupsNames }, call): Promise<Answer<typeof deleteGroups>> {
    const caller = callerOf(call);
    const results = await askEach(
      broker.env,
      [...new Set(groupsNames)],
      (groupId) => broker.groups.ask({ kind: "DeleteGroup", body: { groupId }, caller }),
    );
    return { results };
  },
});
