/**
 * The settings of a group coordinator, under Kafka's names in camelCase, and the settings that one
 * group may have of its own (config resource GROUP).
 *
 * Kafka's defaults, but for one: the first rebalance of an empty group does not wait for members that
 * might come (`groupInitialRebalanceDelayMs`), because one consumer on a laptop should have its
 * partitions at once. Where the values come from is not here (`runtime/broker_settings.ts`).
 */

export type RebalanceProtocol = "classic" | "consumer";

/** Which online conversions are done (kafka: ConsumerGroupMigrationPolicy). */
export type ConsumerGroupMigrationPolicy = "bidirectional" | "upgrade" | "downgrade" | "disabled";

export interface GroupSettings {
  /** Least and most session timeout that a member of the classic protocol may ask for. */
  readonly groupMinSessionTimeoutMs: number;
  readonly groupMaxSessionTimeoutMs: number;
  readonly groupInitialRebalanceDelayMs: number;
  readonly groupMaxSize: number;
  readonly offsetMetadataMaxBytes: number;
  /** Kafka's `offsets.retention.minutes`. */
  readonly offsetsRetentionMs: number;
  readonly offsetsRetentionCheckIntervalMs: number;
  readonly consumerGroupSessionTimeoutMs: number;
  readonly consumerGroupMinSessionTimeoutMs: number;
  readonly consumerGroupMaxSessionTimeoutMs: number;
  readonly consumerGroupHeartbeatIntervalMs: number;
  readonly consumerGroupMinHeartbeatIntervalMs: number;
  readonly consumerGroupMaxHeartbeatIntervalMs: number;
  readonly consumerGroupMaxSize: number;
  /** The first is taken where a member names none. */
  readonly consumerGroupAssignors: readonly string[];
  readonly consumerGroupMigrationPolicy: ConsumerGroupMigrationPolicy;
  readonly consumerGroupRegexRefreshIntervalMs: number;
  readonly rebalanceProtocols: readonly RebalanceProtocol[];
}

const INT32_MAX = 0x7fff_ffff;

export const DEFAULT_GROUP_SETTINGS: GroupSettings = {
  groupMinSessionTimeoutMs: 6000,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupInitialRebalanceDelayMs: 0,
  groupMaxSize: INT32_MAX,
  offsetMetadataMaxBytes: 4096,
  offsetsRetentionMs: 7 * 24 * 3_600_000,
  offsetsRetentionCheckIntervalMs: 600_000,
  consumerGroupSessionTimeoutMs: 45_000,
  consumerGroupMinSessionTimeoutMs: 45_000,
  consumerGroupMaxSessionTimeoutMs: 60_000,
  consumerGroupHeartbeatIntervalMs: 5000,
  consumerGroupMinHeartbeatIntervalMs: 5000,
  consumerGroupMaxHeartbeatIntervalMs: 15_000,
  consumerGroupMaxSize: INT32_MAX,
  consumerGroupAssignors: ["uniform", "range"],
  consumerGroupMigrationPolicy: "bidirectional",
  consumerGroupRegexRefreshIntervalMs: 600_000,
  rebalanceProtocols: ["classic", "consumer"],
};

/** What one group has of its own, or else has of the settings. */
export interface GroupConfig {
  readonly consumerSessionTimeoutMs: number;
  readonly consumerHeartbeatIntervalMs: number;
}

export function defaultGroupConfig(settings: GroupSettings): GroupConfig {
  return {
    consumerSessionTimeoutMs: settings.consumerGroupSessionTimeoutMs,
    consumerHeartbeatIntervalMs: settings.consumerGroupHeartbeatIntervalMs,
  };
}
