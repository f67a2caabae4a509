/** All of them, by name. */
import { commitAlone } from "./commit_alone.ts";
import { deleteGroup } from "./delete_group.ts";
import { deleteOffsets } from "./delete_offsets.ts";
import type { GroupOperation } from "./group_operation.ts";
import type { GroupOperationName } from "./group_operation_names.ts";
import { readGroups } from "./read_groups.ts";
import { removeMembers } from "./remove_members.ts";
import { replaceTopic } from "./replace_topic.ts";
import { resetOffsets } from "./reset_offsets.ts";

export const GROUP_OPERATIONS: Readonly<Record<GroupOperationName, GroupOperation>> = {
  "commit-alone": commitAlone,
  "reset-offsets": resetOffsets,
  "delete-offsets": deleteOffsets,
  "delete-group": deleteGroup,
  "replace-topic": replaceTopic,
  "remove-members": removeMembers,
  "read-groups": readGroups,
};
