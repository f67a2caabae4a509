/** Topics made, removed and given more partitions; their leaders chosen anew. */
import { createPartitions } from "../api/create_partitions.ts";
import { createTopics } from "../api/create_topics.ts";
import { deleteTopics } from "../api/delete_topics.ts";
import { electLeaders } from "../api/elect_leaders.ts";
import { ErrorCode } from "../api/error_code.ts";
import { ZERO_UUID } from "../ground/uuid.ts";
import type {
  CreatedPartitions,
  CreatedTopic,
  DeletedTopic,
  ElectedLeader,
  ElectionType,
  MorePartitions,
  NewTopic,
  TopicPartitions,
} from "./admin_results.ts";
import { errorOfCode, errorOfResult } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import { giveOrder } from "./orders.ts";

export async function makeTopics(
  tools: ClientTools,
  topics: readonly NewTopic[],
  validateOnly: boolean,
): Promise<readonly CreatedTopic[]> {
  const answer = await giveOrder(tools, {
    api: createTopics,
    body: {
      topics: topics.map(({ name, partitions, replicationFactor, configs }) => ({
        name,
        numPartitions: partitions ?? -1,
        replicationFactor: replicationFactor ?? -1,
        assignments: [],
        configs: Object.entries(configs ?? {}).map(([name, value]) => ({ name, value })),
      })),
      timeoutMs: tools.requestTimeoutMs,
      validateOnly,
    },
    errorCodes: (response) => response.topics.map(({ errorCode }) => errorCode),
    isIdempotent: validateOnly,
  });
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

export async function removeTopics(
  tools: ClientTools,
  names: readonly string[],
): Promise<readonly DeletedTopic[]> {
  const answer = await giveOrder(tools, {
    api: deleteTopics,
    body: {
      topics: names.map((name) => ({ name, topicId: ZERO_UUID })),
      topicNames: names,
      timeoutMs: tools.requestTimeoutMs,
    },
    errorCodes: (response) => response.responses.map(({ errorCode }) => errorCode),
  });
  const results = new Map(answer.responses.map((topic) => [topic.name, topic]));
  for (const name of names) tools.metadata.forget(name);
  return names.map((name) => ({
    name,
    ...errorOfResult(results.get(name), `Cannot delete topic ${name}`),
  }));
}

export async function makePartitions(
  tools: ClientTools,
  topics: readonly MorePartitions[],
  validateOnly: boolean,
): Promise<readonly CreatedPartitions[]> {
  const answer = await giveOrder(tools, {
    api: createPartitions,
    body: {
      topics: topics.map(({ name, partitions, assignments }) => ({
        name,
        count: partitions,
        assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
      })),
      timeoutMs: tools.requestTimeoutMs,
      validateOnly,
    },
    errorCodes: (response) => response.results.map(({ errorCode }) => errorCode),
    isIdempotent: validateOnly,
  });
  const results = new Map(answer.results.map((result) => [result.name, result]));
  return topics.map(({ name }) => ({
    name,
    ...errorOfResult(results.get(name), `Cannot add partitions to topic ${name}`),
  }));
}

/** Kafka: ElectionType. */
const ELECTIONS: Readonly<Record<ElectionType, number>> = { preferred: 0, unclean: 1 };

/** Of null topics, which are all, only those are answered for that needed an election. */
export async function chooseLeaders(
  tools: ClientTools,
  topics: readonly TopicPartitions[] | null,
  type: ElectionType,
): Promise<readonly ElectedLeader[]> {
  const answer = await giveOrder(tools, {
    api: electLeaders,
    body: {
      electionType: ELECTIONS[type],
      topicPartitions: topics?.map(({ name, partitions }) => ({ topic: name, partitions })) ?? null,
      timeoutMs: tools.requestTimeoutMs,
    },
    errorCodes: ({ errorCode, replicaElectionResults }) => [
      errorCode,
      ...replicaElectionResults.flatMap(({ partitionResult }) =>
        partitionResult.map((each) => each.errorCode)
      ),
    ],
    isIdempotent: true,
  });
  if (answer.errorCode !== ErrorCode.None) {
    throw errorOfCode(answer.errorCode, "Cannot elect leaders");
  }
  const told = answer.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map((result): ElectedLeader => ({
      name: topic,
      partition: result.partitionId,
      ...errorOfResult(result, `Cannot elect a leader of ${topic}-${result.partitionId}`),
    }))
  );
  if (topics === null) return told;
  const results = new Map(told.map((result) => [`${result.name}-${result.partition}`, result]));
  return topics.flatMap(({ name, partitions }) =>
    partitions.map((partition): ElectedLeader => {
      const action = `Cannot elect a leader of ${name}-${partition}`;
      return results.get(`${name}-${partition}`) ??
        { name, partition, ...errorOfResult(undefined, action) };
    })
  );
}
