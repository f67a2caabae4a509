/**
 * All commands, in the order help shows them. A new command is one file in `command/` and one line
 * here; flags, help and did-you-mean follow from it.
 */
import { brokerStart } from "./command/broker_start.ts";
import { configExplain } from "./command/config_explain.ts";
import { configGet } from "./command/config_get.ts";
import { configSet } from "./command/config_set.ts";
import { configUnset } from "./command/config_unset.ts";
import { consume } from "./command/consume.ts";
import { help } from "./command/help.ts";
import { logDump } from "./command/log_dump.ts";
import { logRepair } from "./command/log_repair.ts";
import { logVerify } from "./command/log_verify.ts";
import { produce } from "./command/produce.ts";
import { storageInfo } from "./command/storage_info.ts";
import { topicAlter } from "./command/topic_alter.ts";
import { topicCreate } from "./command/topic_create.ts";
import { topicDelete } from "./command/topic_delete.ts";
import { topicDescribe } from "./command/topic_describe.ts";
import { topicList } from "./command/topic_list.ts";
import { topicTrim } from "./command/topic_trim.ts";
import { version } from "./command/version.ts";
import type { CommandSpec } from "./command_spec.ts";

export const commands: readonly CommandSpec[] = [
  brokerStart,
  produce,
  consume,
  topicList,
  topicCreate,
  topicDescribe,
  topicAlter,
  topicTrim,
  topicDelete,
  configGet,
  configSet,
  configUnset,
  configExplain,
  logDump,
  logVerify,
  logRepair,
  storageInfo,
  version,
  help,
];
