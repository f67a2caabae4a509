/**
 * Puts a group's offset somewhere else, ahead or back. Acknowledged: the group had no members, and who
 * comes next begins there.
 */
import {
  type GroupOperation,
  pick,
  pickPlace,
  throwFirst,
  whileResting,
} from "./group_operation.ts";

export const resetOffsets: GroupOperation = {
  name: "reset-offsets",
  async run(context): Promise<void> {
    const { client, chance, groupIds } = context;
    const groupId = pick(chance, groupIds);
    if (groupId === undefined) return;
    await whileResting(context, groupId, async () => {
      const place = pickPlace(context);
      if (place === undefined) return;
      throwFirst(await client.admin.groups.alterGroupOffsets(groupId, [place]));
    });
  },
};
