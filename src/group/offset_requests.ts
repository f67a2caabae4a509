/**
 * What is answered to OffsetCommit, OffsetFetch and OffsetDelete once the group has let them through.
 *
 * Whether it does is not here (`group_shard.ts` asks the group), nor whether topics and partitions
 * exist: the handlers of the broker know that.
 */
import type { OffsetCommitRecord } from "../api/coordinator_record/group_record.ts";
import { ErrorCode } from "../api/error_code.ts";
import { type Uuid, ZERO_UUID } from "../ground/uuid.ts";
import type { CommittedOffset, CommittedOffsets } from "./committed_offsets.ts";
import type { Group } from "./group.ts";
import type {
  OffsetCommitRequest,
  OffsetDeleteRequest,
  OffsetFetchGroup,
  OffsetFetchRequest,
  ResponseTo,
} from "./group_request.ts";
import type { Turn } from "./turn.ts";

type CommittedTopic = OffsetCommitRequest["body"]["topics"][number];
type CommittedPartition = CommittedTopic["partitions"][number];
type FetchedTopic = OffsetFetchGroup["topics"][number];
type FetchedPartition = FetchedTopic["partitions"][number];

/** No retention of its own is asked for (versions 2–4; later ones cannot ask). */
const NO_RETENTION = -1;

/**
 * Writes a record for each partition whose metadata is not too long.
 * Source: kafka OffsetMetadataManager.commitOffset; the offset itself is not judged there either.
 */
export function commitOffsets(
  turn: Turn,
  { body }: OffsetCommitRequest,
): ResponseTo<OffsetCommitRequest> {
  const { groupId, retentionTimeMs } = body;
  const expireTimestamp = retentionTimeMs === NO_RETENTION
    ? -1
    : Math.min(turn.now + retentionTimeMs, Number.MAX_SAFE_INTEGER); // a client may ask for ever
  const topics = body.topics.map((topic) => {
    const topicId = topicIdOf(turn, topic);
    const partitions = topic.partitions.map((partition) => {
      const { partitionIndex, committedMetadata } = partition;
      if ((committedMetadata?.length ?? 0) > turn.settings.offsetMetadataMaxBytes) {
        return { partitionIndex, errorCode: ErrorCode.OffsetMetadataTooLarge };
      }
      turn.write({
        kind: "OffsetCommit",
        key: { group: groupId, topic: topic.name, partition: partitionIndex },
        value: valueOf(partition, { commitTimestamp: turn.now, expireTimestamp, topicId }),
      });
      return { partitionIndex, errorCode: ErrorCode.None };
    });
    return { name: topic.name, topicId: topic.topicId, partitions };
  });
  return { topics };
}

function valueOf(
  { committedOffset, committedLeaderEpoch, committedMetadata }: CommittedPartition,
  rest: {
    readonly commitTimestamp: number;
    readonly expireTimestamp: number;
    readonly topicId: Uuid;
  },
): NonNullable<OffsetCommitRecord["value"]> {
  return {
    offset: committedOffset,
    leaderEpoch: committedLeaderEpoch,
    metadata: committedMetadata ?? "",
    ...rest,
  };
}

/**
 * Clients before version 10 name no topic id; the one that the topic has now is kept, so that the
 * offset is never taken for one of a later topic of the same name.
 */
function topicIdOf(turn: Turn, { name, topicId }: CommittedTopic): Uuid {
  return topicId === ZERO_UUID ? turn.image.topic(name)?.topicId ?? ZERO_UUID : topicId;
}

/**
 * Of a group that is not there, or has committed nothing, `offsets` is undefined.
 *
 * Every answer waits until what it tells is safe, so it is as stable as `requireStable` asks for: no
 * transaction commits offsets here.
 */
export function fetchOffsets(
  { body }: OffsetFetchRequest,
  offsets: CommittedOffsets | undefined,
): OffsetFetchGroup {
  const { groupId, includeProgress } = body;
  const topics = body.topics === null
    ? allTopics(offsets, includeProgress)
    : body.topics.map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map((partitionIndex) => {
        const committed = offsets?.get(name, partitionIndex);
        const isOfTopic = committed !== undefined && mayBeSame(committed.topicId, topicId);
        return isOfTopic
          ? fetchedPartition(partitionIndex, committed, includeProgress)
          : noOffset(partitionIndex);
      }),
    }));
  return { groupId, topics, errorCode: ErrorCode.None };
}

function allTopics(
  offsets: CommittedOffsets | undefined,
  includeProgress: boolean,
): readonly FetchedTopic[] {
  const topics: FetchedTopic[] = [];
  if (offsets === undefined) return topics;
  for (const [name, partitions] of offsets.topics()) {
    let topicId = ZERO_UUID;
    const fetched: FetchedPartition[] = [];
    for (const [partition, committed] of partitions) {
      if (committed.topicId !== ZERO_UUID) topicId = committed.topicId;
      fetched.push(fetchedPartition(partition, committed, includeProgress));
    }
    topics.push({ name, topicId, partitions: fetched });
  }
  return topics;
}

/** An offset of a topic that was deleted is not one of the topic that has its name now. */
function mayBeSame(one: Uuid, other: Uuid): boolean {
  return one === other || one === ZERO_UUID || other === ZERO_UUID;
}

function fetchedPartition(
  partitionIndex: number,
  committed: CommittedOffset,
  includeProgress: boolean,
): FetchedPartition {
  const { offset, leaderEpoch, metadata, committedAtMs, advancedAtMs } = committed;
  const partition = {
    partitionIndex,
    committedOffset: offset,
    committedLeaderEpoch: leaderEpoch,
    metadata,
    errorCode: ErrorCode.None,
  };
  return includeProgress ? { ...partition, progress: { committedAtMs, advancedAtMs } } : partition;
}

function noOffset(partitionIndex: number): FetchedPartition {
  return {
    partitionIndex,
    committedOffset: -1,
    committedLeaderEpoch: -1,
    metadata: "",
    errorCode: ErrorCode.None,
  };
}

/** Shape: `group` is undefined for a simple consumer: it subscribes nothing. */
export function deleteOffsets(
  turn: Turn,
  { body }: OffsetDeleteRequest,
  { group, offsets }: {
    readonly group: Group | undefined;
    readonly offsets: CommittedOffsets | undefined;
  },
): ResponseTo<OffsetDeleteRequest> {
  const topics = body.topics.map(({ name, partitions }) => {
    const isSubscribed = group?.isSubscribedTo(name) ?? false;
    const errorCode = isSubscribed ? ErrorCode.GroupSubscribedToTopic : ErrorCode.None;
    const answered = partitions.map(({ partitionIndex }) => {
      if (!isSubscribed && offsets?.get(name, partitionIndex) !== undefined) {
        turn.write(offsetTombstone(body.groupId, name, partitionIndex));
      }
      return { partitionIndex, errorCode };
    });
    return { name, partitions: answered };
  });
  return { errorCode: ErrorCode.None, topics };
}

export function offsetTombstone(
  group: string,
  topic: string,
  partition: number,
): OffsetCommitRecord {
  return { kind: "OffsetCommit", key: { group, topic, partition }, value: null };
}
