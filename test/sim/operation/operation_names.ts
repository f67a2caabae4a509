/** Every operation of the workload, in the order in which chance is drawn for them. */
export const OPERATION_NAMES = [
  "create-topic",
  "delete-topic",
  "alter-topic",
  "describe-topic",
  "produce",
  "fetch-from-start",
  "list-offsets",
  "trim",
  "list-topics",
] as const;

export type OperationName = (typeof OPERATION_NAMES)[number];
