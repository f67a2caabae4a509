/** What the admin is asked and what it answers. One refused item never hides the others' answers. */
import type { Uuid } from "../ground/uuid.ts";
import type { ClientError } from "./client_error.ts";
import type { TopicMetadata } from "./metadata_cache.ts";

export interface NewTopic {
  readonly name: string;
  /** The broker's default where left out. */
  readonly partitions?: number;
  /** The broker's default where left out. */
  readonly replicationFactor?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

export interface DescribedTopic {
  readonly name: string;
  /** One of the two is there. */
  readonly topic?: TopicMetadata;
  readonly error?: ClientError;
}

export interface CreatedTopic {
  readonly name: string;
  readonly error?: ClientError;
  /** These are -1 and all zero where the broker does not tell. */
  readonly topicId: Uuid;
  readonly partitions: number;
  readonly replicationFactor: number;
}

export interface DeletedTopic {
  readonly name: string;
  readonly error?: ClientError;
}

/** Where a setting's value comes from, in Kafka's words. */
export type ConfigSource =
  | "DYNAMIC_TOPIC_CONFIG"
  | "DYNAMIC_BROKER_CONFIG"
  | "DYNAMIC_DEFAULT_BROKER_CONFIG"
  | "STATIC_BROKER_CONFIG"
  | "DEFAULT_CONFIG"
  | "UNKNOWN";

export type ConfigType =
  | "boolean"
  | "string"
  | "int"
  | "short"
  | "long"
  | "double"
  | "list"
  | "class"
  | "password"
  | "unknown";

export interface ConfigEntry {
  readonly name: string;
  /** Null where it is secret or has none. */
  readonly value: string | null;
  readonly source: ConfigSource;
  readonly isReadOnly: boolean;
  readonly isSensitive: boolean;
  /** Unknown where the broker is too old to tell. */
  readonly type: ConfigType;
  /** Empty where it was not asked for, or the broker is too old to tell. */
  readonly documentation: string;
  /** Every place that has a value for it, the one in force first; empty where it was not asked for. */
  readonly synonyms: readonly ConfigSynonym[];
}

export interface DescribeConfigsOptions {
  /** Also what each setting does, and every place that has a value for it. */
  readonly isDetailed?: boolean;
}

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: ConfigSource;
}

/** Delete is back to the default; the other two are for lists. */
export type ConfigOperation = "set" | "delete" | "append" | "subtract";

export interface ConfigChange {
  readonly name: string;
  readonly operation: ConfigOperation;
  /** Not for delete. */
  readonly value?: string;
}

export interface ConfigChanges {
  /** Of the topic, or the broker's id as text. */
  readonly name: string;
  /** All of them are made, or none. */
  readonly changes: readonly ConfigChange[];
}

export interface AlteredConfigs {
  /** Of the topic, or the broker's id as text. */
  readonly name: string;
  readonly error?: ClientError;
}

export interface ConfigResult {
  /** Of the topic, or the broker's id as text. */
  readonly name: string;
  readonly error?: ClientError;
  readonly configs: readonly ConfigEntry[];
}

export interface ClusterDescription {
  readonly clusterId: string;
  readonly controllerId: number;
  readonly brokers: readonly {
    readonly brokerId: number;
    readonly host: string;
    readonly port: number;
    readonly rack: string | null;
    readonly isFenced: boolean;
  }[];
}

/** Which offset: the first that is there, the one behind the last, or the first from a time on. */
export type OffsetSpec =
  | "start"
  | "end"
  | "max-timestamp"
  | { readonly timestamp: number };

export interface ListedOffset {
  readonly partition: number;
  readonly error?: ClientError;
  /** -1 where no record is that young. */
  readonly offset: number;
  /** Of the record, where the question was about time; else -1. */
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

export interface DeletedRecords {
  readonly partition: number;
  readonly error?: ClientError;
  /** The first offset that is there now; -1 where it failed. */
  readonly lowWatermark: number;
}

export interface MorePartitions {
  readonly name: string;
  /** How many there are to be afterwards. */
  readonly partitions: number;
  /** Brokers of each new partition, its first leader first; the controller chooses where left out. */
  readonly assignments?: readonly (readonly number[])[];
}

export interface CreatedPartitions {
  readonly name: string;
  readonly error?: ClientError;
}

/** preferred: the first replica. unclean: anyone that is there, for those without a leader. */
export type ElectionType = "preferred" | "unclean";

export interface TopicPartitions {
  readonly name: string;
  readonly partitions: readonly number[];
}

export interface ElectedLeader {
  readonly name: string;
  readonly partition: number;
  /** ELECTION_NOT_NEEDED where the one that is wanted leads already. */
  readonly error?: ClientError;
}

/** One that keeps the metadata log: with a vote, or following. */
export interface QuorumReplica {
  readonly nodeId: number;
  /** All zero where the broker is too old to tell, or does not know. */
  readonly directoryId: Uuid;
  /** -1 where it is not known. */
  readonly logEndOffset: number;
  /** Milliseconds since 1970; -1 where they are not known or told. */
  readonly lastFetchTimestamp: number;
  readonly lastCaughtUpTimestamp: number;
}

export interface NodeListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface QuorumDescription {
  /** -1 where nobody leads. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly voters: readonly QuorumReplica[];
  readonly observers: readonly QuorumReplica[];
  /** Where the voters are; empty where the broker is too old to tell. */
  readonly nodes: readonly {
    readonly nodeId: number;
    readonly listeners: readonly NodeListener[];
  }[];
}

export interface FeatureDescription {
  readonly name: string;
  /** What the broker that was asked understands. */
  readonly minVersion: number;
  readonly maxVersion: number;
  /** What is in force in the whole cluster; 0 = switched off. */
  readonly finalizedLevel: number;
}

export interface FeaturesDescription {
  /** Grows with every change; -1 where the broker does not tell. */
  readonly finalizedEpoch: number;
  /** In the order of their names. */
  readonly features: readonly FeatureDescription[];
}

/** A safe downgrade loses nothing; an unsafe one may forget what the lower level has no words for. */
export type FeatureChange = "upgrade" | "safe-downgrade" | "unsafe-downgrade";

export interface FeatureUpdate {
  readonly name: string;
  /** 0 = switch off. */
  readonly level: number;
  /** "upgrade" where left out. */
  readonly change?: FeatureChange;
}

export interface UpdatedFeature {
  readonly name: string;
  readonly error?: ClientError;
}

export interface QuorumVoter {
  readonly nodeId: number;
  readonly directoryId: Uuid;
  /** Refused where it is not that of the cluster that is asked; not checked where left out. */
  readonly clusterId?: string;
}

export interface NewVoter extends QuorumVoter {
  readonly listeners: readonly NodeListener[];
}
