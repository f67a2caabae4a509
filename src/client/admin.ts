/**
 * Questions and orders about the cluster: topics, settings, brokers, offsets.
 *
 * What is asked about several things is answered thing by thing (`error` in each result); only what
 * concerns the whole call is thrown, as a `ClientError`. Questions are asked again where that may
 * help; orders (create, delete) only where the broker said that it did nothing.
 */
import { createTopics } from "../api/create_topics.ts";
import { deleteTopics } from "../api/delete_topics.ts";
import { describeCluster } from "../api/describe_cluster.ts";
import { describeConfigs } from "../api/describe_configs.ts";
import { ErrorCode } from "../api/error_code.ts";
import { incrementalAlterConfigs } from "../api/incremental_alter_configs.ts";
import type { Api, RequestInput, ResponseOf } from "../api/schema.ts";
import { ZERO_UUID } from "../ground/uuid.ts";
import type {
  AlteredConfigs,
  ClusterDescription,
  ConfigChange,
  ConfigChanges,
  ConfigResult,
  CreatedTopic,
  DeletedRecords,
  DeletedTopic,
  DescribeConfigsOptions,
  DescribedTopic,
  ListedOffset,
  NewTopic,
  OffsetSpec,
} from "./admin_results.ts";
import { ClientError, errorOfCode, errorOfResult } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import {
  alteredConfigs,
  alterRequest,
  describedConfigs,
  describeRequest,
  RESOURCE_BROKER,
  RESOURCE_TOPIC,
} from "./configs_call.ts";
import type { Connection } from "./connection.ts";
import { deleteRecordsOf } from "./delete_records_call.ts";
import { listOffsetsOf, type ListOffsetsOptions } from "./list_offsets_call.ts";
import type { TopicMetadata } from "./metadata_cache.ts";
import { retrying } from "./retry.ts";

export class Admin {
  readonly #tools: ClientTools;

  constructor(tools: ClientTools) {
    this.#tools = tools;
  }

  /** All topics, in the order of their names; internal ones too. */
  async listTopics(): Promise<readonly TopicMetadata[]> {
    const topics = await this.#retrying(() => this.#tools.metadata.topics(null));
    return [...topics.values()].filter((topic): topic is TopicMetadata =>
      !(topic instanceof ClientError)
    )
      .sort((left, right) => left.name < right.name ? -1 : 1);
  }

  /** Topics by name, in the order asked for; never creates one. */
  async describeTopics(
    names: readonly string[],
  ): Promise<readonly DescribedTopic[]> {
    if (names.length === 0) return [];
    const topics = await this.#retrying(() => this.#tools.metadata.topics(names));
    return names.map((name) => {
      const topic = topics.get(name) ??
        errorOfCode(ErrorCode.UnknownTopicOrPartition, `Cannot find topic ${name}`);
      return topic instanceof ClientError ? { name, error: topic } : { name, topic };
    });
  }

  /** Creates topics; with `validateOnly` only tells whether it would. */
  async createTopics(
    topics: readonly NewTopic[],
    options: { readonly validateOnly?: boolean } = {},
  ): Promise<readonly CreatedTopic[]> {
    if (topics.length === 0) return [];
    const answer = await this.#order(createTopics, {
      topics: topics.map(({ name, partitions, replicationFactor, configs }) => ({
        name,
        numPartitions: partitions ?? -1,
        replicationFactor: replicationFactor ?? -1,
        assignments: [],
        configs: Object.entries(configs ?? {}).map(([name, value]) => ({ name, value })),
      })),
      timeoutMs: this.#tools.requestTimeoutMs,
      validateOnly: options.validateOnly ?? false,
    }, (response) => response.topics.map(({ errorCode }) => errorCode));
    const results = new Map(answer.topics.map((topic) => [topic.name, topic]));
    return topics.map(({ name }) => {
      const result = results.get(name);
      const error = errorOfResult(result, `Cannot create topic ${name}`);
      return {
        name,
        ...error,
        topicId: result?.topicId ?? ZERO_UUID,
        partitions: result?.numPartitions ?? -1,
        replicationFactor: result?.replicationFactor ?? -1,
      };
    });
  }

  async deleteTopics(names: readonly string[]): Promise<readonly DeletedTopic[]> {
    if (names.length === 0) return [];
    const answer = await this.#order(deleteTopics, {
      topics: names.map((name) => ({ name, topicId: ZERO_UUID })),
      topicNames: names,
      timeoutMs: this.#tools.requestTimeoutMs,
    }, (response) => response.responses.map(({ errorCode }) => errorCode));
    const results = new Map(answer.responses.map((topic) => [topic.name, topic]));
    for (const name of names) this.#tools.metadata.forget(name);
    return names.map((name) => ({
      name,
      ...errorOfResult(results.get(name), `Cannot delete topic ${name}`),
    }));
  }

  /** All settings of topics, in the order of their names. */
  describeConfigs(
    topics: readonly string[],
    options: DescribeConfigsOptions = {},
  ): Promise<readonly ConfigResult[]> {
    return this.#configs({ type: RESOURCE_TOPIC, names: topics }, options, () => {
      return this.#tools.pool.any();
    });
  }

  /** All settings of a broker, which only it can tell. */
  async describeBrokerConfigs(
    brokerId: number,
    options: DescribeConfigsOptions = {},
  ): Promise<ConfigResult> {
    await this.#retrying(() => this.#tools.metadata.cluster({ isCached: true }));
    const resources = { type: RESOURCE_BROKER, names: [String(brokerId)] };
    const ask = (): Promise<Connection> => this.#tools.pool.broker(brokerId);
    return (await this.#configs(resources, options, ask))[0] as ConfigResult;
  }

  /** What was set for all brokers at once, and not in their files. */
  async describeClusterConfigs(options: DescribeConfigsOptions = {}): Promise<ConfigResult> {
    const resources = { type: RESOURCE_BROKER, names: [""] };
    const ask = (): Promise<Connection> => this.#tools.pool.any();
    return (await this.#configs(resources, options, ask))[0] as ConfigResult;
  }

  /**
   * Changes settings of topics, and leaves those that are not named as they are; with `validateOnly`
   * only tells whether it would.
   */
  async alterTopicConfigs(
    topics: readonly ConfigChanges[],
    options: { readonly validateOnly?: boolean } = {},
  ): Promise<readonly AlteredConfigs[]> {
    if (topics.length === 0) return [];
    const answer = await this.#order(
      incrementalAlterConfigs,
      alterRequest(RESOURCE_TOPIC, topics, options.validateOnly ?? false),
      (response) => response.responses.map(({ errorCode }) => errorCode),
    );
    return alteredConfigs(answer, "topic", topics);
  }

  /** The same for a broker; one that has all its settings from its file answers with an error. */
  async alterBrokerConfigs(
    brokerId: number,
    changes: readonly ConfigChange[],
    options: { readonly validateOnly?: boolean } = {},
  ): Promise<AlteredConfigs> {
    await this.#retrying(() => this.#tools.metadata.cluster({ isCached: true }));
    const brokers = [{ name: String(brokerId), changes }];
    const connection = await this.#tools.pool.broker(brokerId);
    const answer = await connection.request(
      incrementalAlterConfigs,
      alterRequest(RESOURCE_BROKER, brokers, options.validateOnly ?? false),
    );
    return alteredConfigs(answer, "broker", brokers)[0] as AlteredConfigs;
  }

  async describeCluster(): Promise<ClusterDescription> {
    return await this.#retrying(async () => {
      const connection = await this.#tools.pool.any();
      if (connection.versionOf(describeCluster) === undefined) {
        const { clusterId, controllerId, brokers } = await this.#tools.metadata.cluster();
        return {
          clusterId: clusterId ?? "",
          controllerId,
          brokers: brokers.map((broker) => ({ ...broker, isFenced: false })),
        };
      }
      const answer = await connection.request(describeCluster, {
        includeClusterAuthorizedOperations: false,
      });
      if (answer.errorCode !== ErrorCode.None) {
        throw errorOfCode(answer.errorCode, "Cannot describe cluster", answer.errorMessage);
      }
      const { clusterId, controllerId, brokers } = answer;
      return { clusterId, controllerId, brokers };
    });
  }

  /** One offset per partition: all partitions of the topic, or those asked for. */
  async listOffsets(
    topic: string,
    spec: OffsetSpec,
    options: ListOffsetsOptions = {},
  ): Promise<readonly ListedOffset[]> {
    return await listOffsetsOf(this.#tools, topic, spec, options);
  }

  /**
   * Moves the start of partitions forward: `offsets` by partition, the first that stays. Records below
   * are gone for good. An offset below the start changes nothing; -1 means the end at the moment at
   * which the broker is asked, which may be more than once.
   */
  async deleteRecords(
    topic: string,
    offsets: ReadonlyMap<number, number>,
  ): Promise<readonly DeletedRecords[]> {
    if (offsets.size === 0) return [];
    return await deleteRecordsOf(this.#tools, topic, offsets);
  }

  async #configs(
    { type, names }: { readonly type: number; readonly names: readonly string[] },
    { isDetailed = false }: DescribeConfigsOptions,
    dial: () => Promise<Connection>,
  ): Promise<readonly ConfigResult[]> {
    if (names.length === 0) return [];
    const body = describeRequest(type, names, isDetailed);
    const answer = await this.#retrying(async () =>
      await (await dial()).request(describeConfigs, body)
    );
    return describedConfigs(answer, names);
  }

  /** Orders go to the controller where it is known; any broker of a newer Kafka passes them on. */
  async #order<A extends Api>(
    api: A,
    body: RequestInput<A>,
    errorCodes: (response: ResponseOf<A>) => readonly number[],
  ): Promise<ResponseOf<A>> {
    const { pool, metadata } = this.#tools;
    let isCached = true;
    const order = async (): Promise<ResponseOf<A>> => {
      const { controllerId } = await metadata.cluster({ isCached });
      const connection = await (pool.knows(controllerId) ? pool.broker(controllerId) : pool.any());
      // A broken connection is not tried again from here on: the order may have been carried out.
      const response = await connection.request(api, body).catch((error: ClientError) => {
        throw new ClientError(error.code, error.message, { cause: error });
      });
      if (errorCodes(response).includes(ErrorCode.NotController)) {
        isCached = false;
        throw errorOfCode(ErrorCode.NotController, `Cannot ask ${api.name}`);
      }
      return response;
    };
    return await this.#retrying(order);
  }

  #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    const { env, requestTimeoutMs, signal } = this.#tools;
    return retrying(env, { timeoutMs: requestTimeoutMs, signal }, attempt);
  }
}
