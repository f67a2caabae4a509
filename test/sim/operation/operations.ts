/** All operations, by name. */
import { alterTopic } from "./alter_topic.ts";
import { createTopic } from "./create_topic.ts";
import { deleteTopic } from "./delete_topic.ts";
import { describeTopic } from "./describe_topic.ts";
import { fetchFromStart } from "./fetch_from_start.ts";
import { listOffsets } from "./list_offsets.ts";
import { listTopics } from "./list_topics.ts";
import type { Operation } from "./operation.ts";
import type { OperationName } from "./operation_names.ts";
import { produce } from "./produce.ts";
import { trim } from "./trim.ts";

const ALL: readonly Operation[] = [
  createTopic,
  deleteTopic,
  alterTopic,
  describeTopic,
  produce,
  fetchFromStart,
  listOffsets,
  trim,
  listTopics,
];

const BY_NAME = new Map(ALL.map((operation) => [operation.name, operation]));

export function operationOf(name: OperationName): Operation {
  return BY_NAME.get(name) as Operation;
}
