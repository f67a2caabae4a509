/**
 * The assignor "range": every topic is cut into one stretch of neighbouring partitions per subscriber.
 *
 * The order of the members decides who gets which stretch, static members first by their instance ids,
 * so that a restart with a new member id changes nothing. Topics with the same number of partitions
 * and the same subscribers are cut alike: partition n of each goes to the same member, as joins of
 * streams need it (co-partitioning). The first members get the odd ones.
 *
 * Not sticky beyond that: a new member shifts the stretches behind it.
 *
 * Source: kafka: RangeAssignor.
 */
import type { Uuid } from "../../../ground/uuid.ts";
import type { Partitions } from "../partitions.ts";
import type { AssignorInput, AssignorMember } from "./assignor.ts";

interface Cut {
  readonly partitionCount: number;
  subscriberCount: number;
  /** How many subscribers were served, and up to where. */
  served: number;
  nextPartition: number;
}

export function assignRanges(input: AssignorInput): ReadonlyMap<string, Partitions> {
  const members = [...input.members].sort(byInstanceThenMember);
  const cuts = new Map<Uuid, Cut>();
  for (const { topicIds } of members) {
    for (const topicId of topicIds) {
      const cut = cuts.get(topicId);
      if (cut !== undefined) cut.subscriberCount++;
      else {
        const partitionCount = input.partitionCountOf(topicId);
        cuts.set(topicId, { partitionCount, subscriberCount: 1, served: 0, nextPartition: 0 });
      }
    }
  }
  const targets = new Map<string, Partitions>();
  for (const { memberId, topicIds } of members) {
    const target = new Map<Uuid, readonly number[]>();
    for (const topicId of topicIds) {
      const stretch = nextStretch(cuts.get(topicId) as Cut);
      if (stretch.length > 0) target.set(topicId, stretch);
    }
    targets.set(memberId, target);
  }
  return targets;
}

function nextStretch(cut: Cut): readonly number[] {
  const { partitionCount, subscriberCount } = cut;
  const odd = partitionCount % subscriberCount;
  const length = Math.floor(partitionCount / subscriberCount) + (cut.served < odd ? 1 : 0);
  const start = cut.nextPartition;
  cut.served++;
  cut.nextPartition += length;
  return Array.from({ length }, (_, at) => start + at);
}

function byInstanceThenMember(one: AssignorMember, other: AssignorMember): number {
  if (one.instanceId !== null && other.instanceId !== null) {
    return compare(one.instanceId, other.instanceId);
  }
  if (one.instanceId !== null) return -1;
  if (other.instanceId !== null) return 1;
  return compare(one.memberId, other.memberId);
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
