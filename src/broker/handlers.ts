/** Every API that is served: one line each. What is not here is not advertised. */
import type { Handler } from "./handler.ts";
import { addRaftVoterHandler } from "./handler/add_raft_voter.ts";
import { alterConfigsHandler } from "./handler/alter_configs.ts";
import { apiVersionsHandler } from "./handler/api_versions.ts";
import { createPartitionsHandler } from "./handler/create_partitions.ts";
import { createTopicsHandler } from "./handler/create_topics.ts";
import { deleteRecordsHandler } from "./handler/delete_records.ts";
import { deleteTopicsHandler } from "./handler/delete_topics.ts";
import { describeClusterHandler } from "./handler/describe_cluster.ts";
import { describeConfigsHandler } from "./handler/describe_configs.ts";
import { describeQuorumHandler } from "./handler/describe_quorum.ts";
import { describeTopicPartitionsHandler } from "./handler/describe_topic_partitions.ts";
import { electLeadersHandler } from "./handler/elect_leaders.ts";
import { fetchHandler } from "./handler/fetch.ts";
import { findCoordinatorHandler } from "./handler/find_coordinator.ts";
import { incrementalAlterConfigsHandler } from "./handler/incremental_alter_configs.ts";
import { initProducerIdHandler } from "./handler/init_producer_id.ts";
import { listOffsetsHandler } from "./handler/list_offsets.ts";
import { metadataHandler } from "./handler/metadata.ts";
import { produceHandler } from "./handler/produce.ts";
import { removeRaftVoterHandler } from "./handler/remove_raft_voter.ts";
import { unregisterBrokerHandler } from "./handler/unregister_broker.ts";
import { updateFeaturesHandler } from "./handler/update_features.ts";

export const HANDLERS: readonly Handler[] = [
  produceHandler,
  fetchHandler,
  listOffsetsHandler,
  metadataHandler,
  findCoordinatorHandler,
  apiVersionsHandler,
  createTopicsHandler,
  deleteTopicsHandler,
  deleteRecordsHandler,
  initProducerIdHandler,
  describeConfigsHandler,
  alterConfigsHandler,
  createPartitionsHandler,
  electLeadersHandler,
  incrementalAlterConfigsHandler,
  describeQuorumHandler,
  updateFeaturesHandler,
  describeClusterHandler,
  unregisterBrokerHandler,
  describeTopicPartitionsHandler,
  addRaftVoterHandler,
  removeRaftVoterHandler,
];
