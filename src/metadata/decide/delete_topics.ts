/** Which topics are removed. By name or by id; a topic of the broker's own may not be removed. */
import { ErrorCode } from "../../api/error_code.ts";
import { type Uuid, ZERO_UUID } from "../../ground/uuid.ts";
import type { Decision } from "../decision.ts";
import type { ClusterImage, TopicImage } from "../image.ts";
import type { MetadataRecord } from "../record.ts";

export interface TopicToDelete {
  /** Null = by id. */
  readonly name: string | null;
  readonly topicId: Uuid;
}

export interface DeletedTopic {
  readonly name: string | null;
  readonly topicId: Uuid;
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

export function decideDeleteTopics(
  image: ClusterImage,
  topics: readonly TopicToDelete[],
): Decision<readonly DeletedTopic[]> {
  const records: MetadataRecord[] = [];
  const removed = new Set<Uuid>();
  const reply = topics.map((asked): DeletedTopic => {
    const isById = asked.name === null;
    if (!isById && asked.topicId !== ZERO_UUID) {
      return refused(asked, ErrorCode.InvalidRequest, "You may not specify both topic name and id");
    }
    const topic = isById ? image.topicById(asked.topicId) : image.topic(asked.name ?? "");
    if (topic === undefined) return refused(asked, ...unknownTopic(isById));
    if (!removed.has(topic.topicId)) records.push(removal(topic));
    removed.add(topic.topicId);
    return {
      name: topic.name,
      topicId: topic.topicId,
      errorCode: ErrorCode.None,
      errorMessage: null,
    };
  });
  return { records, reply };
}

function removal(topic: TopicImage): MetadataRecord {
  return { kind: "remove-topic", version: 0, topicId: topic.topicId };
}

function unknownTopic(isById: boolean): [ErrorCode, string] {
  return isById
    ? [ErrorCode.UnknownTopicId, "This server does not host this topic ID."]
    : [ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition."];
}

function refused(asked: TopicToDelete, errorCode: ErrorCode, errorMessage: string): DeletedTopic {
  return { name: asked.name, topicId: asked.topicId, errorCode, errorMessage };
}
