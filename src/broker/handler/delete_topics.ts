/** DeleteTopics: by name, from version 6 also by id. */
import { deleteTopics } from "../../api/delete_topics.ts";
import { ErrorCode } from "../../api/error_code.ts";
import { DiskFault } from "../../env/disk.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import { decideDeleteTopics } from "../../metadata/decide/delete_topics.ts";
import { type Answer, defineHandler } from "../handler.ts";

const TOPICS_FROM_VERSION = 6;

export const deleteTopicsHandler = defineHandler({
  api: deleteTopics,
  async handle(broker, request, { apiVersion }): Promise<Answer<typeof deleteTopics>> {
    const topics = apiVersion >= TOPICS_FROM_VERSION
      ? request.topics
      : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
    if (!broker.settings.get("delete.topic.enable")) {
      const errorCode = ErrorCode.TopicDeletionDisabled;
      return { responses: topics.map((topic) => ({ ...topic, errorCode })) };
    }
    try {
      const responses = await broker.quorum.propose((image) => decideDeleteTopics(image, topics));
      for (const { name, errorCode } of responses) {
        if (name !== null && errorCode === ErrorCode.None) broker.metrics.forgetTopic(name);
      }
      return { responses };
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      const errorCode = ErrorCode.KafkaStorageError;
      return { responses: topics.map((topic) => ({ ...topic, errorCode })) };
    }
  },
});
