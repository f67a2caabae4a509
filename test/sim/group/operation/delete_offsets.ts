/** Forgets an offset. Acknowledged: it is not told again, and nobody was subscribed to its topic. */
import { type GroupOperation, pick, throwFirst, whileResting } from "./group_operation.ts";

export const deleteOffsets: GroupOperation = {
  name: "delete-offsets",
  async run(context): Promise<void> {
    const { client, chance, groupIds, alone } = context;
    const groupId = pick(chance, [...groupIds, ...alone]);
    if (groupId === undefined) return;
    await whileResting(context, groupId, async () => {
      const place = pick(chance, await client.admin.groups.groupOffsets(groupId));
      if (place === undefined) return;
      throwFirst(await client.admin.groups.deleteGroupOffsets(groupId, [place]));
      await client.admin.groups.groupOffsets(groupId);
    });
  },
};
