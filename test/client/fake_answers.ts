/** What a scripted broker answers to each API, as Kafka would. Long: one function for each of them. */
import { apiVersions } from "../../src/api/api_versions.ts";
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteRecords } from "../../src/api/delete_records.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { describeCluster } from "../../src/api/describe_cluster.ts";
import { describeConfigs } from "../../src/api/describe_configs.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { fetch } from "../../src/api/fetch.ts";
import { incrementalAlterConfigs } from "../../src/api/incremental_alter_configs.ts";
import { initProducerId } from "../../src/api/init_producer_id.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import { metadata } from "../../src/api/metadata.ts";
import { produce } from "../../src/api/produce.ts";
import type { Api, RequestOf, ResponseInput } from "../../src/api/schema.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { sequenceAfter } from "../../src/record/format.ts";
import { answerGroups } from "./fake_group_answers.ts";
import { answerAlterConfigs, answerDescribeConfigs } from "./fake_config_answers.ts";
import type { FakeBroker } from "./fake_broker.ts";
import type { FakeCluster, FakePartition, FakeTopic } from "./fake_cluster.ts";

interface Asked {
  readonly api: Api;
  readonly body: unknown;
  readonly version: number;
}

/** The answer of `broker`; undefined where none is sent. */
export async function answerOf(
  cluster: FakeCluster,
  broker: FakeBroker,
  { api, body, version }: Asked,
): Promise<unknown> {
  switch (api) {
    case apiVersions:
      return { errorCode: 0, apiKeys: broker.apiKeys() } satisfies ResponseInput<
        typeof apiVersions
      >;
    case metadata:
      return answerMetadata(cluster, body as RequestOf<typeof metadata>);
    case produce:
      return answerProduce(cluster, broker, body as RequestOf<typeof produce>);
    case fetch:
      return await answerFetch(cluster, broker, body as RequestOf<typeof fetch>, version);
    case listOffsets:
      return answerListOffsets(cluster, broker, body as RequestOf<typeof listOffsets>);
    case initProducerId:
      return { errorCode: 0, producerId: cluster.takeProducerId(), producerEpoch: 0 };
    case createTopics:
      return answerCreateTopics(cluster, body as RequestOf<typeof createTopics>);
    case deleteTopics:
      return answerDeleteTopics(cluster, body as RequestOf<typeof deleteTopics>, version);
    case deleteRecords:
      return answerDeleteRecords(cluster, broker, body as RequestOf<typeof deleteRecords>);
    case describeCluster:
      return {
        errorCode: 0,
        clusterId: "fake",
        controllerId: cluster.brokers[0]?.nodeId ?? -1,
        brokers: cluster.brokers.map(({ nodeId, address }) => ({ brokerId: nodeId, ...address })),
      } satisfies ResponseInput<typeof describeCluster>;
    case describeConfigs:
      return answerDescribeConfigs(cluster, body as RequestOf<typeof describeConfigs>);
    case incrementalAlterConfigs:
      return answerAlterConfigs(cluster, body as RequestOf<typeof incrementalAlterConfigs>);
    default:
      return await answerGroups(cluster, broker, { api, body, version });
  }
}

function answerMetadata(
  cluster: FakeCluster,
  body: RequestOf<typeof metadata>,
): ResponseInput<typeof metadata> {
  const names = body.topics?.map(({ name }) => name ?? "") ?? [...cluster.topics.keys()];
  return {
    clusterId: "fake",
    controllerId: cluster.brokers[0]?.nodeId ?? -1,
    brokers: cluster.brokers.map(({ nodeId, address, rack }) => ({ nodeId, ...address, rack })),
    topics: names.map((name) => {
      const topic = cluster.topics.get(name);
      if (topic === undefined) {
        if (cluster.autoCreate && body.allowAutoTopicCreation) cluster.createTopic(name);
        return { errorCode: ErrorCode.UnknownTopicOrPartition, name, partitions: [] };
      }
      return {
        errorCode: 0,
        name,
        topicId: topic.topicId,
        partitions: topic.partitions.map(({ leaderId, leaderEpoch }, partitionIndex) => ({
          errorCode: leaderId < 0 ? ErrorCode.LeaderNotAvailable : 0,
          partitionIndex,
          leaderId,
          leaderEpoch,
          replicaNodes: [leaderId],
          isrNodes: [leaderId],
        })),
      };
    }),
  };
}

function answerProduce(
  cluster: FakeCluster,
  broker: FakeBroker,
  body: RequestOf<typeof produce>,
): ResponseInput<typeof produce> | undefined {
  const responses = body.topicData.map(({ name, partitionData }) => ({
    name,
    partitionResponses: partitionData.map(({ index, records }) => {
      const partition = cluster.topics.get(name)?.partitions[index];
      const answer = { index, baseOffset: -1 };
      if (partition === undefined) {
        return { ...answer, errorCode: ErrorCode.UnknownTopicOrPartition };
      }
      if (partition.leaderId !== broker.nodeId) {
        return { ...answer, errorCode: ErrorCode.NotLeaderOrFollower };
      }
      return { ...answer, ...appendChecked(partition, records as Uint8Array) };
    }),
  }));
  return body.acks === 0 ? undefined : { responses };
}

/** As Kafka's ProducerAppendInfo, with the last five batches kept. */
function appendChecked(
  partition: FakePartition,
  records: Uint8Array,
): { errorCode: number; baseOffset: number } {
  const view = new BatchView(records);
  const producerId = view.producerId();
  if (producerId < 0) return { errorCode: 0, baseOffset: partition.append(records) };
  const entry = partition.producers.get(producerId);
  const isNewEpoch = entry === undefined || view.producerEpoch() > entry.producerEpoch;
  const baseSequence = view.baseSequence();
  if (!isNewEpoch) {
    if (view.producerEpoch() < entry.producerEpoch) {
      return { errorCode: ErrorCode.InvalidProducerEpoch, baseOffset: -1 };
    }
    const duplicate = entry.batches.find((batch) => batch.baseSequence === baseSequence);
    if (duplicate !== undefined) return { errorCode: 0, baseOffset: duplicate.baseOffset };
  }
  // Of a producer that is not known any sequence may come first (KIP-360).
  const isNext = entry === undefined || baseSequence === (isNewEpoch ? 0 : entry.nextSequence);
  if (!isNext) {
    return { errorCode: ErrorCode.OutOfOrderSequenceNumber, baseOffset: -1 };
  }
  const baseOffset = partition.append(records);
  partition.producers.set(producerId, {
    producerEpoch: view.producerEpoch(),
    batches: [...(isNewEpoch ? [] : entry.batches), { baseSequence, baseOffset }].slice(-5),
    nextSequence: sequenceAfter(baseSequence, view.recordCount()),
  });
  return { errorCode: 0, baseOffset };
}

async function answerFetch(
  cluster: FakeCluster,
  broker: FakeBroker,
  body: RequestOf<typeof fetch>,
  version: number,
): Promise<ResponseInput<typeof fetch>> {
  const read = (): ResponseInput<typeof fetch>["responses"] =>
    body.topics.map(({ topic: name, topicId, partitions }) => {
      const topic = version >= 13 ? cluster.topicById(topicId) : cluster.topics.get(name);
      return {
        topic: name,
        topicId,
        partitions: partitions.map((asked) => readPartition(topic, broker, asked, body)),
      };
    });
  const isEmpty = (topics: ResponseInput<typeof fetch>["responses"]): boolean =>
    topics.every(({ partitions }) =>
      partitions.every(({ errorCode, records }) =>
        errorCode === 0 && (records as Uint8Array | null)?.length === 0
      )
    );
  let responses = read();
  if (isEmpty(responses)) {
    await new Promise<void>((resolve) => cluster.clock.after(body.maxWaitMs, resolve));
    responses = read();
  }
  return { responses };
}

type AskedPartition = RequestOf<typeof fetch>["topics"][number]["partitions"][number];
type ReadPartition = ResponseInput<typeof fetch>["responses"][number]["partitions"][number];

function readPartition(
  topic: FakeTopic | undefined,
  broker: FakeBroker,
  asked: AskedPartition,
  { isolationLevel }: RequestOf<typeof fetch>,
): ReadPartition {
  const { partition: partitionIndex, fetchOffset, partitionMaxBytes, lastFetchedEpoch } = asked;
  const partition = topic?.partitions[partitionIndex];
  const nothing = { partitionIndex, highWatermark: -1, abortedTransactions: null, records: null };
  if (partition === undefined) return { ...nothing, errorCode: ErrorCode.UnknownTopicId };
  if (partition.leaderId !== broker.nodeId) {
    return { ...nothing, errorCode: ErrorCode.NotLeaderOrFollower };
  }
  if (lastFetchedEpoch >= 0 && fetchOffset >= partition.logStartOffset) {
    const divergingEpoch = partition.endOf(lastFetchedEpoch);
    const isOther = divergingEpoch.epoch >= 0 &&
      (divergingEpoch.epoch < lastFetchedEpoch || divergingEpoch.endOffset < fetchOffset);
    if (broker.knowsEpochs && isOther) return { ...nothing, errorCode: 0, divergingEpoch };
  }
  if (fetchOffset < partition.logStartOffset || fetchOffset > partition.logEndOffset) {
    return { ...nothing, errorCode: ErrorCode.OffsetOutOfRange };
  }
  return {
    ...nothing,
    errorCode: 0,
    highWatermark: partition.logEndOffset,
    abortedTransactions: isolationLevel === 1 ? partition.aborted : null,
    records: partition.read(fetchOffset, partitionMaxBytes),
  };
}

function answerListOffsets(
  cluster: FakeCluster,
  broker: FakeBroker,
  body: RequestOf<typeof listOffsets>,
): ResponseInput<typeof listOffsets> {
  return {
    topics: body.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => {
        const partition = cluster.topics.get(name)?.partitions[partitionIndex];
        if (partition === undefined) {
          return { partitionIndex, errorCode: ErrorCode.UnknownTopicOrPartition };
        }
        if (partition.leaderId !== broker.nodeId) {
          return { partitionIndex, errorCode: ErrorCode.NotLeaderOrFollower };
        }
        return { partitionIndex, errorCode: 0, offset: offsetFor(partition, timestamp) };
      }),
    })),
  };
}

function offsetFor(partition: FakePartition, timestamp: number): number {
  if (timestamp === -1) return partition.logEndOffset;
  if (timestamp === -2) return partition.logStartOffset;
  const found = partition.batches.map((batch) => new BatchView(batch))
    .find((view) => view.maxTimestamp() >= timestamp);
  return found?.baseOffset() ?? -1;
}

function answerCreateTopics(
  cluster: FakeCluster,
  body: RequestOf<typeof createTopics>,
): ResponseInput<typeof createTopics> {
  return {
    topics: body.topics.map(({ name, numPartitions }) => {
      if (cluster.topics.has(name)) {
        return { name, errorCode: ErrorCode.TopicAlreadyExists, errorMessage: "It is there." };
      }
      const count = numPartitions < 0 ? 1 : numPartitions;
      const topicId = body.validateOnly ? ZERO_UUID : cluster.createTopic(name, count).topicId;
      return { name, topicId, errorCode: 0, errorMessage: null, numPartitions: count };
    }),
  };
}

function answerDeleteTopics(
  cluster: FakeCluster,
  body: RequestOf<typeof deleteTopics>,
  version: number,
): ResponseInput<typeof deleteTopics> {
  const names = version >= 6 ? body.topics.map(({ name }) => name ?? "") : body.topicNames;
  return {
    responses: names.map((name) => ({
      name,
      errorCode: cluster.topics.delete(name) ? 0 : ErrorCode.UnknownTopicOrPartition,
    })),
  };
}

function answerDeleteRecords(
  cluster: FakeCluster,
  broker: FakeBroker,
  body: RequestOf<typeof deleteRecords>,
): ResponseInput<typeof deleteRecords> {
  return {
    topics: body.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => {
        const partition = cluster.topics.get(name)?.partitions[partitionIndex];
        const failed = { partitionIndex, lowWatermark: -1 };
        if (partition?.leaderId !== broker.nodeId) {
          return { ...failed, errorCode: ErrorCode.NotLeaderOrFollower };
        }
        const wanted = offset === -1 ? partition.logEndOffset : offset;
        if (wanted > partition.logEndOffset) {
          return { ...failed, errorCode: ErrorCode.OffsetOutOfRange };
        }
        partition.logStartOffset = Math.max(partition.logStartOffset, wanted);
        return { partitionIndex, lowWatermark: partition.logStartOffset, errorCode: 0 };
      }),
    })),
  };
}
