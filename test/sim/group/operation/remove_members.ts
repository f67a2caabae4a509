/** Takes all members out of a group. Those that live join again. */
import { type GroupOperation, pick, throwFirst } from "./group_operation.ts";

export const removeMembers: GroupOperation = {
  name: "remove-members",
  async run({ client, chance, groupIds }): Promise<void> {
    const groupId = pick(chance, groupIds);
    if (groupId === undefined) return;
    throwFirst(await client.admin.groups.removeMembers(groupId, null));
  },
};
