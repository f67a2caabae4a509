/** What an administrator does to groups, in the order in which chance is drawn for it. */
export const GROUP_OPERATION_NAMES = [
  "commit-alone",
  "reset-offsets",
  "delete-offsets",
  "delete-group",
  "replace-topic",
  "remove-members",
  "read-groups",
] as const;

export type GroupOperationName = (typeof GROUP_OPERATION_NAMES)[number];
