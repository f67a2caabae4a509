/**
 * The records of the metadata log: what was decided about the cluster, in the order it was decided.
 *
 * Every record carries the version of its own form; a node that meets a kind or a version it does not
 * know stops (it would otherwise serve a state it does not understand). On disk each is one msgpack
 * value inside an ordinary record batch of `__cluster_metadata-0`. Which forms may be written yet is
 * said by their level in the table below (`feature.ts`).
 *
 * Draws on Kafka's records (TopicRecord, PartitionRecord, PartitionChangeRecord, ConfigRecord,
 * RegisterBrokerRecord, BrokerRegistrationChangeRecord, FeatureLevelRecord, …), by the same names of
 * fields where the meaning is the same.
 *
 * Longer than most files: what a record is and how that is checked stand side by side.
 */
import type { Uuid } from "../ground/uuid.ts";
import { LEVEL_ALONE, LEVEL_CLUSTER, LEVEL_GROUPS, refuseLevel } from "./feature.ts";
import {
  aBoolean,
  aCount,
  aLeader,
  aName,
  aPort,
  aSafeCount,
  aText,
  aTextOrNull,
  aUuid,
  brokerIds,
  type FieldCheck,
  listOf,
  objectOf,
  someBrokerIds,
} from "./field_check.ts";
import { refuseTopicName } from "./topic_name.ts";

export interface TopicRecord {
  readonly kind: "topic";
  readonly version: 0;
  readonly name: string;
  readonly topicId: Uuid;
}

/** What a partition is, whole. Version 1 can have a reassignment under way and be without a leader. */
export interface PartitionRecord {
  readonly kind: "partition";
  readonly version: 0 | 1;
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** -1 = nobody (version 1). */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  /** Replicas that a reassignment adds, or takes away when it is done; left out = none (version 1). */
  readonly addingReplicas?: readonly number[];
  readonly removingReplicas?: readonly number[];
}

/**
 * What changes of a partition; left out = as it was. The partition epoch grows by one with every such
 * record, the leader epoch where the record says so.
 */
export interface PartitionChangeRecord {
  readonly kind: "partition-change";
  readonly version: 0;
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly isr?: readonly number[];
  /** -1 = nobody. */
  readonly leader?: number;
  readonly replicas?: readonly number[];
  readonly addingReplicas?: readonly number[];
  readonly removingReplicas?: readonly number[];
  readonly bumpsLeaderEpoch: boolean;
}

/**
 * Version 1 also has settings of brokers; the resource named "" stands for all of them. Version 2 also
 * has settings of groups.
 */
export interface ConfigRecord {
  readonly kind: "config";
  readonly version: 0 | 1 | 2;
  readonly resourceType: "topic" | "broker" | "group";
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

/** A broker of the time when there were no clusters: it is never fenced. Its epoch is its offset. */
export interface RegisterBrokerRecordV0 {
  readonly kind: "register-broker";
  readonly version: 0;
  readonly brokerId: number;
  /** New at every start of the process. */
  readonly incarnationId: Uuid;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface ListenerAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** Levels of a feature that a node can work with, both ends included. */
export interface FeatureRange {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export interface RegisterBrokerRecordV1 {
  readonly kind: "register-broker";
  readonly version: 1;
  readonly brokerId: number;
  readonly incarnationId: Uuid;
  /** The first is the one that clients are told of where only one can be told. */
  readonly listeners: readonly ListenerAddress[];
  readonly rack: string | null;
  readonly features: readonly FeatureRange[];
  readonly directoryIds: readonly Uuid[];
  readonly isFenced: boolean;
  /** Left out = false. */
  readonly isInControlledShutdown?: boolean;
  /** Left out = the offset of this record; there in a snapshot, and where a registration is amended. */
  readonly brokerEpoch?: number;
}

export type RegisterBrokerRecord = RegisterBrokerRecordV0 | RegisterBrokerRecordV1;

/** Left out = as it was. Without effect on another incarnation than the one with this epoch. */
export interface BrokerChangeRecord {
  readonly kind: "broker-change";
  readonly version: 0;
  readonly brokerId: number;
  readonly brokerEpoch: number;
  readonly isFenced?: boolean;
  readonly isInControlledShutdown?: boolean;
}

export interface UnregisterBrokerRecord {
  readonly kind: "unregister-broker";
  readonly version: 0;
  readonly brokerId: number;
  readonly brokerEpoch: number;
}

/** From here on nodes work with this level of the feature; 0 = without the feature. */
export interface FeatureLevelRecord {
  readonly kind: "feature-level";
  readonly version: 0;
  readonly name: string;
  readonly level: number;
}

export interface ProducerIdsRecord {
  readonly kind: "producer-ids";
  readonly version: 0;
  readonly brokerId: number;
  /** First id that no block has given out yet. */
  readonly nextProducerId: number;
}

/** Says nothing: it moves the log on. */
export interface NoOpRecord {
  readonly kind: "no-op";
  readonly version: 0;
}

export type MetadataRecord =
  | TopicRecord
  | PartitionRecord
  | PartitionChangeRecord
  | ConfigRecord
  | RemoveTopicRecord
  | RegisterBrokerRecord
  | BrokerChangeRecord
  | UnregisterBrokerRecord
  | FeatureLevelRecord
  | ProducerIdsRecord
  | NoOpRecord;

export type RecordKind = MetadataRecord["kind"];

/** One version of one kind of record. */
interface Form {
  /** Of `metadata.version`, from which it may be written. */
  readonly level: number;
  readonly fields: Readonly<Record<string, FieldCheck>>;
  /** Fields that may be left out. */
  readonly optional?: Readonly<Record<string, FieldCheck>>;
  /** What must hold between the fields; the reason why it does not. */
  readonly together?: (record: never) => string | undefined;
}

const PARTITION_KEY = { topicId: aUuid, partitionId: aCount };
const REASSIGNMENT = { addingReplicas: brokerIds, removingReplicas: brokerIds };
const PARTITION = {
  ...PARTITION_KEY,
  replicas: someBrokerIds,
  isr: someBrokerIds,
  leaderEpoch: aCount,
  partitionEpoch: aCount,
};
const BROKER = { brokerId: aCount, incarnationId: aUuid, rack: aTextOrNull };
const CONFIG = { resourceName: aText, name: aName, value: aTextOrNull };
const LISTENER = objectOf({ name: aName, host: aName, port: aPort });
const FEATURE = objectOf({ name: aName, minVersion: aCount, maxVersion: aCount });

/** By kind, then by version. */
const FORMS: Readonly<Record<RecordKind, readonly Form[]>> = {
  "topic": [{ level: LEVEL_ALONE, fields: { name: aTopicName, topicId: aUuid } }],
  "partition": [
    { level: LEVEL_ALONE, fields: { ...PARTITION, leader: aCount }, together: refusePartition },
    {
      level: LEVEL_CLUSTER,
      fields: { ...PARTITION, leader: aLeader },
      optional: REASSIGNMENT,
      together: refusePartition,
    },
  ],
  "partition-change": [{
    level: LEVEL_CLUSTER,
    fields: { ...PARTITION_KEY, bumpsLeaderEpoch: aBoolean },
    optional: { isr: someBrokerIds, leader: aLeader, replicas: someBrokerIds, ...REASSIGNMENT },
    together: refusePartition,
  }],
  "config": [
    { level: LEVEL_ALONE, fields: { ...CONFIG, resourceType: oneOf("topic") } },
    { level: LEVEL_CLUSTER, fields: { ...CONFIG, resourceType: oneOf("topic", "broker") } },
    { level: LEVEL_GROUPS, fields: { ...CONFIG, resourceType: oneOf("topic", "broker", "group") } },
  ],
  "remove-topic": [{ level: LEVEL_ALONE, fields: { topicId: aUuid } }],
  "register-broker": [
    { level: LEVEL_ALONE, fields: { ...BROKER, host: aName, port: aPort } },
    {
      level: LEVEL_CLUSTER,
      fields: {
        ...BROKER,
        listeners: someListeners,
        features: listOf(FEATURE, "features with a name, minVersion and maxVersion"),
        directoryIds: listOf(aUuid, "uuids"),
        isFenced: aBoolean,
      },
      optional: { isInControlledShutdown: aBoolean, brokerEpoch: aSafeCount },
    },
  ],
  "broker-change": [{
    level: LEVEL_CLUSTER,
    fields: { brokerId: aCount, brokerEpoch: aSafeCount },
    optional: { isFenced: aBoolean, isInControlledShutdown: aBoolean },
  }],
  "unregister-broker": [{
    level: LEVEL_CLUSTER,
    fields: { brokerId: aCount, brokerEpoch: aSafeCount },
  }],
  // The record that leads from one level to the next must itself be of the lower one.
  "feature-level": [{
    level: LEVEL_ALONE,
    fields: { name: aName, level: aCount },
    together: ({ name, level }: FeatureLevelRecord) => refuseLevel(name, level),
  }],
  "producer-ids": [{
    level: LEVEL_ALONE,
    fields: { brokerId: aCount, nextProducerId: aSafeCount },
  }],
  "no-op": [{ level: LEVEL_CLUSTER, fields: {} }],
};

/** The level of `metadata.version` from which a record of this form may be written. */
export function levelOf({ kind, version }: MetadataRecord): number {
  return (FORMS[kind][version] as Form).level;
}

/** The record in a decoded value, or the reason why it is none that this version knows. */
export function asMetadataRecord(value: unknown): MetadataRecord | string {
  if (typeof value !== "object" || value === null) return "a metadata record is not an object";
  const record = value as Readonly<Record<string, unknown>>;
  const { kind, version } = record as { readonly kind?: unknown; readonly version?: unknown };
  if (typeof kind !== "string" || !Object.hasOwn(FORMS, kind)) {
    return `metadata record of unknown kind ${String(kind)}`;
  }
  const form = FORMS[kind as RecordKind][version as number];
  if (typeof version !== "number" || form === undefined) {
    return `metadata record ${kind} of unknown version ${String(version)}`;
  }
  for (const name in form.fields) {
    const wanted = (form.fields[name] as FieldCheck)(record[name]);
    if (wanted !== undefined) return badField(record, name, wanted);
  }
  for (const name in form.optional) {
    if (record[name] === undefined) continue;
    const wanted = (form.optional[name] as FieldCheck)(record[name]);
    if (wanted !== undefined) return badField(record, name, wanted);
  }
  const reason = form.together?.(record as never);
  return reason === undefined
    ? record as unknown as MetadataRecord
    : `metadata record ${kind} version ${version}: ${reason}`;
}

function badField(
  record: Readonly<Record<string, unknown>>,
  name: string,
  wanted: string,
): string {
  const { kind, version } = record as { readonly kind?: unknown; readonly version?: unknown };
  return `metadata record ${String(kind)} version ${String(version)}: ${name} is not ${wanted}`;
}

/** A topic has a folder of this name: one that leads elsewhere must not come this far. */
function aTopicName(value: unknown): string | undefined {
  const isName = typeof value === "string" && refuseTopicName(value) === undefined;
  return isName ? undefined : "a name that a topic may have";
}

function oneOf(...values: readonly string[]): FieldCheck {
  return (value) => values.includes(value as string) ? undefined : values.join(" or ");
}

function someListeners(value: unknown): string | undefined {
  const words = "listeners with a name, host and port";
  return listOf(LISTENER, words)(value) ??
    ((value as readonly unknown[]).length > 0 ? undefined : `a list of ${words}, at least one`);
}

/** Of a partition, or of what changes of one: what is left out is not looked at. */
function refusePartition(
  { replicas, isr, leader, addingReplicas, removingReplicas }: Partial<PartitionRecord>,
): string | undefined {
  const isOutside = (ids: readonly number[] | undefined): boolean =>
    ids !== undefined && replicas !== undefined && !ids.every((id) => replicas.includes(id));
  if (isOutside(isr)) return "isr has brokers that replicas has not";
  if (isOutside(addingReplicas)) return "addingReplicas has brokers that replicas has not";
  if (isOutside(removingReplicas)) return "removingReplicas has brokers that replicas has not";
  if (leader === undefined || leader === -1 || isr === undefined) return undefined;
  return isr.includes(leader) ? undefined : `the leader ${leader} is not in the isr`;
}
