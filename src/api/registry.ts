/**
 * The APIs that a broker serves, as an explicit ordered list: what is not here is not advertised.
 *
 * A new API is a file beside this one, a line here, and a line in the broker's table of handlers.
 */
import { alterConfigs } from "./alter_configs.ts";
import { apiVersions } from "./api_versions.ts";
import { createTopics } from "./create_topics.ts";
import { deleteRecords } from "./delete_records.ts";
import { deleteTopics } from "./delete_topics.ts";
import { describeCluster } from "./describe_cluster.ts";
import { describeConfigs } from "./describe_configs.ts";
import { describeTopicPartitions } from "./describe_topic_partitions.ts";
import { fetch } from "./fetch.ts";
import { findCoordinator } from "./find_coordinator.ts";
import { incrementalAlterConfigs } from "./incremental_alter_configs.ts";
import { initProducerId } from "./init_producer_id.ts";
import { listOffsets } from "./list_offsets.ts";
import { metadata } from "./metadata.ts";
import { produce } from "./produce.ts";
import type { Api } from "./schema.ts";

/** In the order of their keys. */
export const apis: readonly Api[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  findCoordinator,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  describeConfigs,
  alterConfigs,
  incrementalAlterConfigs,
  describeCluster,
  describeTopicPartitions,
];

const apiByKey = new Map(apis.map((api) => [api.key, api]));

/** The API of `key`, or undefined where brokers serve none. */
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
