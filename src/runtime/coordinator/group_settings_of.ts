/** What the coordinator of groups works with, from the settings of the broker; and what contradicts. */
import type {
  ConsumerGroupMigrationPolicy,
  GroupSettings,
  RebalanceProtocol,
} from "../../group/group_settings.ts";
import type { BrokerSettings } from "../broker_settings.ts";

const MINUTE_MS = 60_000;

/** The first must not be above the second (kafka: GroupCoordinatorConfig.validate). */
const IN_ORDER = [
  ["group.min.session.timeout.ms", "group.max.session.timeout.ms"],
  ["group.consumer.min.session.timeout.ms", "group.consumer.session.timeout.ms"],
  ["group.consumer.session.timeout.ms", "group.consumer.max.session.timeout.ms"],
  ["group.consumer.min.heartbeat.interval.ms", "group.consumer.heartbeat.interval.ms"],
  ["group.consumer.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms"],
] as const;
const HEARTBEAT_INTERVAL = "group.consumer.heartbeat.interval.ms";
const SESSION_TIMEOUT = "group.consumer.session.timeout.ms";

/** Why the broker cannot work with these, of which each by itself is right. */
export function refuseGroupSettings(
  settings: Pick<BrokerSettings, "get">,
): { readonly name: string; readonly message: string } | undefined {
  for (const [low, high] of IN_ORDER) {
    const [lowMs, highMs] = [settings.get(low), settings.get(high)];
    if (lowMs <= highMs) continue;
    const message = `Invalid value ${highMs} for configuration ${high}: it must be ${low} ` +
      `(${lowMs}) or more`;
    return { name: high, message };
  }
  const [beatMs, sessionMs] = [settings.get(HEARTBEAT_INTERVAL), settings.get(SESSION_TIMEOUT)];
  if (beatMs < sessionMs) return undefined;
  const message = `Invalid value ${beatMs} for configuration ${HEARTBEAT_INTERVAL}: it must be ` +
    `below ${SESSION_TIMEOUT} (${sessionMs})`;
  return { name: HEARTBEAT_INTERVAL, message };
}

export function groupSettingsOf(settings: Pick<BrokerSettings, "get">): GroupSettings {
  const protocols = settings.get("group.coordinator.rebalance.protocols");
  const isServed = (protocol: string): protocol is RebalanceProtocol =>
    protocol === "classic" || protocol === "consumer";
  return {
    groupMinSessionTimeoutMs: settings.get("group.min.session.timeout.ms"),
    groupMaxSessionTimeoutMs: settings.get("group.max.session.timeout.ms"),
    groupInitialRebalanceDelayMs: settings.get("group.initial.rebalance.delay.ms"),
    groupMaxSize: settings.get("group.max.size"),
    offsetMetadataMaxBytes: settings.get("offset.metadata.max.bytes"),
    offsetsRetentionMs: settings.get("offsets.retention.minutes") * MINUTE_MS,
    offsetsRetentionCheckIntervalMs: settings.get("offsets.retention.check.interval.ms"),
    consumerGroupSessionTimeoutMs: settings.get("group.consumer.session.timeout.ms"),
    consumerGroupMinSessionTimeoutMs: settings.get("group.consumer.min.session.timeout.ms"),
    consumerGroupMaxSessionTimeoutMs: settings.get("group.consumer.max.session.timeout.ms"),
    consumerGroupHeartbeatIntervalMs: settings.get("group.consumer.heartbeat.interval.ms"),
    consumerGroupMinHeartbeatIntervalMs: settings.get("group.consumer.min.heartbeat.interval.ms"),
    consumerGroupMaxHeartbeatIntervalMs: settings.get("group.consumer.max.heartbeat.interval.ms"),
    consumerGroupMaxSize: settings.get("group.consumer.max.size"),
    consumerGroupAssignors: settings.get("group.consumer.assignors"),
    consumerGroupMigrationPolicy: settings.get(
      "group.consumer.migration.policy",
    ) as ConsumerGroupMigrationPolicy,
    consumerGroupRegexRefreshIntervalMs: settings.get("group.consumer.regex.refresh.interval.ms"),
    rebalanceProtocols: protocols.filter(isServed),
  };
}
