/**
 * The offsets that one group has committed, by topic and partition: what the records of
 * `__consumer_offsets` say, and nothing else.
 *
 *     topic → partition → { offset, leaderEpoch, metadata, committedAtMs, advancedAtMs, … }
 *
 * Keeps:  changed by `put` and `remove` only, which replay calls.
 *
 * Who may commit, and when an offset expires, is not here (`offset_requests.ts`, `offset_expiry.ts`).
 */
import type { OffsetCommitRecord } from "../api/coordinator_record/group_record.ts";
import { type Ms, type Offset, toMs, toOffset } from "../ground/numbers.ts";
import type { Uuid } from "../ground/uuid.ts";

type OffsetCommitValue = NonNullable<OffsetCommitRecord["value"]>;

export interface CommittedOffset {
  readonly offset: Offset;
  /** -1 = not known. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly committedAtMs: Ms;
  /** When the offset was first committed with this value: commits that repeat it do not count. */
  readonly advancedAtMs: Ms;
  /** Old clients ask for a retention of their own; -1 = none. */
  readonly expireAtMs: number;
  /** All zero where it is not known. */
  readonly topicId: Uuid;
}

type TopicOffsets = Map<number, CommittedOffset>;

export type OffsetVisitor = (topic: string, partition: number, committed: CommittedOffset) => void;

export class CommittedOffsets {
  readonly #topics = new Map<string, TopicOffsets>();

  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  ofTopic(topic: string): ReadonlyMap<number, CommittedOffset> | undefined {
    return this.#topics.get(topic);
  }

  topics(): Iterable<readonly [string, ReadonlyMap<number, CommittedOffset>]> {
    return this.#topics;
  }

  forEach(visit: OffsetVisitor): void {
    for (const [topic, partitions] of this.#topics) {
      for (const [partition, committed] of partitions) visit(topic, partition, committed);
    }
  }

  put(topic: string, partition: number, value: OffsetCommitValue): void {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) this.#topics.set(topic, partitions = new Map());
    partitions.set(partition, committedOf(value, partitions.get(partition)));
  }

  remove(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic);
    partitions?.delete(partition);
    if (partitions?.size === 0) this.#topics.delete(topic);
  }
}

/**
 * Of the time of an advance only the records tell, so that a replay comes to the same, also of a log
 * that was compacted. What says nothing of it may be of Kafka, or of a version without room for it.
 */
function committedOf(
  value: OffsetCommitValue,
  before: CommittedOffset | undefined,
): CommittedOffset {
  const offset = toOffset(value.offset);
  const committedAtMs = toMs(value.commitTimestamp);
  return {
    offset,
    leaderEpoch: value.leaderEpoch,
    // The same text is most often committed again: one copy of it is kept.
    metadata: before?.metadata === value.metadata ? before.metadata : value.metadata,
    committedAtMs,
    advancedAtMs: advancedAt(value, before),
    expireAtMs: value.expireTimestamp,
    topicId: before?.topicId === value.topicId ? before.topicId : value.topicId,
  };
}

function advancedAt(
  { offset, commitTimestamp, advanceTimestamp }: OffsetCommitValue,
  before: CommittedOffset | undefined,
): Ms {
  if (advanceTimestamp >= 0) return toMs(advanceTimestamp);
  return before?.offset === offset ? before.advancedAtMs : toMs(commitTimestamp);
}
