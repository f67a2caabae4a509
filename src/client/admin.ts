/**
 * Questions and orders about the cluster: topics, settings, brokers, offsets.
 *
 * What is asked about several things is answered thing by thing (`error` in each result); only what
 * concerns the whole call is thrown, as a `ClientError`. Questions are asked again where that may
 * help; orders where the broker said that it did nothing, and those that come to the same however often
 * they are given. A create whose answer was lost is not: who asks looks what became of it.
 */
import { describeCluster } from "../api/describe_cluster.ts";
import { describeConfigs } from "../api/describe_configs.ts";
import { ErrorCode } from "../api/error_code.ts";
import { incrementalAlterConfigs } from "../api/incremental_alter_configs.ts";
import type {
  AlteredConfigs,
  ClusterDescription,
  ConfigChange,
  ConfigChanges,
  ConfigResult,
  CreatedPartitions,
  CreatedTopic,
  DeletedRecords,
  DeletedTopic,
  DescribeConfigsOptions,
  DescribedTopic,
  ElectedLeader,
  ElectionType,
  FeaturesDescription,
  FeatureUpdate,
  ListedOffset,
  MorePartitions,
  NewTopic,
  NewVoter,
  OffsetSpec,
  QuorumDescription,
  QuorumVoter,
  TopicPartitions,
  UpdatedFeature,
} from "./admin_results.ts";
import { ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import {
  changeFeatures,
  dropVoter,
  featuresOf,
  forgetBroker,
  quorumOf,
  takeInVoter,
} from "./cluster_calls.ts";
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
import { GroupAdmin } from "./group_admin.ts";
import { listOffsetsOf, type ListOffsetsOptions } from "./list_offsets_call.ts";
import type { TopicMetadata } from "./metadata_cache.ts";
import { askRetrying, giveOrder } from "./orders.ts";
import { chooseLeaders, makePartitions, makeTopics, removeTopics } from "./topics_call.ts";

export class Admin {
  /** All about consumer groups. */
  readonly groups: GroupAdmin;
  readonly #tools: ClientTools;

  constructor(tools: ClientTools) {
    this.#tools = tools;
    this.groups = new GroupAdmin(tools);
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
    return await makeTopics(this.#tools, topics, options.validateOnly ?? false);
  }

  async deleteTopics(names: readonly string[]): Promise<readonly DeletedTopic[]> {
    if (names.length === 0) return [];
    return await removeTopics(this.#tools, names);
  }

  /** Gives topics more partitions; there is no way back. */
  async createPartitions(
    topics: readonly MorePartitions[],
    options: { readonly validateOnly?: boolean } = {},
  ): Promise<readonly CreatedPartitions[]> {
    if (topics.length === 0) return [];
    return await makePartitions(this.#tools, topics, options.validateOnly ?? false);
  }

  /**
   * Has leaders chosen anew, of these partitions or (null) of all; of all only those are told of that
   * needed it. One that needs none has the error ELECTION_NOT_NEEDED.
   */
  async electLeaders(
    topics: readonly TopicPartitions[] | null,
    options: { readonly type?: ElectionType } = {},
  ): Promise<readonly ElectedLeader[]> {
    if (topics !== null && topics.length === 0) return [];
    return await chooseLeaders(this.#tools, topics, options.type ?? "preferred");
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
    const answer = await giveOrder(this.#tools, {
      api: incrementalAlterConfigs,
      body: alterRequest(RESOURCE_TOPIC, topics, options.validateOnly ?? false),
      errorCodes: (response) => response.responses.map(({ errorCode }) => errorCode),
      isIdempotent: true,
    });
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

  /** Brokers that are alive; with `includesFenced` also those of which nothing is heard, where it is told. */
  async describeCluster(
    options: { readonly includesFenced?: boolean } = {},
  ): Promise<ClusterDescription> {
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
        includeFencedBrokers: options.includesFenced ?? false,
      });
      if (answer.errorCode !== ErrorCode.None) {
        throw errorOfCode(answer.errorCode, "Cannot describe cluster", answer.errorMessage);
      }
      const { clusterId, controllerId, brokers } = answer;
      return { clusterId, controllerId, brokers };
    });
  }

  /** Who leads the metadata log, who votes on it, and how far they all are. */
  async describeQuorum(): Promise<QuorumDescription> {
    return await quorumOf(this.#tools);
  }

  /** Features that a broker understands (any, or the one that is named) and the levels in force. */
  async describeFeatures(options: { readonly brokerId?: number } = {}): Promise<
    FeaturesDescription
  > {
    const { pool, metadata } = this.#tools;
    const { brokerId } = options;
    if (brokerId === undefined) return await featuresOf(this.#tools, () => pool.any());
    await this.#retrying(() => metadata.cluster({ isCached: true }));
    return await featuresOf(this.#tools, () => pool.broker(brokerId));
  }

  /** Sets levels of features for the whole cluster. */
  async updateFeatures(
    updates: readonly FeatureUpdate[],
    options: { readonly validateOnly?: boolean } = {},
  ): Promise<readonly UpdatedFeature[]> {
    if (updates.length === 0) return [];
    return await changeFeatures(this.#tools, updates, options.validateOnly ?? false);
  }

  /** Forgets a broker that will not come back; one that is alive would register again. */
  async unregisterBroker(brokerId: number): Promise<void> {
    await forgetBroker(this.#tools, brokerId);
  }

  /** Gives a controller that runs already a vote in the metadata quorum. */
  async addVoter(voter: NewVoter): Promise<void> {
    await takeInVoter(this.#tools, voter);
  }

  async removeVoter(voter: QuorumVoter): Promise<void> {
    await dropVoter(this.#tools, voter);
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

  #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    return askRetrying(this.#tools, attempt);
  }
}
