/**
 * OffsetCommit: offsets that a group has come to are written down.
 *
 * Topics and partitions that are not there are refused here, the rest is the group's to say. From
 * version 10 on topics go by their ids, which are turned into the names that offsets are kept by.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { offsetCommit } from "../../api/offset_commit.ts";
import type { RequestOf } from "../../api/schema.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import type { Call } from "../broker_context.ts";
import {
  type AnsweredTopic,
  refusedTopic,
  splitKnown,
  type SplitTopics,
  withRefused,
} from "../committed_topics.ts";
import { callerOf } from "../group_call.ts";
import { type Answer, defineHandler } from "../handler.ts";

type Topic = RequestOf<typeof offsetCommit>["topics"][number];
type Committed = Answer<typeof offsetCommit>;

const IDS_FROM_VERSION = 10;
/**
 * All of one request is one batch of the log, made in one go, for which every other group waits. Kafka's
 * own limit, 1 MiB as written, lets about as many partitions through, with a short metadata each.
 */
const PARTITIONS_MAX = 10_000;
const METADATA_CHARACTERS_MAX = 4 * 1024 * 1024;

export const offsetCommitHandler = defineHandler({
  api: offsetCommit,
  handle(broker, body, call): Committed | Promise<Committed> {
    const { known, refused } = splitTopics(broker.image, body.topics, call);
    if (known.length === 0) return { topics: refused };
    if (isTooLarge(known)) {
      return {
        topics: body.topics.map((topic) => refusedTopic(topic, ErrorCode.InvalidCommitOffsetSize)),
      };
    }
    const request = { ...body, topics: known };
    const asked = broker.groups.ask({
      kind: "OffsetCommit",
      body: request,
      caller: callerOf(call),
    });
    if (refused.length === 0) return asked;
    return Promise.resolve(asked).then(({ topics }) => ({ topics: withRefused(refused, topics) }));
  },
});

function isTooLarge(topics: readonly Topic[]): boolean {
  let partitionCount = 0;
  let characterCount = 0;
  for (const { partitions } of topics) {
    partitionCount += partitions.length;
    for (const { committedMetadata } of partitions) {
      characterCount += committedMetadata?.length ?? 0;
    }
  }
  return partitionCount > PARTITIONS_MAX || characterCount > METADATA_CHARACTERS_MAX;
}

function splitTopics(
  image: ClusterImage,
  topics: readonly Topic[],
  { apiVersion }: Call,
): SplitTopics<Topic> {
  if (apiVersion < IDS_FROM_VERSION) return splitKnown(image, topics.map(withId));
  const named: Topic[] = [];
  const unknown: AnsweredTopic[] = [];
  for (const topic of topics) {
    const name = topic.topicId === ZERO_UUID ? undefined : image.topicById(topic.topicId)?.name;
    if (name === undefined) unknown.push(refusedTopic(topic, ErrorCode.UnknownTopicId));
    else named.push({ ...topic, name });
  }
  const { known, refused } = splitKnown(image, named);
  return { known, refused: [...unknown, ...refused] };

  /** The id is kept with the offset: a topic of the same name that comes later is another one. */
  function withId(topic: Topic): Topic {
    return { ...topic, topicId: image.topic(topic.name)?.topicId ?? ZERO_UUID };
  }
}
