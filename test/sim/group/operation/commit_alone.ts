/** Commits in the name of a group that never has members. Acknowledged: the offset is told as it is. */
import { type GroupOperation, pick, pickPlace, throwFirst } from "./group_operation.ts";

const GROUPS_MAX = 4;

export const commitAlone: GroupOperation = {
  name: "commit-alone",
  async run(context): Promise<void> {
    const { client, chance, alone } = context;
    const place = pickPlace(context);
    if (place === undefined) return;
    const groupId = alone.size < GROUPS_MAX
      ? context.nextGroupId()
      : pick(chance, [...alone]) as string;
    alone.add(groupId);
    throwFirst(await client.admin.groups.alterGroupOffsets(groupId, [place]));
    await client.admin.groups.groupOffsets(groupId); // judged where it is answered
  },
};
