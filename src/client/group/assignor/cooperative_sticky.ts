/**
 * "cooperative-sticky": as even as the subscriptions allow, with as few partitions moving as may be;
 * and what moves goes through nobody's hands for one generation (KIP-429).
 *
 * Three steps: everybody keeps what he owns; what nobody owns goes to the least loaded; then, as long as
 * somebody could be relieved, a partition goes from him to one with at least two fewer, if need be over
 * others that each pass one on. Without such a path no division is more even (Harvey et al., "Semi-matchings
 * for bipartite graphs", 2006).
 *
 * At last, a partition whose new owner is not the one who claims it is left out: its owner sees that it
 * is gone, gives it back and joins anew, and the next division has it free.
 *
 * Not here: racks (KIP-881). To move what is owned to a nearer member is a movement that buys another one.
 */
import { assert } from "../../../ground/assert.ts";
import type { TopicPartition } from "../../group_options.ts";
import { partitionKey, PartitionSet } from "../partition_set.ts";
import {
  type Assignor,
  type AssignorMember,
  compare,
  type Division,
  type PartitionCounts,
  sortedMembers,
} from "./assignor.ts";

interface Share {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly byTopic: Map<string, Holding>;
  count: number;
}

/** Partitions of one topic: those that were owned before, and those that were not, which move first. */
interface Holding {
  readonly kept: number[];
  readonly fresh: number[];
}

interface Claim {
  readonly memberId: string;
  readonly generationId: number;
}

export const cooperativeSticky: Assignor = {
  name: "cooperative-sticky",
  isCooperative: true,
  divide(members, counts): Division {
    const claims = claimsOf(members, counts);
    const shares = sortedMembers(members).map(({ memberId, topics }): Share => {
      return { memberId, topics, byTopic: new Map(), count: 0 };
    });
    const free = keepOwned(shares, claims, counts);
    const subscribers = subscribersOf(shares);
    for (const { topic, partition } of inOrderOfChoice(free, subscribers)) {
      const least = leastLoaded(subscribers.get(topic) ?? []);
      if (least !== undefined) give(least, topic).fresh.push(partition);
    }
    while (relieve(shares, subscribers));
    return withoutMoving(shares, claims);
  },
};

/** Who says to own what: partitions that are there, and topics to which he is subscribed. */
function claimsOf(
  members: readonly AssignorMember[],
  counts: PartitionCounts,
): ReadonlyMap<string, readonly Claim[]> {
  const claims = new Map<string, Claim[]>();
  for (const { memberId, generationId, ownedPartitions } of members) {
    for (const owned of new PartitionSet(ownedPartitions).list()) {
      if (owned.partition >= (counts.get(owned.topic) ?? 0)) continue;
      const key = partitionKey(owned);
      const claim = { memberId, generationId };
      const others = claims.get(key);
      if (others === undefined) claims.set(key, [claim]);
      else others.push(claim);
    }
  }
  return claims;
}

/** The newest claim; undefined where two are equally new, one of which must be wrong. */
function ownerIn(claims: readonly Claim[] = []): string | undefined {
  const newest = Math.max(...claims.map(({ generationId }) => generationId));
  const owners = claims.filter(({ generationId }) => generationId === newest);
  return owners.length === 1 ? owners[0]?.memberId : undefined;
}

/** Gives everybody what he owns and still wants; returns what is left. */
function keepOwned(
  shares: readonly Share[],
  claims: ReadonlyMap<string, readonly Claim[]>,
  counts: PartitionCounts,
): readonly TopicPartition[] {
  const byId = new Map(shares.map((share) => [share.memberId, share]));
  const free: TopicPartition[] = [];
  for (const [topic, count] of [...counts].sort(([left], [right]) => compare(left, right))) {
    for (let partition = 0; partition < count; partition++) {
      const owner = byId.get(ownerIn(claims.get(partitionKey({ topic, partition }))) ?? "");
      if (owner?.topics.includes(topic) === true) give(owner, topic).kept.push(partition);
      else free.push({ topic, partition });
    }
  }
  return free;
}

function subscribersOf(shares: readonly Share[]): ReadonlyMap<string, readonly Share[]> {
  const subscribers = new Map<string, Share[]>();
  for (const share of shares) {
    for (const topic of share.topics) {
      const ofTopic = subscribers.get(topic);
      if (ofTopic === undefined) subscribers.set(topic, [share]);
      else ofTopic.push(share);
    }
  }
  return subscribers;
}

/** First those that the fewest can take. */
function inOrderOfChoice(
  partitions: readonly TopicPartition[],
  subscribers: ReadonlyMap<string, readonly Share[]>,
): readonly TopicPartition[] {
  const choices = ({ topic }: TopicPartition): number => subscribers.get(topic)?.length ?? 0;
  return partitions.toSorted((left, right) => choices(left) - choices(right));
}

function mostLoaded(
  shares: readonly Share[],
  without: ReadonlySet<Share>,
): Share | undefined {
  let most: Share | undefined;
  for (const share of shares) {
    if (share.count > (most?.count ?? -1) && !without.has(share)) most = share;
  }
  return most;
}

function leastLoaded(shares: readonly Share[]): Share | undefined {
  let least: Share | undefined;
  for (const share of shares) if (share.count < (least?.count ?? Infinity)) least = share;
  return least;
}

/** Where a partition more is to be put. */
function give(share: Share, topic: string): Holding {
  let holding = share.byTopic.get(topic);
  if (holding === undefined) {
    holding = { kept: [], fresh: [] };
    share.byTopic.set(topic, holding);
  }
  share.count++;
  return holding;
}

/** Makes the division more even by one step; false where that is not possible. */
function relieve(
  shares: readonly Share[],
  subscribers: ReadonlyMap<string, readonly Share[]>,
): boolean {
  const least = leastLoaded(shares)?.count ?? 0;
  const stuck = new Set<Share>();
  for (;;) {
    const from = mostLoaded(shares, stuck);
    if (from === undefined || from.count < least + 2) return false;
    stuck.add(from);
    const steps = reachable(from, subscribers, least);
    const to = leastLoaded([...steps.keys()]);
    if (to === undefined || to.count > from.count - 2) continue;
    for (let receiver = to; receiver !== from;) {
      const step = steps.get(receiver) as Step;
      give(receiver, step.topic).fresh.push(taken(step));
      receiver = step.from;
    }
    return true;
  }
}

interface Step {
  readonly from: Share;
  readonly topic: string;
}

/**
 * Everybody to whom a partition can go from here, over others; and from whom he would get which topic.
 * Looks no further where it has found one who has as few as `least`.
 */
function reachable(
  start: Share,
  subscribers: ReadonlyMap<string, readonly Share[]>,
  least: number,
): ReadonlyMap<Share, Step> {
  const steps = new Map<Share, Step>();
  const seenTopics = new Set<string>();
  const open = [start];
  for (let from = open.shift(); from !== undefined; from = open.shift()) {
    for (const [topic, { kept, fresh }] of from.byTopic) {
      if (kept.length + fresh.length === 0 || seenTopics.has(topic)) continue;
      seenTopics.add(topic);
      for (const share of subscribers.get(topic) ?? []) {
        if (share === start || steps.has(share)) continue;
        steps.set(share, { from, topic });
        if (share.count === least) return steps;
        open.push(share);
      }
    }
  }
  return steps;
}

/** Takes a partition away; one that was not owned, where there is one. */
function taken({ from, topic }: Step): number {
  const holding = from.byTopic.get(topic);
  const partition = holding?.fresh.pop() ?? holding?.kept.pop();
  assert(partition !== undefined, "who passes a partition on has one");
  from.count--;
  return partition;
}

/** Source: kafka CooperativeStickyAssignor.adjustAssignment. */
function withoutMoving(
  shares: readonly Share[],
  claims: ReadonlyMap<string, readonly Claim[]>,
): Division {
  return new Map(shares.map(({ memberId, byTopic }) => {
    const partitions = [...byTopic].flatMap(([topic, ofTopic]) =>
      [...ofTopic.kept, ...ofTopic.fresh].map((partition) => ({ topic, partition }))
    );
    return [
      memberId,
      partitions.filter((partition) => {
        const others = claims.get(partitionKey(partition)) ?? [];
        const own = others.find((claim) => claim.memberId === memberId);
        return others.every((claim) =>
          claim === own || (own !== undefined && claim.generationId < own.generationId)
        );
      }),
    ];
  }));
}
