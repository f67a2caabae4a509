/**
 * What the client knows of the cluster: where the brokers are, and who leads which partition.
 *
 * Knowledge is fetched topic by topic when it is first needed, again when an answer shows that it is
 * wrong (`refresh`), and in the background when it is five minutes old. One question per topic is
 * under way at a time. Answers may carry a hint at the new leader (KIP-951), which is taken over where
 * its leader epoch is newer; an answer with an older leader epoch than the one known never replaces
 * it, unless the topic has been created anew under its name (another topic id).
 */
import { ErrorCode } from "../api/error_code.ts";
import { metadata } from "../api/metadata.ts";
import type { ResponseOf } from "../api/schema.ts";
import type { Env } from "../env/env.ts";
import type { Address } from "../env/network.ts";
import type { Uuid } from "../ground/uuid.ts";
import { type ClientError, errorOfCode } from "./client_error.ts";
import type { ConnectionPool } from "./connection_pool.ts";
import { retrying, unlessAborted } from "./retry.ts";

const TTL_MS = 5 * 60_000; // Kafka's metadata.max.age.ms
/** A topic that was just created may not be known everywhere: how long "unknown" is not believed. */
const UNKNOWN_GRACE_MS = 200;
/** Kafka answers "unknown" also to the question that makes it create the topic. */
const CREATION_GRACE_MS = 3000;

export interface PartitionMetadata {
  readonly partition: number;
  /** -1 while there is none. */
  readonly leaderId: number;
  /** -1 where the broker does not tell. */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
}

export interface TopicMetadata {
  readonly name: string;
  /** All zero where the broker has no topic ids. */
  readonly topicId: Uuid;
  readonly isInternal: boolean;
  /** In the order of their numbers, without gaps. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface BrokerMetadata extends Address {
  readonly brokerId: number;
  readonly rack: string | null;
}

export interface ClusterMetadata {
  readonly clusterId: string | null;
  /** -1 where it is not known. */
  readonly controllerId: number;
  readonly brokers: readonly BrokerMetadata[];
}

export interface TopicLookup {
  /** Whether the broker may create the topic; false where left out. */
  readonly mayCreate?: boolean;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface MetadataCacheOptions {
  readonly pool: ConnectionPool;
  readonly env: Env;
  readonly requestTimeoutMs: number;
  readonly signal: AbortSignal;
}

interface Entry {
  topic: TopicMetadata;
  fetchedAtMs: number;
  mayCreate: boolean;
}

export class MetadataCache {
  readonly #options: MetadataCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #asking = new Map<string, Promise<TopicMetadata>>();
  #cluster: ClusterMetadata | undefined;

  constructor(options: MetadataCacheOptions) {
    this.#options = options;
  }

  /** What is known of a topic at this moment, without asking. */
  known(topic: string): TopicMetadata | undefined {
    return this.#entries.get(topic)?.topic;
  }

  /** The broker that leads a partition, as far as is known; -1 where it is not. */
  leaderOf(topic: string, partition: number): number {
    const entry = this.#entries.get(topic);
    if (entry === undefined) return -1;
    if (this.#options.env.clock.monotonicMs() - entry.fetchedAtMs > TTL_MS) {
      entry.fetchedAtMs += UNKNOWN_GRACE_MS * 10; // one refresh at a time, and not in a loop
      this.refresh(topic).catch(() => undefined); // what is known goes on being used
    }
    return entry.topic.partitions[partition]?.leaderId ?? -1;
  }

  /** A topic, asked for where it is not known. Throws a `ClientError`. */
  async topic(name: string, lookup: TopicLookup = {}): Promise<TopicMetadata> {
    const known = this.known(name);
    if (known !== undefined) return known;
    const { env, requestTimeoutMs } = this.#options;
    const signal = lookup.signal ?? this.#options.signal;
    const mayCreate = lookup.mayCreate === true;
    const graceEndMs = env.clock.monotonicMs() +
      (mayCreate ? CREATION_GRACE_MS : UNKNOWN_GRACE_MS);
    return await retrying(env, {
      timeoutMs: lookup.timeoutMs ?? requestTimeoutMs,
      signal,
      isRetriable: (error) =>
        error.code === "UNKNOWN_TOPIC_OR_PARTITION"
          ? env.clock.monotonicMs() < graceEndMs
          : error.retriable,
    }, () => unlessAborted(this.#ask(name, mayCreate), signal, `Cannot find topic ${name}`));
  }

  /** Asks again about a topic that is known; one question at a time. Throws a `ClientError`. */
  refresh(topic: string): Promise<TopicMetadata> {
    return this.#ask(topic, this.#entries.get(topic)?.mayCreate ?? false);
  }

  /** Forgets a topic: it was deleted, or is to be looked up anew. */
  forget(topic: string): void {
    this.#entries.delete(topic);
  }

  /** Takes over a hint at the leader of a partition, where it is newer than what is known. */
  learnLeader(topic: string, partition: number, leaderId: number, leaderEpoch: number): boolean {
    const entry = this.#entries.get(topic);
    const known = entry?.topic.partitions[partition];
    if (entry === undefined || known === undefined) return false;
    if (leaderId < 0 || leaderEpoch <= known.leaderEpoch) return false;
    if (!this.#options.pool.knows(leaderId)) return false;
    const partitions = entry.topic.partitions.slice();
    partitions[partition] = { ...known, leaderId, leaderEpoch };
    entry.topic = { ...entry.topic, partitions };
    return true;
  }

  /** The cluster: asked for unless `isCached` is enough. Throws a `ClientError`. */
  async cluster(options: { readonly isCached?: boolean } = {}): Promise<ClusterMetadata> {
    if (options.isCached === true && this.#cluster !== undefined) return this.#cluster;
    await this.topics([]);
    return this.#cluster as ClusterMetadata;
  }

  /**
   * Asks about topics at once; null = all. Gives per topic what it is or why not, in the broker's
   * order, and keeps what it learns. Throws a `ClientError` where no broker answers.
   */
  async topics(
    names: readonly string[] | null,
    mayCreate = false,
  ): Promise<ReadonlyMap<string, TopicMetadata | ClientError>> {
    const connection = await this.#options.pool.any();
    const response = await connection.request(metadata, {
      topics: names === null ? null : names.map((name) => ({ name })),
      allowAutoTopicCreation: mayCreate,
    }, { signal: this.#options.signal });
    if (response.errorCode !== ErrorCode.None) {
      throw errorOfCode(response.errorCode, "Cannot fetch metadata");
    }
    this.#learnCluster(response);
    const results = new Map<string, TopicMetadata | ClientError>();
    for (const topic of response.topics) {
      const name = topic.name ?? "";
      if (topic.errorCode === ErrorCode.None) {
        results.set(name, this.#learnTopic(topic, mayCreate));
      } else {
        if (topic.errorCode === ErrorCode.UnknownTopicOrPartition) this.forget(name);
        results.set(name, errorOfCode(topic.errorCode, `Cannot find topic ${name}`));
      }
    }
    return results;
  }

  #ask(name: string, mayCreate: boolean): Promise<TopicMetadata> {
    const key = `${mayCreate} ${name}`;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#askOne(name, mayCreate).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return asking;
  }

  async #askOne(name: string, mayCreate: boolean): Promise<TopicMetadata> {
    const result = (await this.topics([name], mayCreate)).get(name);
    if (result === undefined) {
      throw errorOfCode(ErrorCode.UnknownTopicOrPartition, `Cannot find topic ${name}`);
    }
    if (result instanceof Error) throw result;
    if (result.partitions.length === 0) {
      throw errorOfCode(ErrorCode.LeaderNotAvailable, `Cannot find topic ${name}`);
    }
    return result;
  }

  #learnCluster(response: ResponseOf<typeof metadata>): void {
    const { pool } = this.#options;
    this.#cluster = {
      clusterId: response.clusterId,
      controllerId: response.controllerId,
      brokers: response.brokers.map(({ nodeId, host, port, rack }) => {
        return { brokerId: nodeId, host, port, rack };
      }),
    };
    if (response.brokers.length === 0) return; // a broker that starts up knows nobody yet
    pool.setBrokers(
      new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }])),
    );
  }

  #learnTopic(
    answer: ResponseOf<typeof metadata>["topics"][number],
    mayCreate: boolean,
  ): TopicMetadata {
    const name = answer.name ?? "";
    const entry = this.#entries.get(name);
    const before = entry?.topic.topicId === answer.topicId ? entry.topic : undefined;
    const partitions = answer.partitions.map((partition): PartitionMetadata => {
      const known = before?.partitions[partition.partitionIndex];
      const isOlder = known !== undefined && partition.leaderEpoch >= 0 &&
        partition.leaderEpoch < known.leaderEpoch;
      return {
        partition: partition.partitionIndex,
        leaderId: isOlder ? known.leaderId : partition.leaderId,
        leaderEpoch: isOlder ? known.leaderEpoch : partition.leaderEpoch,
        replicas: partition.replicaNodes,
        isr: partition.isrNodes,
        offlineReplicas: partition.offlineReplicas,
      };
    }).sort((left, right) => left.partition - right.partition);
    const { topicId, isInternal } = answer;
    const topic: TopicMetadata = { name, topicId, isInternal, partitions };
    const fetchedAtMs = this.#options.env.clock.monotonicMs();
    this.#entries.set(name, {
      topic,
      fetchedAtMs,
      mayCreate: mayCreate || entry?.mayCreate === true,
    });
    return topic;
  }
}
