/** Asks for all that is told of groups. What was deleted for good is in none of it. */
import { PromiseBroken } from "../../operation/operation.ts";
import { type GroupOperation, pick } from "./group_operation.ts";

export const readGroups: GroupOperation = {
  name: "read-groups",
  async run({ client, chance, groupIds, alone, groups }): Promise<void> {
    const { admin } = client;
    const groupId = pick(chance, [...groupIds, ...alone]) ?? "g1";
    const deleted = [...groups.deleted()];
    const listed = await admin.groups.listGroups();
    const described = await admin.groups.describeGroups([...groupIds, ...deleted], {
      hasHistory: true,
    });
    await admin.groups.groupOffsets(groupId, { hasProgress: true });
    await admin.groups.groupLag(groupId);
    if (!groups.isTrusted) return;
    for (const one of deleted) {
      const isListed = listed.groups.some((group) => group.groupId === one);
      const isThere = described.some((group) => group.groupId === one && group.error === undefined);
      if (isListed || isThere) {
        throw new PromiseBroken("deleted groups stay deleted", `${one} is told of again`);
      }
    }
  },
};
