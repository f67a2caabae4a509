/** CreateTopics: decided by the metadata quorum, answered when the logs are open. */
import { createTopics as api } from "../../api/create_topics.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { RequestOf, ResponseInput } from "../../api/schema.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import { topicConfigEntries } from "../config_entries.ts";
import { createTopics, newTopic } from "../create_topics.ts";
import { type Answer, defineHandler } from "../handler.ts";

type Asked = RequestOf<typeof api>["topics"][number];
type Created = ResponseInput<typeof api>["topics"][number];

export const createTopicsHandler = defineHandler({
  api,
  whenUndecided({ topics }, refusal): Answer<typeof api> {
    return { topics: topics.map(({ name }) => ({ name, ...refusal, configs: null })) };
  },
  async handle(broker, request): Promise<Answer<typeof api>> {
    const twice = namedTwice(request.topics);
    const asked = request.topics.filter(({ name }) => !twice.has(name));
    const topics = asked.map((topic) => ({
      ...newTopic(broker, topic.name),
      partitionCount: topic.numPartitions,
      replicationFactor: topic.replicationFactor,
      assignments: topic.assignments.map(({ partitionIndex, brokerIds }) => ({
        partitionId: partitionIndex,
        brokerIds,
      })),
      config: topic.configs,
    }));
    const created = await createTopics(broker, topics, request.validateOnly);
    const standard = topicConfigEntries(new Map(), broker.settings);
    return {
      topics: [
        ...created.map((topic, index): Created => {
          const isCreated = topic.errorCode === ErrorCode.None;
          const own = new Map(
            (asked[index] as Asked).configs.map(({ name, value }) => [name, value ?? ""]),
          );
          return {
            name: topic.name,
            topicId: isCreated && !request.validateOnly ? topic.topicId : ZERO_UUID,
            errorCode: topic.errorCode,
            errorMessage: topic.errorMessage,
            numPartitions: topic.partitionCount,
            replicationFactor: topic.replicationFactor,
            configs: !isCreated
              ? []
              : own.size === 0
              ? standard
              : topicConfigEntries(own, broker.settings),
          };
        }),
        ...[...twice].map((name): Created => ({
          name,
          errorCode: ErrorCode.InvalidRequest,
          errorMessage: "Duplicate topic name.",
          configs: null,
        })),
      ],
    };
  },
});

function namedTwice(topics: readonly Asked[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of topics) (seen.has(name) ? twice : seen).add(name);
  return twice;
}
