/**
 * Deletes a group. Acknowledged: it had no members, nothing of it is left, and one that nobody uses
 * again stays deleted.
 */
import { type GroupOperation, pick, throwFirst, whileResting } from "./group_operation.ts";

export const deleteGroup: GroupOperation = {
  name: "delete-group",
  async run(context): Promise<void> {
    const { client, chance, groupIds, alone, groups } = context;
    const groupId = pick(chance, [...groupIds, ...alone]);
    if (groupId === undefined) return;
    if (alone.delete(groupId)) {
      throwFirst(await client.admin.groups.deleteGroups([groupId]));
      groups.mustStayDeleted(groupId);
      return;
    }
    await whileResting(context, groupId, async () => {
      throwFirst(await client.admin.groups.deleteGroups([groupId]));
    });
  },
};
