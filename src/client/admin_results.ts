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

export interface ConfigEntry {
  readonly name: string;
  /** Null where it is secret or has none. */
  readonly value: string | null;
  readonly source: ConfigSource;
  readonly isReadOnly: boolean;
  readonly isSensitive: boolean;
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
