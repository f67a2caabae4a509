/**
 * "range": of each topic by itself, members in order get runs of equal length; the first get the rest.
 *
 * Topics with equally many partitions and the same subscribers are divided alike, so that equal keys of
 * both come to one member. Where racks matter (KIP-881), partitions first go to members beside their
 * replicas, as many as everybody's share allows, and topics that are divided alike stay so; what is left goes
 * round as ever.
 *
 * Source: kafka RangeAssignor.
 */
import type { TopicPartition } from "../../group_options.ts";
import {
  type Assignor,
  type AssignorMember,
  compare,
  type Division,
  sortedMembers,
} from "./assignor.ts";
import { isNear, type PartitionRacks, racksMatter } from "./racks.ts";

export const range: Assignor = {
  name: "range",
  isCooperative: false,
  divide(members, counts, racks = new Map()): Division {
    const sorted = sortedMembers(members);
    const topics = [...counts].sort(([left], [right]) => compare(left, right))
      .map(([topic, count]) => new TopicShares(sorted, { topic, count, racks }))
      .filter(({ members }) => members.length > 0);
    if (topics.some(({ hasRacks }) => hasRacks)) {
      for (const alike of groupedAlike(topics)) divideNear(alike);
    }
    for (const topic of topics) topic.divide(() => true);
    return new Map(
      members.map(({ memberId }) => [memberId, topics.flatMap((topic) => topic.of(memberId))]),
    );
  },
};

/** One topic on its way to its subscribers. */
class TopicShares {
  readonly members: readonly AssignorMember[];
  readonly hasRacks: boolean;
  /** 0 where nobody stands in a rack, as in Kafka: such topics count as alike. */
  readonly rackedCount: number;
  readonly #topic: string;
  readonly #racks: readonly ReadonlySet<string>[];
  readonly #free: Set<number>;
  readonly #given: Map<string, number[]>;
  readonly #share: number;
  /** How many members may have one partition more than the others. */
  #restCount: number;

  constructor(
    sorted: readonly AssignorMember[],
    { topic, count, racks }: {
      readonly topic: string;
      readonly count: number;
      readonly racks: PartitionRacks;
    },
  ) {
    this.members = sorted.filter(({ topics }) => topics.includes(topic));
    this.#topic = topic;
    this.#racks = racks.get(topic) ?? [];
    this.#free = new Set(Array.from({ length: count }, (_, partition) => partition));
    this.#given = new Map(this.members.map(({ memberId }) => [memberId, []]));
    this.#share = Math.floor(count / this.members.length);
    this.#restCount = count % this.members.length;
    this.hasRacks = racksMatter(this.members, this.#racks);
    this.rackedCount = this.members.some(({ rackId }) => rackId !== null) ? count : 0;
  }

  of(memberId: string): readonly TopicPartition[] {
    const partitions = this.#given.get(memberId)?.sort((left, right) => left - right) ?? [];
    return partitions.map((partition) => ({ topic: this.#topic, partition }));
  }

  isNear(member: AssignorMember, partition: number): boolean {
    return isNear(member, this.#racks[partition]);
  }

  /** How many more this member may get. */
  room({ memberId }: AssignorMember): number {
    const has = this.#given.get(memberId)?.length ?? 0;
    return Math.max(this.#share + (this.#restCount > 0 ? 1 : 0) - has, 0);
  }

  give({ memberId }: AssignorMember, partition: number): void {
    const given = this.#given.get(memberId);
    if (given === undefined || !this.#free.delete(partition)) return;
    given.push(partition);
    if (given.length === this.#share + 1) this.#restCount--;
  }

  /** Members in order get what is free and may be theirs, as much as they have room for. */
  divide(isFor: (member: AssignorMember, partition: number) => boolean): void {
    for (const member of this.members) {
      const room = this.room(member);
      const taken: number[] = [];
      for (const partition of this.#free) {
        if (taken.length === room) break;
        if (isFor(member, partition)) taken.push(partition);
      }
      for (const partition of taken) this.give(member, partition);
    }
  }
}

/** Topics with the same members and equally many partitions together. */
function groupedAlike(topics: readonly TopicShares[]): Iterable<readonly TopicShares[]> {
  const groups = new Map<string, TopicShares[]>();
  for (const topic of topics) {
    const ids = topic.members.map(({ memberId }) => memberId);
    const key = JSON.stringify([topic.rackedCount, ...ids]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [topic]);
    else group.push(topic);
  }
  return groups.values();
}

/** Gives partitions to members beside all of their replicas; of topics that are alike all or none. */
function divideNear(topics: readonly TopicShares[]): void {
  const [first] = topics;
  if (first === undefined) return;
  if (topics.length === 1) {
    if (first.hasRacks) first.divide((member, partition) => first.isNear(member, partition));
    return;
  }
  for (let partition = 0; partition < first.rackedCount; partition++) {
    const member = first.members.find((each) =>
      topics.every((topic) => topic.room(each) > 0 && topic.isNear(each, partition))
    );
    if (member !== undefined) { for (const topic of topics) topic.give(member, partition); }
  }
}
