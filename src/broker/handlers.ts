/** Every API that is served: one line each. What is not here is not advertised. */
import type { Handler } from "./handler.ts";
import { addRaftVoterHandler } from "./handler/add_raft_voter.ts";
import { alterConfigsHandler } from "./handler/alter_configs.ts";
import { apiVersionsHandler } from "./handler/api_versions.ts";
import { consumerGroupDescribeHandler } from "./handler/consumer_group_describe.ts";
import { consumerGroupHeartbeatHandler } from "./handler/consumer_group_heartbeat.ts";
import { createPartitionsHandler } from "./handler/create_partitions.ts";
import { createTopicsHandler } from "./handler/create_topics.ts";
import { deleteGroupsHandler } from "./handler/delete_groups.ts";
import { deleteRecordsHandler } from "./handler/delete_records.ts";
import { deleteTopicsHandler } from "./handler/delete_topics.ts";
import { describeClusterHandler } from "./handler/describe_cluster.ts";
import { describeConfigsHandler } from "./handler/describe_configs.ts";
import { describeGroupsHandler } from "./handler/describe_groups.ts";
import { describeQuorumHandler } from "./handler/describe_quorum.ts";
import { describeTopicPartitionsHandler } from "./handler/describe_topic_partitions.ts";
import { electLeadersHandler } from "./handler/elect_leaders.ts";
import { fetchHandler } from "./handler/fetch.ts";
import { findCoordinatorHandler } from "./handler/find_coordinator.ts";
import { heartbeatHandler } from "./handler/heartbeat.ts";
import { incrementalAlterConfigsHandler } from "./handler/incremental_alter_configs.ts";
import { initProducerIdHandler } from "./handler/init_producer_id.ts";
import { joinGroupHandler } from "./handler/join_group.ts";
import { leaveGroupHandler } from "./handler/leave_group.ts";
import { listGroupsHandler } from "./handler/list_groups.ts";
import { listOffsetsHandler } from "./handler/list_offsets.ts";
import { metadataHandler } from "./handler/metadata.ts";
import { offsetCommitHandler } from "./handler/offset_commit.ts";
import { offsetDeleteHandler } from "./handler/offset_delete.ts";
import { offsetFetchHandler } from "./handler/offset_fetch.ts";
import { produceHandler } from "./handler/produce.ts";
import { removeRaftVoterHandler } from "./handler/remove_raft_voter.ts";
import { syncGroupHandler } from "./handler/sync_group.ts";
import { unregisterBrokerHandler } from "./handler/unregister_broker.ts";
import { updateFeaturesHandler } from "./handler/update_features.ts";

export const HANDLERS: readonly Handler[] = [
  produceHandler,
  fetchHandler,
  listOffsetsHandler,
  metadataHandler,
  offsetCommitHandler,
  offsetFetchHandler,
  findCoordinatorHandler,
  joinGroupHandler,
  heartbeatHandler,
  leaveGroupHandler,
  syncGroupHandler,
  describeGroupsHandler,
  listGroupsHandler,
  apiVersionsHandler,
  createTopicsHandler,
  deleteTopicsHandler,
  deleteRecordsHandler,
  initProducerIdHandler,
  describeConfigsHandler,
  alterConfigsHandler,
  createPartitionsHandler,
  deleteGroupsHandler,
  electLeadersHandler,
  incrementalAlterConfigsHandler,
  offsetDeleteHandler,
  describeQuorumHandler,
  updateFeaturesHandler,
  describeClusterHandler,
  unregisterBrokerHandler,
  consumerGroupHeartbeatHandler,
  consumerGroupDescribeHandler,
  describeTopicPartitionsHandler,
  addRaftVoterHandler,
  removeRaftVoterHandler,
];
