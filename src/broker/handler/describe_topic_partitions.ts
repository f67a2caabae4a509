/** DescribeTopicPartitions: topics in the order of their names, a page at a time (KIP-966). */
import { describeTopicPartitions } from "../../api/describe_topic_partitions.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { RequestOf, ResponseInput } from "../../api/schema.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import type { PartitionImage, TopicImage } from "../../metadata/image.ts";
import { isInternalTopic, refuseTopicName } from "../../metadata/topic_name.ts";
import type { BrokerContext } from "../broker_context.ts";
import { partitionView } from "../cluster_view.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { NOT_ASKED } from "../operations.ts";

type Request = RequestOf<typeof describeTopicPartitions>;
type Response = ResponseInput<typeof describeTopicPartitions>;
type TopicAnswer = Response["topics"][number];

/** Kafka: max.request.partition.size.limit. */
const PARTITIONS_MAX = 2000;

export const describeTopicPartitionsHandler = defineHandler({
  api: describeTopicPartitions,
  handle(broker, request): Answer<typeof describeTopicPartitions> {
    const { cursor } = request;
    const topics: TopicAnswer[] = [];
    let left = Math.min(Math.max(request.responsePartitionLimit, 1), PARTITIONS_MAX);
    for (const name of wantedNames(broker, request)) {
      if (cursor !== null && name < cursor.topicName) continue;
      const from = cursor?.topicName === name ? Math.max(cursor.partitionIndex, 0) : 0;
      if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: from } };
      const topic = broker.image.topic(name);
      if (topic === undefined) {
        topics.push(unknownTopic(name));
        continue;
      }
      const page = topic.partitions.slice(from, from + left);
      topics.push(describe(broker, topic, page));
      left -= page.length;
      if (from + page.length < topic.partitions.length) {
        const partitionIndex = from + page.length;
        return { topics, nextCursor: { topicName: name, partitionIndex } };
      }
    }
    return { topics, nextCursor: null };
  },
});

function wantedNames(broker: BrokerContext, request: Request): readonly string[] {
  const names = request.topics.length === 0
    ? [...broker.image.topics()].map(({ name }) => name)
    : request.topics.map(({ name }) => name);
  return [...new Set(names)].sort();
}

function describe(
  broker: BrokerContext,
  topic: TopicImage,
  page: readonly PartitionImage[],
): TopicAnswer {
  return {
    errorCode: ErrorCode.None,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: page.map((partition) => ({
      ...partitionView(broker, topic.name, partition),
      partitionIndex: partition.partitionId,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    })),
    topicAuthorizedOperations: NOT_ASKED,
  };
}

function unknownTopic(name: string): TopicAnswer {
  const isValid = refuseTopicName(name) === undefined;
  return {
    errorCode: isValid ? ErrorCode.UnknownTopicOrPartition : ErrorCode.InvalidTopicException,
    name,
    topicId: ZERO_UUID,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: NOT_ASKED,
  };
}
