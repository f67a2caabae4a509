/**
 * All commands, in the order help shows them. A new command is one file in `command/` and one line
 * here; flags, help and did-you-mean follow from it.
 */
import { brokerStart } from "./command/broker_start.ts";
import { checkGroup } from "./command/check_group.ts";
import { clusterAddVoter } from "./command/cluster_add_voter.ts";
import { clusterBrokers } from "./command/cluster_brokers.ts";
import { clusterElect } from "./command/cluster_elect.ts";
import { clusterFeatures } from "./command/cluster_features.ts";
import { clusterQuorum } from "./command/cluster_quorum.ts";
import { clusterRemoveVoter } from "./command/cluster_remove_voter.ts";
import { clusterStatus } from "./command/cluster_status.ts";
import { clusterUnregister } from "./command/cluster_unregister.ts";
import { configExplain } from "./command/config_explain.ts";
import { configGet } from "./command/config_get.ts";
import { configSet } from "./command/config_set.ts";
import { configUnset } from "./command/config_unset.ts";
import { consume } from "./command/consume.ts";
import { controllerStart } from "./command/controller_start.ts";
import { dlqDrop } from "./command/dlq_drop.ts";
import { dlqList } from "./command/dlq_list.ts";
import { dlqRedrive } from "./command/dlq_redrive.ts";
import { dlqShow } from "./command/dlq_show.ts";
import { groupDelete } from "./command/group_delete.ts";
import { groupDescribe } from "./command/group_describe.ts";
import { groupExport } from "./command/group_export.ts";
import { groupLag } from "./command/group_lag.ts";
import { groupList } from "./command/group_list.ts";
import { groupMembers } from "./command/group_members.ts";
import { groupOffsetDelete } from "./command/group_offset_delete.ts";
import { groupSeek } from "./command/group_seek.ts";
import { help } from "./command/help.ts";
import { logDump } from "./command/log_dump.ts";
import { logRepair } from "./command/log_repair.ts";
import { logVerify } from "./command/log_verify.ts";
import { produce } from "./command/produce.ts";
import { storageFormat } from "./command/storage_format.ts";
import { storageInfo } from "./command/storage_info.ts";
import { storageRandomId } from "./command/storage_random_id.ts";
import { topicAlter } from "./command/topic_alter.ts";
import { topicCreate } from "./command/topic_create.ts";
import { topicDelete } from "./command/topic_delete.ts";
import { topicDescribe } from "./command/topic_describe.ts";
import { topicList } from "./command/topic_list.ts";
import { topicTrim } from "./command/topic_trim.ts";
import { version } from "./command/version.ts";
import { waitGroup } from "./command/wait_group.ts";
import type { CommandSpec } from "./command_spec.ts";

export const commands: readonly CommandSpec[] = [
  brokerStart,
  controllerStart,
  produce,
  consume,
  topicList,
  topicCreate,
  topicDescribe,
  topicAlter,
  topicTrim,
  topicDelete,
  groupList,
  groupDescribe,
  groupMembers,
  groupLag,
  groupSeek,
  groupExport,
  groupOffsetDelete,
  groupDelete,
  checkGroup,
  waitGroup,
  dlqList,
  dlqShow,
  dlqRedrive,
  dlqDrop,
  configGet,
  configSet,
  configUnset,
  configExplain,
  clusterStatus,
  clusterBrokers,
  clusterQuorum,
  clusterAddVoter,
  clusterRemoveVoter,
  clusterElect,
  clusterFeatures,
  clusterUnregister,
  logDump,
  logVerify,
  logRepair,
  storageFormat,
  storageInfo,
  storageRandomId,
  version,
  help,
];
