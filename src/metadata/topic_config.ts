/**
 * The settings of a topic: one line each. A new setting is one line here.
 *
 * `synonym` names the broker setting that gives the default for topics without a value of their own.
 * What is here is known, checked and described; which of them already act is said by their users
 * (`runtime/partition.ts`, `log/`). Names, types, defaults, bounds and synonyms are compared with
 * Kafka's own table (`test/metadata/kafka_topic_configs_test.ts`).
 */
import { nearestName } from "../ground/nearest.ts";
import { parseSetting, type Setting, type SettingValue, shown } from "./setting.ts";

export interface TopicSetting extends Setting {
  readonly default: string;
  /** The broker setting with the default for all topics. */
  readonly synonym?: string;
}

const LONG_MAX = "9223372036854775807";

/** Kafka: ThrottledReplicaListValidator. */
const THROTTLED_REPLICAS = {
  pattern: /^(\*|(\d+:\d+)?(,(\d+:\d+)?)*)$/,
  words: "* or a list of PARTITION:BROKER",
};

// deno-fmt-ignore
export const TOPIC_SETTINGS = [
  { name: "cleanup.policy", type: "list", default: "delete", values: ["compact", "delete"], synonym: "log.cleanup.policy", doc: "What happens to old segments: delete, compact, or both; with neither they stay." },
  { name: "compression.type", type: "string", default: "producer", values: ["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"], synonym: "compression.type", doc: "Compression of stored batches; producer keeps them as they came." },
  { name: "compression.gzip.level", type: "int", default: "-1", min: 1, max: 9, also: -1, synonym: "compression.gzip.level", doc: "Level of gzip where compression.type is gzip and a batch comes in another codec; -1 is zlib's usual one." },
  { name: "compression.lz4.level", type: "int", default: "9", min: 1, max: 17, synonym: "compression.lz4.level", doc: "Accepted for Kafka's sake and without effect: lz4 is always compressed at its one fast level." },
  { name: "compression.zstd.level", type: "int", default: "3", min: -131072, max: 22, synonym: "compression.zstd.level", doc: "Level of zstd where compression.type is zstd and a batch comes in another codec; high ones hold up the broker." },
  { name: "delete.retention.ms", type: "long", default: "86400000", min: 0, synonym: "log.cleaner.delete.retention.ms", doc: "How long a tombstone of a compacted topic stays, in milliseconds." },
  { name: "file.delete.delay.ms", type: "long", default: "60000", min: 0, synonym: "log.segment.delete.delay.ms", doc: "How long a deleted segment's file stays, in milliseconds." },
  { name: "flush.messages", type: "long", default: LONG_MAX, min: 1, synonym: "log.flush.interval.messages", doc: "Records after which the log is made durable, whatever the durability class." },
  { name: "flush.ms", type: "long", default: LONG_MAX, min: 0, synonym: "log.flush.interval.ms", doc: "Milliseconds after which the log is made durable, whatever the durability class." },
  { name: "index.interval.bytes", type: "int", default: "4096", min: 0, synonym: "log.index.interval.bytes", doc: "Bytes of records between two entries of an index." },
  { name: "max.compaction.lag.ms", type: "long", default: LONG_MAX, min: 1, synonym: "log.cleaner.max.compaction.lag.ms", doc: "Longest time a record may stay uncompacted, in milliseconds." },
  { name: "max.message.bytes", type: "int", default: "1048588", min: 0, synonym: "message.max.bytes", doc: "Largest record batch that is accepted, in bytes." },
  { name: "message.timestamp.after.max.ms", type: "long", default: "3600000", min: 0, synonym: "log.message.timestamp.after.max.ms", doc: "How far a record's timestamp may lie ahead of the broker's clock, in milliseconds." },
  { name: "message.timestamp.before.max.ms", type: "long", default: LONG_MAX, min: 0, synonym: "log.message.timestamp.before.max.ms", doc: "How far a record's timestamp may lie behind the broker's clock, in milliseconds." },
  { name: "message.timestamp.type", type: "string", default: "CreateTime", values: ["CreateTime", "LogAppendTime"], synonym: "log.message.timestamp.type", doc: "Whether a record keeps the producer's timestamp or gets the broker's." },
  { name: "min.cleanable.dirty.ratio", type: "double", default: "0.5", min: 0, max: 1, synonym: "log.cleaner.min.cleanable.ratio", doc: "Share of uncompacted bytes from which a log is compacted." },
  { name: "min.compaction.lag.ms", type: "long", default: "0", min: 0, synonym: "log.cleaner.min.compaction.lag.ms", doc: "Shortest time a record stays uncompacted, in milliseconds." },
  { name: "min.insync.replicas", type: "int", default: "1", min: 1, synonym: "min.insync.replicas", doc: "Replicas that must have a record before acks=all is answered." },
  { name: "mq.durability", type: "string", default: "quorum-fsync", values: ["memory", "quorum-fsync", "all-fsync"], synonym: "mq.durability", doc: "When a record counts as written: in memory (as in Kafka), or durable on min.insync.replicas or on all in-sync replicas." },
  { name: "mq.record.validation", type: "string", default: "records", values: ["records", "header"], synonym: "mq.record.validation", doc: "Whether every record of a produced batch is checked, or its header and CRC only." },
  { name: "preallocate", type: "boolean", default: "false", synonym: "log.preallocate", doc: "Accepted for Kafka's sake and without effect: a segment's file grows as it is written." },
  { name: "remote.log.copy.disable", type: "boolean", default: "false", doc: "Whether no more segments are copied to an object store; without effect while there is none." },
  { name: "remote.log.delete.on.disable", type: "boolean", default: "false", doc: "Whether copied segments are removed when remote storage is switched off; without effect while there is none." },
  { name: "remote.storage.enable", type: "boolean", default: "false", doc: "Whether closed segments are copied to an object store; there is none yet, so it stays false." },
  { name: "retention.bytes", type: "long", default: "-1", synonym: "log.retention.bytes", doc: "Bytes of a partition after which old segments go; below 0 is no limit." },
  { name: "retention.ms", type: "long", default: "604800000", min: -1, synonym: "log.retention.ms", doc: "Milliseconds after which old segments go; -1 is no limit." },
  { name: "local.retention.bytes", type: "long", default: "-2", min: -2, synonym: "log.local.retention.bytes", doc: "As retention.bytes for the local part of a tiered log, of which there is none yet; -2 takes that value." },
  { name: "local.retention.ms", type: "long", default: "-2", min: -2, synonym: "log.local.retention.ms", doc: "As retention.ms for the local part of a tiered log, of which there is none yet; -2 takes that value." },
  { name: "segment.bytes", type: "int", default: "1073741824", min: 1048576, synonym: "log.segment.bytes", doc: "Bytes at which a segment is closed and a new one begun." },
  { name: "segment.index.bytes", type: "int", default: "10485760", min: 4, synonym: "log.index.size.max.bytes", doc: "Largest size of an index file in bytes; a full one closes the segment." },
  { name: "segment.jitter.ms", type: "long", default: "0", min: 0, synonym: "log.roll.jitter.ms", doc: "Random time taken off segment.ms, so that segments do not all close at once." },
  { name: "segment.ms", type: "long", default: "604800000", min: 1, synonym: "log.roll.ms", doc: "Milliseconds after which a segment is closed although it is not full." },
  { name: "unclean.leader.election.enable", type: "boolean", default: "false", synonym: "unclean.leader.election.enable", doc: "Whether a replica outside the ISR may lead when no other is left; without effect with one replica." },
  { name: "leader.replication.throttled.replicas", type: "list", default: "", form: THROTTLED_REPLICAS, doc: "Replicas whose leader side is throttled, PARTITION:BROKER,… or *; without effect with one replica." },
  { name: "follower.replication.throttled.replicas", type: "list", default: "", form: THROTTLED_REPLICAS, doc: "Replicas whose follower side is throttled, PARTITION:BROKER,… or *; without effect with one replica." },
] as const satisfies readonly TopicSetting[];

export type TopicSettingName = (typeof TOPIC_SETTINGS)[number]["name"];

const BY_NAME = new Map<string, TopicSetting>(
  TOPIC_SETTINGS.map((setting) => [setting.name, setting]),
);

/** Read once: ten thousand partitions ask for two dozen of them each. */
const DEFAULTS = new Map<string, SettingValue>(TOPIC_SETTINGS.map((setting) => {
  const parsed = parseSetting(setting, setting.default);
  return [setting.name, parsed.kind === "value" ? parsed.value : setting.default];
}));

/** Refusals of one request that say which name was meant. */
export const SUGGESTIONS_MAX = 10;

export function topicSetting(name: string): TopicSetting | undefined {
  return BY_NAME.get(name);
}

/** Finds a broker's own text for one of its settings; undefined where it was given none. */
export type BrokerValue = (synonym: string) => string | undefined;

/** The reason why a topic may not have this value, or undefined where it may. */
function refuseTopicConfig(
  name: string,
  value: string | null,
  maySuggest: boolean,
): string | undefined {
  const setting = BY_NAME.get(name);
  if (setting === undefined) {
    const nearest = maySuggest ? nearestName(shown(name), BY_NAME.keys()) : undefined;
    const question = nearest === undefined ? "" : `; did you mean '${nearest}'?`;
    return `Unknown topic config name: ${shown(name)}${question}`;
  }
  if (value === null) return `Null value not supported for topic configs: ${name}`;
  const parsed = parseSetting(setting, value);
  return parsed.kind === "refused" ? parsed.message : undefined;
}

/**
 * The reason why a topic may not have all of these together, or undefined where it may: names first,
 * then values, then those that contradict each other or ask for what there is not.
 *
 * A suggestion costs a tenth of a millisecond; who judges many topics at once makes few of them.
 * Source: kafka: LogConfig.validate.
 */
export function refuseTopicConfigs(
  own: ReadonlyMap<string, string | null>,
  brokerValue: BrokerValue,
  maySuggest = true,
): string | undefined {
  for (const name of own.keys()) {
    if (!BY_NAME.has(name)) return refuseTopicConfig(name, "", maySuggest);
  }
  for (const [name, value] of own) {
    const reason = refuseTopicConfig(name, value, maySuggest);
    if (reason !== undefined) return reason;
  }
  return own.size === 0 ? undefined : refuseTogether(own, brokerValue);
}

/** What contradicts itself in the broker's own settings is refused when it starts. */
export function refuseTogether(
  own: ReadonlyMap<string, string | null>,
  brokerValue: BrokerValue,
): string | undefined {
  const valueOf = (name: TopicSettingName): SettingValue =>
    topicConfigValue(name, own as ReadonlyMap<string, string>, brokerValue);
  const minLagMs = valueOf("min.compaction.lag.ms") as number;
  const maxLagMs = valueOf("max.compaction.lag.ms") as number;
  if (minLagMs > maxLagMs) {
    return `conflict topic config setting min.compaction.lag.ms (${minLagMs}) > ` +
      `max.compaction.lag.ms (${maxLagMs}): the shortest time must not be above the longest`;
  }
  if (valueOf("remote.storage.enable") === true) {
    return "Invalid value true for configuration remote.storage.enable: it must be false, because " +
      "this broker has no object store";
  }
  return undefined;
}

/** A value as the topic's own config, else the broker's default, else Kafka's. */
export function topicConfigValue(
  name: TopicSettingName,
  own: ReadonlyMap<string, string>,
  brokerValue: BrokerValue,
): SettingValue {
  const setting = BY_NAME.get(name) as TopicSetting;
  const text = own.get(name) ??
    (setting.synonym === undefined ? undefined : brokerValue(setting.synonym));
  const parsed = text === undefined ? undefined : parseSetting(setting, text);
  // What was stored was checked; a default that a later version refuses falls back to Kafka's.
  return parsed?.kind === "value" ? parsed.value : DEFAULTS.get(name) as SettingValue;
}
