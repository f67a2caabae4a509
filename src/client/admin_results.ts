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
