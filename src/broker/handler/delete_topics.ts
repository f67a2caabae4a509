/** DeleteTopics: by name, from version 6 also by id. */
import { deleteTopics } from "../../api/delete_topics.ts";
import { ErrorCode } from "../../api/error_code.ts";
import { DiskFault } from "../../env/disk.ts";
import type { RequestOf } from "../../api/schema.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import { decideDeleteTopics, type TopicToDelete } from "../../metadata/decide/delete_topics.ts";
import type { Call } from "../broker_context.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { storageRefusal } from "../storage_refusal.ts";

const TOPICS_FROM_VERSION = 6;

export const deleteTopicsHandler = defineHandler({
  api: deleteTopics,
  whenUndecided(request, refusal, call): Answer<typeof deleteTopics> {
    return { responses: namedTopics(request, call).map((topic) => ({ ...topic, ...refusal })) };
  },
  async handle(broker, request, call): Promise<Answer<typeof deleteTopics>> {
    const topics = namedTopics(request, call);
    if (!broker.settings.get("delete.topic.enable")) {
      const errorCode = ErrorCode.TopicDeletionDisabled;
      return { responses: topics.map((topic) => ({ ...topic, errorCode })) };
    }
    try {
      return {
        responses: await broker.quorum.propose((image) => decideDeleteTopics(image, topics)),
      };
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      return { responses: topics.map((topic) => ({ ...topic, ...storageRefusal(error) })) };
    }
  },
});

function namedTopics(
  { topics, topicNames }: RequestOf<typeof deleteTopics>,
  { apiVersion }: Call,
): readonly TopicToDelete[] {
  if (apiVersion >= TOPICS_FROM_VERSION) return topics;
  return topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
}
