/**
 * The assignor "range": every topic is cut into one stretch of neighbouring partitions per subscriber.
 *
 * The order of the members decides who gets which stretch, static members first by their instance ids,
 * so that a restart with a new member id changes nothing. Topics with the same number of partitions
 * and the same subscribers are cut alike: partition n of each goes to the same member, as joins of
 * streams need it (co-partitioning). The first members get the odd ones.
 *
 * Where racks are known, stretches have holes: partitions are exchanged as long as that brings one home,
 * in topics that are cut alike all at once, so that they stay so.
 *
 * Not sticky beyond that: a new member shifts the stretches behind it.
 *
 * Source: kafka: RangeAssignor.
 */
import type { Uuid } from "../../../ground/uuid.ts";
import type { Partitions } from "../partitions.ts";
import { type AssignorInput, type AssignorMember, NO_OWNER } from "./assignor.ts";
import { RackMap } from "./rack_map.ts";
import { matchRacks } from "./rack_matching.ts";

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
  const targets = new Map<string, Map<Uuid, readonly number[]>>();
  for (const { memberId, topicIds } of members) {
    const target = new Map<Uuid, readonly number[]>();
    for (const topicId of topicIds) {
      const stretch = nextStretch(cuts.get(topicId) as Cut);
      if (stretch.length > 0) target.set(topicId, stretch);
    }
    targets.set(memberId, target);
  }
  const racks = RackMap.of(input, members);
  if (racks !== undefined) {
    for (const alike of cutAlike(members, cuts)) bringHome(alike, members, racks, targets);
  }
  return targets;
}

/** Topics of one size and one set of subscribers. */
interface CutAlike {
  readonly partitionCount: number;
  readonly topicIds: readonly Uuid[];
}

function cutAlike(
  members: readonly AssignorMember[],
  cuts: ReadonlyMap<Uuid, Cut>,
): Iterable<CutAlike> {
  const subscribers = new Map<Uuid, number[]>(Array.from(cuts.keys(), (topicId) => [topicId, []]));
  members.forEach(({ topicIds }, at) => {
    for (const topicId of topicIds) subscribers.get(topicId)?.push(at);
  });
  const found = new Map<string, { partitionCount: number; topicIds: Uuid[] }>();
  for (const [topicId, { partitionCount }] of cuts) {
    const key = `${partitionCount}:${subscribers.get(topicId)?.join(",")}`;
    const alike = found.get(key);
    if (alike === undefined) found.set(key, { partitionCount, topicIds: [topicId] });
    else alike.topicIds.push(topicId);
  }
  return found.values();
}

function bringHome(
  { partitionCount, topicIds }: CutAlike,
  members: readonly AssignorMember[],
  racks: RackMap,
  targets: ReadonlyMap<string, Map<Uuid, readonly number[]>>,
): void {
  const area = {
    owners: new Int32Array(partitionCount),
    classes: new Int32Array(partitionCount),
    // Nobody is to keep anything.
    before: new Int32Array(partitionCount).fill(NO_OWNER),
  };
  const first = topicIds[0] as Uuid;
  members.forEach(({ memberId }, member) => {
    for (const id of targets.get(memberId)?.get(first) ?? []) area.owners[id] = member;
  });
  classifyAll(topicIds, racks, area.classes);
  if (!matchRacks(area, racks)) return;
  const stretches: number[][] = members.map(() => []);
  area.owners.forEach((member, id) => stretches[member]?.push(id));
  members.forEach(({ memberId }, member) => {
    const target = targets.get(memberId);
    const stretch = stretches[member] as readonly number[];
    if (stretch.length === 0) return;
    for (const topicId of topicIds) target?.set(topicId, stretch);
  });
}

/** Home is a rack that has a replica of that partition of every one of the topics. */
function classifyAll(topicIds: readonly Uuid[], racks: RackMap, classes: Int32Array): void {
  const ofTopic = new Int32Array(classes.length);
  topicIds.forEach((topicId, at) => {
    racks.classify(topicId, ofTopic);
    if (at === 0) classes.set(ofTopic);
    else ofTopic.forEach((each, id) => classes[id] = racks.both(classes[id] as number, each));
  });
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
