/**
 * Topics of a request about committed offsets: those that are there, partition by partition, and those
 * that are refused before the group is asked. The group itself does not look at the cluster.
 */
import { ErrorCode } from "../api/error_code.ts";
import { type Uuid, ZERO_UUID } from "../ground/uuid.ts";
import type { ClusterImage } from "../metadata/image.ts";

interface NamedTopic<Partition> {
  readonly name: string;
  readonly topicId?: Uuid;
  readonly partitions: readonly Partition[];
}

interface NamedPartition {
  readonly partitionIndex: number;
}

export interface AnsweredTopic {
  readonly name: string;
  readonly topicId: Uuid;
  readonly partitions: readonly AnsweredPartition[];
}

interface AnsweredPartition {
  readonly partitionIndex: number;
  readonly errorCode: number;
}

export interface SplitTopics<Topic> {
  /** Topics and partitions that are there. */
  readonly known: readonly Topic[];
  readonly refused: readonly AnsweredTopic[];
}

/** By their names. */
export function splitKnown<P extends NamedPartition, Topic extends NamedTopic<P>>(
  image: ClusterImage,
  topics: readonly (Topic & NamedTopic<P>)[],
): SplitTopics<Topic> {
  const known: Topic[] = [];
  const refused: AnsweredTopic[] = [];
  for (const topic of topics) {
    const partitionCount = image.topic(topic.name)?.partitions.length ?? 0;
    const isThere = ({ partitionIndex }: P): boolean =>
      partitionIndex >= 0 && partitionIndex < partitionCount;
    const there = topic.partitions.filter(isThere);
    if (there.length > 0) known.push({ ...topic, partitions: there });
    if (there.length === topic.partitions.length) continue;
    const absent = topic.partitions.filter((partition) => !isThere(partition));
    refused.push(refusedTopic({ ...topic, partitions: absent }, ErrorCode.UnknownTopicOrPartition));
  }
  return { known, refused };
}

export function refusedTopic(
  { name, topicId = ZERO_UUID, partitions }: NamedTopic<NamedPartition>,
  errorCode: ErrorCode,
): AnsweredTopic {
  return {
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  };
}

/** Each topic once: what was refused first, then what the group has said (kafka: Response.Builder.merge). */
export function withRefused(
  refused: readonly AnsweredTopic[],
  answered: readonly (Partial<AnsweredTopic> & Pick<AnsweredTopic, "partitions">)[],
): readonly AnsweredTopic[] {
  const merged = new Map<string, AnsweredTopic>();
  for (const { name = "", topicId = ZERO_UUID, partitions } of [...refused, ...answered]) {
    const key = `${name} ${topicId}`;
    const before = merged.get(key)?.partitions ?? [];
    merged.set(key, { name, topicId, partitions: [...before, ...partitions] });
  }
  return [...merged.values()];
}
