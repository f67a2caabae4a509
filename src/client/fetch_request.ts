/**
 * The Fetch request for some partitions, and which part of the answer is whose.
 *
 * Topics go by id where all of them have one and the broker speaks version 13, else by name.
 */
import { fetch } from "../api/fetch.ts";
import type { RequestInput, ResponseOf } from "../api/schema.ts";
import { type Uuid, ZERO_UUID } from "../ground/uuid.ts";
import { ClientError } from "./client_error.ts";
import type { Connection } from "./connection.ts";
import type { ConsumerSettings } from "./consumer_options.ts";
import type { FetchPosition } from "./fetch_position.ts";
import type { MetadataCache } from "./metadata_cache.ts";

/** The last version that names topics by name. */
const VERSION_WITH_NAMES = 12;

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** Whole batches of one partition, as they came. */
export interface FetchedBytes {
  readonly position: FetchPosition;
  readonly bytes: Uint8Array;
  readonly highWatermark: number;
  /** In the order of their first offsets. */
  readonly aborted: readonly AbortedTransaction[];
}

export interface FetchQuestion {
  readonly positions: readonly FetchPosition[];
  readonly settings: ConsumerSettings;
  readonly metadata: MetadataCache;
}

/** Throws UNSUPPORTED_VERSION where the broker speaks no version that would do. */
export function fetchRequest(
  connection: Connection,
  { positions, settings, metadata }: FetchQuestion,
): { readonly version: number; readonly body: RequestInput<typeof fetch> } {
  const { maxWaitMs, minBytes, maxBytes, partitionMaxBytes, isReadCommitted } = settings;
  const topics = new Map<string, FetchPosition[]>();
  for (const position of positions) {
    const key = `${topicIdOf(position)} ${position.topic}`;
    const others = topics.get(key);
    if (others === undefined) topics.set(key, [position]);
    else others.push(position);
  }
  const hasIds = positions.every((position) => topicIdOf(position) !== ZERO_UUID);
  const version = connection.versionOf(fetch, hasIds ? fetch.versions[1] : VERSION_WITH_NAMES);
  if (version === undefined) {
    throw new ClientError("UNSUPPORTED_VERSION", "Cannot consume: the broker has no common Fetch");
  }
  const body = {
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel: isReadCommitted ? 1 : 0,
    topics: [...topics.values()].map((ofTopic) => ({
      topic: (ofTopic[0] as FetchPosition).topic,
      topicId: topicIdOf(ofTopic[0] as FetchPosition),
      partitions: ofTopic.map(({ topic, partition, fetchOffset, fetchLeaderEpoch }) => ({
        partition,
        currentLeaderEpoch: metadata.known(topic)?.partitions[partition]?.leaderEpoch ?? -1,
        fetchOffset,
        lastFetchedEpoch: fetchLeaderEpoch,
        partitionMaxBytes,
      })),
    })),
  };
  return { version, body };
}

export type FetchAnswer = ResponseOf<typeof fetch>["responses"][number]["partitions"][number];

/** A function that finds the answer for a position; undefined where the broker left it out. */
export function fetchAnswers(
  response: ResponseOf<typeof fetch>,
): (position: FetchPosition) => FetchAnswer | undefined {
  const answers = new Map<string, FetchAnswer>();
  for (const { topic, topicId, partitions } of response.responses) {
    const key = topic === "" ? topicId : topic;
    for (const answer of partitions) answers.set(`${answer.partitionIndex} ${key}`, answer);
  }
  return (position) => {
    const { topic, partition } = position;
    return answers.get(`${partition} ${topicIdOf(position)}`) ??
      answers.get(`${partition} ${topic}`);
  };
}

/** Of the topic that the position is in, whatever is known of its name by now. */
function topicIdOf({ topicId }: FetchPosition): Uuid {
  return topicId ?? ZERO_UUID;
}
