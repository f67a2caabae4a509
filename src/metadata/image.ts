/**
 * The cluster as its metadata log tells it: brokers, topics, partitions, configs, producer ids.
 *
 * `replay` is the only function that changes it, live and at start, so a restart is a rehearsed path.
 * Decisions (`decide/`) read it and return records.
 */
import { unreachable } from "../ground/assert.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import type { Uuid } from "../ground/uuid.ts";
import type {
  ConfigRecord,
  MetadataRecord,
  PartitionRecord,
  RegisterBrokerRecord,
  RemoveTopicRecord,
  TopicRecord,
} from "./record.ts";
import { unifiedName } from "./topic_name.ts";

export interface BrokerImage {
  readonly brokerId: number;
  readonly incarnationId: Uuid;
  /** Offset of the record that registered it: grows with every registration. */
  readonly brokerEpoch: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export type PartitionImage = Omit<PartitionRecord, "kind" | "version">;

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

export class ClusterImage {
  readonly #topics = new Map<string, OpenTopic>();
  readonly #names = new Map<Uuid, string>();
  readonly #brokers = new Map<number, BrokerImage>();
  #removed: Set<Uuid> | undefined = new Set();
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

  /** A topic whose metrics would have the same name (see `unifiedName`). */
  collidingWith(name: string): string | undefined {
    const other = this.#unified.get(unifiedName(name));
    return other === name ? undefined : other;
  }

  /** Whether a committed record removed the topic: only then may what is left of it go. */
  wasRemoved(topicId: Uuid): boolean {
    return this.#removed?.has(topicId) === true;
  }

  /** Folders have been looked at: from now on a removal is followed when it is replayed. */
  forgetRemoved(): void {
    this.#removed = undefined;
  }

  /** In the order of their creation. */
  topics(): Iterable<TopicImage> {
    return this.#topics.values();
  }

  /** In the order of their ids. */
  brokers(): readonly BrokerImage[] {
    return [...this.#brokers.values()].sort((one, other) => one.brokerId - other.brokerId);
  }

  broker(brokerId: number): BrokerImage | undefined {
    return this.#brokers.get(brokerId);
  }

  /** Applies one record. A record about what is not there does nothing: its topic was removed. */
  replay(offset: Offset, record: MetadataRecord): void {
    this.#nextOffset = toOffset(offset + 1);
    switch (record.kind) {
      case "topic":
        return this.#onTopic(record);
      case "partition":
        return this.#onPartition(record);
      case "config":
        return this.#onConfig(record);
      case "remove-topic":
        return this.#onRemoveTopic(record);
      case "register-broker":
        return this.#onRegisterBroker(offset, record);
      case "producer-ids":
        this.#nextProducerId = Math.max(this.#nextProducerId, record.nextProducerId);
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
    const { kind: _kind, version: _version, ...partition } = record;
    const name = this.#names.get(record.topicId);
    const topic = name === undefined ? undefined : this.#topics.get(name);
    if (topic !== undefined) topic.partitions[record.partitionId] = partition;
  }

  #onConfig({ resourceName, name, value }: ConfigRecord): void {
    const config = this.#topics.get(resourceName)?.config;
    if (value === null) config?.delete(name);
    else config?.set(name, value);
  }

  #onRemoveTopic({ topicId }: RemoveTopicRecord): void {
    const name = this.#names.get(topicId);
    this.#removed?.add(topicId);
    this.#names.delete(topicId);
    if (name !== undefined && this.#topics.get(name)?.topicId === topicId) {
      this.#topics.delete(name);
    }
  }

  #onRegisterBroker(offset: Offset, record: RegisterBrokerRecord): void {
    const { kind: _kind, version: _version, ...broker } = record;
    this.#brokers.set(record.brokerId, { ...broker, brokerEpoch: offset });
  }
}
