/**
 * Metadata: brokers, topics and who leads their partitions; creates topics that are asked for.
 *
 * A topic that was just created is in the very same answer: its log is open by then, so a client need
 * not come back for it.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { metadata } from "../../api/metadata.ts";
import type { RequestOf, ResponseInput } from "../../api/schema.ts";
import { type Uuid, ZERO_UUID } from "../../ground/uuid.ts";
import type { TopicImage } from "../../metadata/image.ts";
import { isInternalTopic, refuseTopicName } from "../../metadata/topic_name.ts";
import type { BrokerContext, Call } from "../broker_context.ts";
import { controllerId, liveBrokers, partitionView } from "../cluster_view.ts";
import { createMissingTopics } from "../missing_topics.ts";
import { type Answer, CloseConnection, defineHandler } from "../handler.ts";
import { CLUSTER_OPERATIONS, NOT_ASKED, TOPIC_OPERATIONS } from "../operations.ts";

type Request = RequestOf<typeof metadata>;
type TopicAnswer = ResponseInput<typeof metadata>["topics"][number];

/** Versions 10 and 11 have the id in the request, but no answer for it (KIP-516). */
const NAMELESS_FROM_VERSION = 12;

interface Wanted {
  readonly name: string | null;
  readonly topicId: Uuid;
}

export const metadataHandler = defineHandler({
  api: metadata,
  handle(broker, request, call): Answer<typeof metadata> | Promise<Answer<typeof metadata>> {
    if (
      call.apiVersion < NAMELESS_FROM_VERSION && request.topics?.some(({ name }) => name === null)
    ) {
      return new CloseConnection("Metadata by topic id needs version 12"); // as Kafka does
    }
    const wanted = wantedTopics(broker, request, call);
    const missing = broker.settings.get("auto.create.topics.enable") && mayCreate(request, call)
      ? wanted.flatMap(({ name }) => name !== null && isCreatable(broker, name) ? [name] : [])
      : [];
    if (missing.length === 0) return answer(broker, request, wanted);
    return createMissingTopics(broker, [...new Set(missing)], call.clientId)
      .then(() => answer(broker, request, wanted));
  },
});

/** Before version 4 a client could not say, and the broker's setting alone decides. */
function mayCreate(request: Request, { apiVersion }: Call): boolean {
  return apiVersion < 4 || request.allowAutoTopicCreation;
}

function isCreatable(broker: BrokerContext, name: string): boolean {
  return broker.image.topic(name) === undefined && refuseTopicName(name) === undefined;
}

/** All topics: null, and in version 0 an empty list. */
function wantedTopics(broker: BrokerContext, request: Request, call: Call): readonly Wanted[] {
  const { topics } = request;
  if (topics === null || (call.apiVersion === 0 && topics.length === 0)) {
    return [...broker.image.topics()].map(({ name, topicId }) => ({ name, topicId }));
  }
  // Each once, as in Kafka: a small request must not ask for a large topic ten thousand times.
  return [...new Map(topics.map((topic) => [topic.name ?? `id ${topic.topicId}`, topic])).values()];
}

function answer(
  broker: BrokerContext,
  request: Request,
  wanted: readonly Wanted[],
): Answer<typeof metadata> {
  return {
    brokers: liveBrokers(broker).map(({ brokerId, host, port, rack }) => ({
      nodeId: brokerId,
      host,
      port,
      rack,
    })),
    clusterId: broker.clusterId,
    controllerId: controllerId(broker),
    topics: wanted.map((topic) => ({
      ...describe(broker, topic),
      topicAuthorizedOperations: request.includeTopicAuthorizedOperations
        ? TOPIC_OPERATIONS
        : NOT_ASKED,
    })),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? CLUSTER_OPERATIONS
      : NOT_ASKED,
  };
}

function describe(broker: BrokerContext, wanted: Wanted): TopicAnswer {
  const { name, topicId } = wanted;
  const topic = name === null ? broker.image.topicById(topicId) : broker.image.topic(name);
  if (topic !== undefined) return knownTopic(broker, topic);
  const errorCode = name === null
    ? ErrorCode.UnknownTopicId
    : refuseTopicName(name) === undefined
    ? ErrorCode.UnknownTopicOrPartition
    : ErrorCode.InvalidTopicException;
  return {
    errorCode,
    name,
    topicId: name === null ? topicId : ZERO_UUID,
    isInternal: false,
    partitions: [],
  };
}

function knownTopic(broker: BrokerContext, topic: TopicImage): TopicAnswer {
  return {
    errorCode: ErrorCode.None,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((partition) => ({
      ...partitionView(broker, topic.name, partition),
      partitionIndex: partition.partitionId,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
    })),
  };
}
