/**
 * The records of the metadata log: what was decided about the cluster, in the order it was decided.
 *
 * Every record carries the version of its own form; a node that meets a kind or a version it does not
 * know stops (it would otherwise serve a state it does not understand). On disk each is one msgpack
 * value inside an ordinary record batch of `__cluster_metadata-0`.
 *
 * Draws on Kafka's records (TopicRecord, PartitionRecord, ConfigRecord, RegisterBrokerRecord,
 * ProducerIdsRecord, RemoveTopicRecord), by the same names of fields.
 */
import type { Uuid } from "../ground/uuid.ts";

export interface TopicRecord {
  readonly kind: "topic";
  readonly version: 0;
  readonly name: string;
  readonly topicId: Uuid;
}

export interface PartitionRecord {
  readonly kind: "partition";
  readonly version: 0;
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
}

export interface ConfigRecord {
  readonly kind: "config";
  readonly version: 0;
  readonly resourceType: "topic";
  readonly resourceName: string;
  readonly name: string;
  /** Null = back to the default. */
  readonly value: string | null;
}

export interface RemoveTopicRecord {
  readonly kind: "remove-topic";
  readonly version: 0;
  readonly topicId: Uuid;
}

export interface RegisterBrokerRecord {
  readonly kind: "register-broker";
  readonly version: 0;
  readonly brokerId: number;
  /** New at every start of the process. */
  readonly incarnationId: Uuid;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface ProducerIdsRecord {
  readonly kind: "producer-ids";
  readonly version: 0;
  readonly brokerId: number;
  /** First id that no block has given out yet. */
  readonly nextProducerId: number;
}

export type MetadataRecord =
  | TopicRecord
  | PartitionRecord
  | ConfigRecord
  | RemoveTopicRecord
  | RegisterBrokerRecord
  | ProducerIdsRecord;

const VERSION_MAX: Readonly<Record<MetadataRecord["kind"], number>> = {
  "topic": 0,
  "partition": 0,
  "config": 0,
  "remove-topic": 0,
  "register-broker": 0,
  "producer-ids": 0,
};

/** The record in a decoded value, or the reason why it is none that this version knows. */
export function asMetadataRecord(value: unknown): MetadataRecord | string {
  if (typeof value !== "object" || value === null) return "a metadata record is not an object";
  const { kind, version } = value as { readonly kind?: unknown; readonly version?: unknown };
  if (typeof kind !== "string" || !Object.hasOwn(VERSION_MAX, kind)) {
    return `metadata record of unknown kind ${String(kind)}`;
  }
  const versionMax = VERSION_MAX[kind as MetadataRecord["kind"]];
  if (typeof version !== "number" || version < 0 || version > versionMax) {
    return `metadata record ${kind} of unknown version ${String(version)}`;
  }
  return value as MetadataRecord;
}
