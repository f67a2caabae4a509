/**
 * The cluster as its metadata log tells it: brokers, topics, partitions, settings, features, producer
 * ids.
 *
 * `replay` is the only function that changes it, live and at start, so a restart is a rehearsed path.
 * Decisions (`decide/`) read it and return records. What it tells is never changed in place: a
 * partition or a broker that was handed out stays what it was. Whether a record fits to what is here is
 * asked before it is replayed (`record_fit.ts`).
 *
 * Not here: who was heard of when (`broker_contacts.ts`), how it becomes records again (`snapshot.ts`).
 */
import { assert, unreachable } from "../ground/assert.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import type { Uuid } from "../ground/uuid.ts";
import { type BrokerImage, brokerOf, changedBroker } from "./broker_image.ts";
import { featureOf, METADATA_VERSION } from "./feature.ts";
import { changedPartition, type PartitionImage, partitionOf } from "./partition_image.ts";
import type {
  BrokerChangeRecord,
  ConfigRecord,
  FeatureLevelRecord,
  MetadataRecord,
  PartitionChangeRecord,
  PartitionRecord,
  RegisterBrokerRecord,
  RemoveTopicRecord,
  TopicRecord,
  UnregisterBrokerRecord,
} from "./record.ts";
import { unifiedName } from "./topic_name.ts";

export type { BrokerImage } from "./broker_image.ts";
export type { PartitionImage } from "./partition_image.ts";

export interface TopicImage {
  readonly name: string;
  readonly topicId: Uuid;
  /** By partition id, without holes. */
  readonly partitions: readonly PartitionImage[];
  readonly config: ReadonlyMap<string, string>;
}

interface OpenTopic extends TopicImage {
  readonly partitions: PartitionImage[];
  readonly config: Map<string, string>;
}

/** Ids of removed topics that are kept; what is left of older ones is no more known to be theirs. */
export const REMOVED_TOPICS_MAX = 10_000;

const NO_CONFIG: ReadonlyMap<string, string> = new Map();

export class ClusterImage {
  readonly #topics = new Map<string, OpenTopic>();
  readonly #names = new Map<Uuid, string>();
  readonly #brokers = new Map<number, BrokerImage>();
  /** In the order of their ids; made anew when it is asked for after a change. */
  #brokersInOrder: readonly BrokerImage[] | undefined;
  readonly #brokerConfigs = new Map<string, Map<string, string>>();
  readonly #groupConfigs = new Map<string, Map<string, string>>();
  readonly #features = new Map<string, number>();
  readonly #removed = new Set<Uuid>();
  /** Names as they collide, to the topic that has them. */
  readonly #unified = new Map<string, string>();
  #nextProducerId = 0;
  #nextOffset = toOffset(0);

  /** Offset behind the last record that is in the image. */
  get nextOffset(): Offset {
    return this.#nextOffset;
  }

  get nextProducerId(): number {
    return this.#nextProducerId;
  }

  topic(name: string): TopicImage | undefined {
    return this.#topics.get(name);
  }

  topicById(topicId: Uuid): TopicImage | undefined {
    const name = this.#names.get(topicId);
    return name === undefined ? undefined : this.#topics.get(name);
  }

  partition(topicId: Uuid, partitionId: number): PartitionImage | undefined {
    return this.topicById(topicId)?.partitions[partitionId];
  }

  /** A topic whose metrics would have the same name (see `unifiedName`). */
  collidingWith(name: string): string | undefined {
    const other = this.#unified.get(unifiedName(name));
    return other === name ? undefined : other;
  }

  /** Whether a committed record removed the topic: only then may what is left of it go. */
  wasRemoved(topicId: Uuid): boolean {
    return this.#removed.has(topicId);
  }

  /** Those that are still known, the oldest first. */
  removedTopics(): Iterable<Uuid> {
    return this.#removed;
  }

  /** In the order of their creation. */
  topics(): Iterable<TopicImage> {
    return this.#topics.values();
  }

  /** All that are registered, fenced ones too, in the order of their ids. */
  brokers(): readonly BrokerImage[] {
    this.#brokersInOrder ??= [...this.#brokers.values()]
      .sort((one, other) => one.brokerId - other.brokerId);
    return this.#brokersInOrder;
  }

  broker(brokerId: number): BrokerImage | undefined {
    return this.#brokers.get(brokerId);
  }

  /** Whether the broker is registered and not fenced: clients are told of it. */
  isUnfenced(brokerId: number): boolean {
    return this.#brokers.get(brokerId)?.isFenced === false;
  }

  /** Whether the broker may be made a leader or join an ISR (kafka: ClusterControlManager.isActive). */
  isActive(brokerId: number): boolean {
    const broker = this.#brokers.get(brokerId);
    return broker !== undefined && !broker.isFenced && !broker.isInControlledShutdown;
  }

  /** Settings of one broker, or of all of them by the name "". */
  brokerConfig(resourceName: string): ReadonlyMap<string, string> {
    return this.#brokerConfigs.get(resourceName) ?? NO_CONFIG;
  }

  /** Every broker, by its id as text, that has settings of its own here. */
  brokerConfigs(): Iterable<readonly [string, ReadonlyMap<string, string>]> {
    return this.#brokerConfigs;
  }

  /** Settings of one group (config resource GROUP), whether or not there is such a group. */
  groupConfig(groupId: string): ReadonlyMap<string, string> {
    return this.#groupConfigs.get(groupId) ?? NO_CONFIG;
  }

  /** Every group, by its id, that has settings of its own. */
  groupConfigs(): Iterable<readonly [string, ReadonlyMap<string, string>]> {
    return this.#groupConfigs;
  }

  /** What was decided, by the feature's name. */
  featureLevels(): ReadonlyMap<string, number> {
    return this.#features;
  }

  /** The level in force; 0 = without the feature. */
  featureLevel(name: string): number {
    return this.#features.get(name) ?? featureOf(name)?.levelAtFirst ?? 0;
  }

  /** Decides which forms of records may be written. */
  metadataVersion(): number {
    return this.featureLevel(METADATA_VERSION);
  }

  /** The image that a snapshot tells of, in place of all that was in this one. */
  replaceWith(records: Iterable<MetadataRecord>, nextOffset: Offset): void {
    this.#topics.clear();
    this.#names.clear();
    this.#brokers.clear();
    this.#brokersInOrder = undefined;
    this.#brokerConfigs.clear();
    this.#groupConfigs.clear();
    this.#features.clear();
    this.#removed.clear();
    this.#unified.clear();
    this.#nextProducerId = 0;
    for (const record of records) this.replay(toOffset(0), record);
    this.#nextOffset = nextOffset;
  }

  /** Applies one record. A record about what is not there does nothing: its topic was removed. */
  replay(offset: Offset, record: MetadataRecord): void {
    this.#nextOffset = toOffset(offset + 1);
    switch (record.kind) {
      case "topic":
        return this.#onTopic(record);
      case "partition":
        return this.#onPartition(record);
      case "partition-change":
        return this.#onPartitionChange(record);
      case "config":
        return this.#onConfig(record);
      case "remove-topic":
        return this.#onRemoveTopic(record);
      case "register-broker":
        return this.#onRegisterBroker(offset, record);
      case "broker-change":
        return this.#onBrokerChange(record);
      case "unregister-broker":
        return this.#onUnregisterBroker(record);
      case "feature-level":
        return this.#onFeatureLevel(record);
      case "producer-ids":
        this.#nextProducerId = Math.max(this.#nextProducerId, record.nextProducerId);
        return;
      case "no-op":
        return;
      default:
        unreachable(record);
    }
  }

  #onTopic({ name, topicId }: TopicRecord): void {
    this.#topics.set(name, { name, topicId, partitions: [], config: new Map() });
    this.#names.set(topicId, name);
    this.#unified.set(unifiedName(name), name);
  }

  #onPartition(record: PartitionRecord): void {
    const topic = this.#openTopic(record.topicId);
    if (topic === undefined) return;
    assert(record.partitionId <= topic.partitions.length, "partitions have no holes");
    topic.partitions[record.partitionId] = partitionOf(topic.topicId, record);
  }

  #onPartitionChange(record: PartitionChangeRecord): void {
    const partitions = this.#openTopic(record.topicId)?.partitions;
    const before = partitions?.[record.partitionId];
    if (partitions === undefined || before === undefined) return;
    partitions[record.partitionId] = changedPartition(before, record);
  }

  #openTopic(topicId: Uuid): OpenTopic | undefined {
    const name = this.#names.get(topicId);
    return name === undefined ? undefined : this.#topics.get(name);
  }

  #onConfig({ resourceType, resourceName, name, value }: ConfigRecord): void {
    if (resourceType === "topic") return set(this.#topics.get(resourceName)?.config, name, value);
    const configs = resourceType === "group" ? this.#groupConfigs : this.#brokerConfigs;
    const config = configs.get(resourceName) ?? new Map<string, string>();
    set(config, name, value);
    if (config.size > 0) configs.set(resourceName, config);
    else configs.delete(resourceName);
  }

  #onRemoveTopic({ topicId }: RemoveTopicRecord): void {
    this.#removed.add(topicId);
    if (this.#removed.size > REMOVED_TOPICS_MAX) {
      const [oldest] = this.#removed;
      this.#removed.delete(oldest as Uuid);
    }
    const name = this.#names.get(topicId);
    this.#names.delete(topicId);
    if (name === undefined || this.#topics.get(name)?.topicId !== topicId) return;
    this.#topics.delete(name);
    const unified = unifiedName(name);
    if (this.#unified.get(unified) === name) this.#unified.delete(unified);
  }

  #onRegisterBroker(offset: Offset, record: RegisterBrokerRecord): void {
    this.#brokersInOrder = undefined;
    this.#brokers.set(record.brokerId, brokerOf(offset, record));
  }

  #onBrokerChange(record: BrokerChangeRecord): void {
    const before = this.#brokers.get(record.brokerId);
    if (before?.brokerEpoch !== record.brokerEpoch) return;
    this.#brokersInOrder = undefined;
    this.#brokers.set(record.brokerId, changedBroker(before, record));
  }

  #onUnregisterBroker({ brokerId, brokerEpoch }: UnregisterBrokerRecord): void {
    if (this.#brokers.get(brokerId)?.brokerEpoch !== brokerEpoch) return;
    this.#brokersInOrder = undefined;
    this.#brokers.delete(brokerId);
  }

  #onFeatureLevel({ name, level }: FeatureLevelRecord): void {
    if (level === 0) this.#features.delete(name);
    else this.#features.set(name, level);
  }
}

function set(config: Map<string, string> | undefined, name: string, value: string | null): void {
  if (value === null) config?.delete(name);
  else config?.set(name, value);
}
