/**
 * The APIs of Kafka that are spoken here, by brokers and by the client, as an explicit ordered list.
 *
 * A new API is a file beside this one, a line here, and a line in the broker's table of handlers, which
 * decides what ApiVersions tells. The APIs of mq itself, from 0x4000 up, are in `own/`.
 */
import { addRaftVoter } from "./add_raft_voter.ts";
import { alterConfigs } from "./alter_configs.ts";
import { apiVersions } from "./api_versions.ts";
import { consumerGroupDescribe } from "./consumer_group_describe.ts";
import { consumerGroupHeartbeat } from "./consumer_group_heartbeat.ts";
import { createPartitions } from "./create_partitions.ts";
import { createTopics } from "./create_topics.ts";
import { deleteGroups } from "./delete_groups.ts";
import { deleteRecords } from "./delete_records.ts";
import { deleteTopics } from "./delete_topics.ts";
import { describeCluster } from "./describe_cluster.ts";
import { describeConfigs } from "./describe_configs.ts";
import { describeGroups } from "./describe_groups.ts";
import { describeQuorum } from "./describe_quorum.ts";
import { describeTopicPartitions } from "./describe_topic_partitions.ts";
import { electLeaders } from "./elect_leaders.ts";
import { fetch } from "./fetch.ts";
import { findCoordinator } from "./find_coordinator.ts";
import { heartbeat } from "./heartbeat.ts";
import { incrementalAlterConfigs } from "./incremental_alter_configs.ts";
import { initProducerId } from "./init_producer_id.ts";
import { joinGroup } from "./join_group.ts";
import { leaveGroup } from "./leave_group.ts";
import { listGroups } from "./list_groups.ts";
import { listOffsets } from "./list_offsets.ts";
import { metadata } from "./metadata.ts";
import { offsetCommit } from "./offset_commit.ts";
import { offsetDelete } from "./offset_delete.ts";
import { offsetFetch } from "./offset_fetch.ts";
import { produce } from "./produce.ts";
import { removeRaftVoter } from "./remove_raft_voter.ts";
import type { Api } from "./schema.ts";
import { syncGroup } from "./sync_group.ts";
import { unregisterBroker } from "./unregister_broker.ts";
import { updateFeatures } from "./update_features.ts";

/** What nodes serve and the client speaks, in the order of their keys. */
export const apis: readonly Api[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  describeConfigs,
  alterConfigs,
  createPartitions,
  deleteGroups,
  electLeaders,
  incrementalAlterConfigs,
  offsetDelete,
  describeQuorum,
  updateFeatures,
  describeCluster,
  unregisterBroker,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  describeTopicPartitions,
  addRaftVoter,
  removeRaftVoter,
];

const apiByKey = new Map(apis.map((api) => [api.key, api]));

/** The API of `key`, or undefined where its messages cannot be read. */
export function apiOf(key: number): Api | undefined {
  return apiByKey.get(key);
}

/** Whether requests of this version are served; what is advertised may be wider (Produce). */
export function isServed(api: Api, version: number): boolean {
  return version >= api.versions[0] && version <= api.versions[1];
}

/** Whether messages of this version are flexible (KIP-482). */
export function isFlexible(api: Api, version: number): boolean {
  return api.flexibleFrom !== undefined && version >= api.flexibleFrom;
}
