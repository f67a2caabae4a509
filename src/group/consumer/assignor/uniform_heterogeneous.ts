/**
 * "uniform" where members are subscribed to different topics.
 *
 * First what is free is handed out: topic by topic, those with the most partitions per subscriber
 * first, always to the subscriber with the least load. Then topics are levelled, again and again, until
 * none changes: where an owner of a topic has two partitions more than another subscriber of it, the
 * loads of its subscribers are made as equal as this topic's partitions can make them, and no more
 * moves than that takes. Every such move makes the sum of the squared loads smaller, so it ends; rounds
 * are bounded all the same. Where racks are known, partitions of a topic are exchanged at the end as long
 * as that brings one home.
 *
 * What this does not find: an exchange over two topics at once, which would level a chain of
 * overlapping subscriptions by one more. Kafka's does not either.
 *
 * Source: kafka: UniformHeterogeneousAssignmentBuilder (its rules, not its way).
 */
import type { Uuid } from "../../../ground/uuid.ts";
import type { Partitions } from "../partitions.ts";
import { type AssignorInput, NO_OWNER, Ownership } from "./assignor.ts";
import { RackMap } from "./rack_map.ts";
import { areasOf, matchRacks } from "./rack_matching.ts";

const ROUNDS_MAX = 64;

interface Topic {
  readonly topicId: Uuid;
  readonly owners: Int32Array;
  /** Places in the list of members, ascending. */
  readonly subscribers: readonly number[];
}

export function assignHeterogeneous(input: AssignorInput): ReadonlyMap<string, Partitions> {
  const subscriptions = input.members.map(({ topicIds }) => new Set(topicIds));
  const ownership = new Ownership(
    input,
    (member, topicId) => subscriptions[member]?.has(topicId) === true,
  );
  const before = ownership.all.slice();
  const topics = topicsOf(input, ownership);
  for (const topic of topics) handOut(ownership, topic);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let hasMoved = false;
    for (const topic of topics) if (level(ownership, topic)) hasMoved = true;
    if (!hasMoved) break;
  }
  bringHome(input, ownership, before);
  return ownership.targets();
}

function bringHome(input: AssignorInput, ownership: Ownership, before: Int32Array): void {
  const racks = RackMap.of(input);
  if (racks === undefined) return;
  const dealt = ownership.all.slice();
  for (const topic of areasOf(ownership, before, racks).topics) matchRacks(topic, racks);
  ownership.exchanged(dealt);
}

function topicsOf({ members }: AssignorInput, { owners }: Ownership): readonly Topic[] {
  const subscribers = new Map<Uuid, number[]>();
  members.forEach(({ topicIds }, member) => {
    for (const topicId of topicIds) {
      const found = subscribers.get(topicId);
      if (found === undefined) subscribers.set(topicId, [member]);
      else found.push(member);
    }
  });
  const topics: Topic[] = [];
  for (const [topicId, list] of subscribers) {
    topics.push({ topicId, owners: owners.get(topicId) as Int32Array, subscribers: list });
  }
  return topics.sort(byScarcityOfSubscribers);
}

function byScarcityOfSubscribers(one: Topic, other: Topic): number {
  return other.owners.length / other.subscribers.length -
      one.owners.length / one.subscribers.length ||
    one.subscribers.length - other.subscribers.length || (one.topicId < other.topicId ? -1 : 1);
}

/** Gives what is free to the least loaded; nobody gives up anything. */
function handOut(ownership: Ownership, { owners, subscribers }: Topic): void {
  const { loads } = ownership;
  let free = 0;
  for (let id = 0; id < owners.length; id++) if (owners[id] === NO_OWNER) free++;
  if (free === 0) return;
  const shares = sharesOf(subscribers, (member) => loads[member] as number, free, () => 0);
  const gets: number[] = [];
  subscribers.forEach((member, at) => {
    for (let count = shares[at] as number; count > 0; count--) gets.push(member);
  });
  give(ownership, owners, gets);
}

/** Makes the loads of the subscribers as equal as this topic can; false where they are so already. */
function level(ownership: Ownership, { owners, subscribers }: Topic): boolean {
  const { loads } = ownership;
  const held = new Map<number, number>();
  for (let id = 0; id < owners.length; id++) {
    const owner = owners[id] as number;
    held.set(owner, (held.get(owner) ?? 0) + 1);
  }
  let most = -Infinity;
  let least = Infinity;
  for (const member of subscribers) {
    const load = loads[member] as number;
    if (load < least) least = load;
    if (load > most && held.has(member)) most = load;
  }
  if (most - least <= 1) return false;
  const heldBy = (member: number): number => held.get(member) ?? 0;
  const others = (member: number): number => (loads[member] as number) - heldBy(member);
  const shares = sharesOf(subscribers, others, owners.length, heldBy);
  const gets: number[] = [];
  const giving = new Map<number, number>();
  subscribers.forEach((member, at) => {
    const change = (shares[at] as number) - heldBy(member);
    if (change < 0) giving.set(member, -change);
    for (let count = 0; count < change; count++) gets.push(member);
  });
  for (let id = owners.length - 1; id >= 0; id--) {
    const owner = owners[id] as number;
    const left = giving.get(owner) ?? 0;
    if (left === 0) continue;
    ownership.take(owners, id);
    giving.set(owner, left - 1);
  }
  give(ownership, owners, gets);
  return true;
}

function give(ownership: Ownership, owners: Int32Array, gets: readonly number[]): void {
  let at = 0;
  for (let id = 0; id < owners.length && at < gets.length; id++) {
    if (owners[id] === NO_OWNER) ownership.give(owners, id, gets[at++] as number);
  }
}

/**
 * How `count` partitions are shared out so that the loads end as level as they can: water poured over
 * an uneven floor.
 *
 * Shape:  the answer goes with `subscribers`; its sum is `count`.
 * Keeps:  the odd ones go first to those that hold more than the level gives them, then to the first.
 */
function sharesOf(
  subscribers: readonly number[],
  floorOf: (member: number) => number,
  count: number,
  heldBy: (member: number) => number,
): Int32Array {
  const floors = Int32Array.from(subscribers, floorOf);
  const sorted = Int32Array.from(floors).sort();
  // The level: how many stand in the water grows while the next floor is not above it.
  let standing = 1;
  let water = count;
  for (; standing < sorted.length; standing++) {
    const rise = (sorted[standing] as number) - (sorted[standing - 1] as number);
    if (rise * standing > water) break;
    water -= rise * standing;
  }
  const height = (sorted[standing - 1] as number) + Math.floor(water / standing);
  const shares = floors.map((floor) => Math.max(0, height - floor));
  let odd = count - shares.reduce((sum, share) => sum + share, 0);
  const mayGetOne = (at: number): boolean => (floors[at] as number) <= height;
  for (const wantsHolder of [true, false]) {
    for (let at = 0; at < floors.length && odd > 0; at++) {
      const member = subscribers[at] as number;
      const isHolder = heldBy(member) > (height - (floors[at] as number));
      if (!mayGetOne(at) || isHolder !== wantsHolder) continue;
      (shares[at] as number)++;
      odd--;
    }
  }
  return shares;
}
