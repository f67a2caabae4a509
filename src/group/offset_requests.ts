/**
 * What is answered to OffsetCommit, OffsetFetch and OffsetDelete once the group has let them through.
 *
 * Whether it does is not here (`group_shard.ts` asks the group), nor whether topics and partitions
 * exist: the handlers of the broker know that.
 */
import type { OffsetCommitRecord } from "../api/coordinator_record/group_record.ts";
import { ErrorCode } from "../api/error_code.ts";
import { type Uuid, ZERO_UUID } from "../ground/uuid.ts";
import type { ClusterImage } from "../metadata/image.ts";
import type { CommittedOffset, CommittedOffsets } from "./committed_offsets.ts";
import type { Group } from "./group.ts";
import type {
  Caller,
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
/** Of a time in a record. */
const NOT_TOLD = -1;
const IDS_FROM_VERSION = 10;

/**
 * Writes a record for each partition whose metadata is not too long.
 * Source: kafka OffsetMetadataManager.commitOffset; the offset itself is not judged there either.
 */
export function commitOffsets(
  turn: Turn,
  { body, caller }: OffsetCommitRequest,
  offsets: CommittedOffsets | undefined,
): ResponseTo<OffsetCommitRequest> {
  const { groupId, retentionTimeMs } = body;
  const expireTimestamp = retentionTimeMs === NO_RETENTION
    ? NOT_TOLD
    : Math.min(turn.now + retentionTimeMs, Number.MAX_SAFE_INTEGER); // a client may ask for ever
  const topics = body.topics.map((topic) => {
    const topicId = topicIdOf(turn, topic);
    const isGone = turn.image.wasRemoved(topicId); // while the request waited for its turn
    const partitions = topic.partitions.map((partition) => {
      const { partitionIndex, committedMetadata } = partition;
      if (isGone) return { partitionIndex, errorCode: unknownTopic(caller) };
      if ((committedMetadata?.length ?? 0) > turn.settings.offsetMetadataMaxBytes) {
        return { partitionIndex, errorCode: ErrorCode.OffsetMetadataTooLarge };
      }
      turn.write({
        kind: "OffsetCommit",
        key: { group: groupId, topic: topic.name, partition: partitionIndex },
        value: valueOf(
          partition,
          { commitTimestamp: turn.now, expireTimestamp, topicId },
          offsets?.get(topic.name, partitionIndex),
        ),
      });
      return { partitionIndex, errorCode: ErrorCode.None };
    });
    return { name: topic.name, topicId: topic.topicId, partitions };
  });
  return { topics };
}

function unknownTopic({ apiVersion }: Caller): ErrorCode {
  return apiVersion >= IDS_FROM_VERSION
    ? ErrorCode.UnknownTopicId
    : ErrorCode.UnknownTopicOrPartition;
}

function valueOf(
  { committedOffset, committedLeaderEpoch, committedMetadata }: CommittedPartition,
  rest: {
    readonly commitTimestamp: number;
    readonly expireTimestamp: number;
    readonly topicId: Uuid;
  },
  before: CommittedOffset | undefined,
): NonNullable<OffsetCommitRecord["value"]> {
  return {
    offset: committedOffset,
    leaderEpoch: committedLeaderEpoch,
    metadata: committedMetadata ?? "",
    advanceTimestamp: advanceTold(committedOffset, rest, before),
    ...rest,
  };
}

/** Told where the commit repeats what was committed, so that the record of before need not be there. */
function advanceTold(
  offset: number,
  { commitTimestamp, expireTimestamp }: {
    readonly commitTimestamp: number;
    readonly expireTimestamp: number;
  },
  before: CommittedOffset | undefined,
): number {
  const isRepeated = before?.offset === offset && before.advancedAtMs !== commitTimestamp;
  const hasRoom = expireTimestamp === NOT_TOLD; // the version with a retention of its own has none
  return isRepeated && hasRoom ? before.advancedAtMs : NOT_TOLD;
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
  { image }: Pick<Turn, "image">,
  { body }: OffsetFetchRequest,
  offsets: CommittedOffsets | undefined,
): OffsetFetchGroup {
  const { groupId, includeProgress } = body;
  const topics = body.topics === null
    ? allTopics(image, offsets, includeProgress)
    : onceEach(body.topics).map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: Array.from(partitionIndexes, (partitionIndex) => {
        const committed = offsets?.get(name, partitionIndex);
        const isOfTopic = committed !== undefined && mayBeSame(committed.topicId, topicId) &&
          isOfPresent(image, name, committed);
        return isOfTopic
          ? fetchedPartition(partitionIndex, committed, includeProgress)
          : noOffset(partitionIndex);
      }),
    }));
  return { groupId, topics, errorCode: ErrorCode.None };
}

interface AskedOnce {
  readonly name: string;
  readonly topicId: Uuid;
  readonly partitionIndexes: Set<number>;
}

/** What is named twice is answered once: an answer is never much larger than what there is to tell. */
function onceEach(
  topics: NonNullable<OffsetFetchRequest["body"]["topics"]>,
): readonly AskedOnce[] {
  const asked = new Map<string, AskedOnce>();
  for (const { name, topicId, partitionIndexes } of topics) {
    const known = asked.get(name);
    if (known === undefined) {
      asked.set(name, { name, topicId, partitionIndexes: new Set(partitionIndexes) });
    } else for (const index of partitionIndexes) known.partitionIndexes.add(index);
  }
  return [...asked.values()];
}

function allTopics(
  image: ClusterImage,
  offsets: CommittedOffsets | undefined,
  includeProgress: boolean,
): readonly FetchedTopic[] {
  const topics: FetchedTopic[] = [];
  if (offsets === undefined) return topics;
  for (const [name, partitions] of offsets.topics()) {
    let topicId = ZERO_UUID;
    const fetched: FetchedPartition[] = [];
    for (const [partition, committed] of partitions) {
      if (!isOfPresent(image, name, committed)) continue;
      if (committed.topicId !== ZERO_UUID) topicId = committed.topicId;
      fetched.push(fetchedPartition(partition, committed, includeProgress));
    }
    if (fetched.length > 0) topics.push({ name, topicId, partitions: fetched });
  }
  return topics;
}

/**
 * An offset of a topic that was deleted is not one of the topic that has its name now, also where its
 * tombstone is not written yet.
 */
function isOfPresent(image: ClusterImage, name: string, { topicId }: CommittedOffset): boolean {
  return mayBeSame(topicId, image.topic(name)?.topicId ?? ZERO_UUID);
}

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
  const deleted = new Set<CommittedOffset>();
  const topics = body.topics.map(({ name, partitions }) => {
    const isSubscribed = group?.isSubscribedTo(name) ?? false;
    const errorCode = isSubscribed ? ErrorCode.GroupSubscribedToTopic : ErrorCode.None;
    const answered = partitions.map(({ partitionIndex }) => {
      const offset = isSubscribed ? undefined : offsets?.get(name, partitionIndex);
      // What is named twice is deleted once.
      if (offset !== undefined && !deleted.has(offset)) {
        deleted.add(offset);
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
