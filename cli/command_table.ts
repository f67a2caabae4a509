/**
 * All commands, in the order help shows them. A new command is one file in `command/` and one line
 * here; flags, help and did-you-mean follow from it.
 */
import { brokerStart } from "./command/broker_start.ts";
import { consume } from "./command/consume.ts";
import { help } from "./command/help.ts";
import { produce } from "./command/produce.ts";
import { topicCreate } from "./command/topic_create.ts";
import { topicDelete } from "./command/topic_delete.ts";
import { topicDescribe } from "./command/topic_describe.ts";
import { topicList } from "./command/topic_list.ts";
import { version } from "./command/version.ts";
import type { CommandSpec } from "./command_spec.ts";

export const commands: readonly CommandSpec[] = [
  brokerStart,
  produce,
  consume,
  topicList,
  topicCreate,
  topicDescribe,
  topicDelete,
  version,
  help,
];
