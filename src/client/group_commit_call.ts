/**
 * OffsetCommit of a member. Topics go by id where all have one and the coordinator speaks version 10: a
 * topic that was made anew under its name meanwhile is then not given the offsets of the old one.
 */
import { ErrorCode } from "../api/error_code.ts";
import { offsetCommit } from "../api/offset_commit.ts";
import type { RequestInput } from "../api/schema.ts";
import { type Uuid, ZERO_UUID } from "../ground/uuid.ts";
import type { CoordinatorLink } from "./coordinator_link.ts";
import type { Committable } from "./group/group_progress.ts";
import type { MemberIdentity } from "./group/membership.ts";

/** The last version that names topics by name. */
const VERSION_WITH_NAMES = 9;

export interface Commit {
  readonly groupId: string;
  readonly items: readonly Committable[];
  readonly identity: MemberIdentity;
  readonly timeoutMs: number;
}

/** Sends it once; gives the error code of each item. Throws a `ClientError`. */
export async function commitItems(
  link: CoordinatorLink,
  { groupId, items, identity, timeoutMs }: Commit,
): Promise<(item: Committable) => number> {
  const connection = await link.connection();
  const hasIds = items.every((item) => topicIdOf(item) !== ZERO_UUID);
  const version = connection.versionOf(
    offsetCommit,
    hasIds ? offsetCommit.versions[1] : VERSION_WITH_NAMES,
  );
  const isById = version !== undefined && version > VERSION_WITH_NAMES;
  const topicOf = (item: Committable): string => isById ? topicIdOf(item) : item.topic;
  const answer = await link.ask(
    offsetCommit,
    { groupId, ...identity, topics: topicsOf(items, topicOf) },
    { timeoutMs, ...(isById ? {} : { versionMax: VERSION_WITH_NAMES }) },
  );
  const codes = new Map<string, number>();
  for (const { name, topicId, partitions } of answer.topics) {
    const topic = name === "" ? topicId : name;
    for (const { partitionIndex, errorCode } of partitions) {
      codes.set(`${partitionIndex} ${topic}`, errorCode);
    }
  }
  return (item) =>
    codes.get(`${item.partition} ${topicIdOf(item)}`) ??
      codes.get(`${item.partition} ${item.topic}`) ?? ErrorCode.UnknownServerError;
}

function topicIdOf({ topicId }: Committable): Uuid {
  return topicId ?? ZERO_UUID;
}

function topicsOf(
  items: readonly Committable[],
  topicOf: (item: Committable) => string,
): RequestInput<typeof offsetCommit>["topics"] {
  const topics = new Map<string, Committable[]>();
  for (const item of items) {
    const others = topics.get(topicOf(item));
    if (others === undefined) topics.set(topicOf(item), [item]);
    else others.push(item);
  }
  return [...topics.values()].map((ofTopic) => ({
    name: ofTopic[0]?.topic ?? "",
    topicId: ofTopic[0]?.topicId ?? ZERO_UUID,
    partitions: ofTopic.map(({ partition, offset, leaderEpoch }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: "",
    })),
  }));
}
