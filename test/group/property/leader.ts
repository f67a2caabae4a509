/**
 * How the leader of a classic generation assigns, in two ways.
 *
 *   eager         everybody has given up everything: partitions go round
 *   cooperative   who has a partition keeps it, up to its share; what has to move is assigned to
 *                 nobody in this generation, and to the new owner in the next (KIP-429)
 */
import type { Subscription } from "../../../src/api/consumer_protocol.ts";
import type { ClusterImage } from "../../../src/metadata/image.ts";
import { allPlaces, type Place, placesOf, topicOf } from "./client.ts";

export interface Joined {
  readonly memberId: string;
  readonly subscription: Subscription;
}

export type Assigned = Map<string, Set<Place>>;

export function assign(
  image: ClusterImage,
  joined: readonly Joined[],
  isCooperative: boolean,
): Assigned {
  const members = [...joined].sort((one, other) => one.memberId < other.memberId ? -1 : 1);
  const topics = new Set(members.flatMap(({ subscription }) => subscription.topics));
  const places = allPlaces(image, [...topics].sort());
  return isCooperative ? keep(members, places) : goRound(members, places);
}

function goRound(members: readonly Joined[], places: readonly Place[]): Assigned {
  const assigned: Assigned = new Map(members.map(({ memberId }) => [memberId, new Set()]));
  places.forEach((place, index) => {
    const takers = members.filter((member) => wants(member, place));
    const taker = takers[index % takers.length];
    if (taker !== undefined) assigned.get(taker.memberId)?.add(place);
  });
  return assigned;
}

function keep(members: readonly Joined[], places: readonly Place[]): Assigned {
  const assigned: Assigned = new Map(members.map(({ memberId }) => [memberId, new Set()]));
  const owners = ownersOf(members);
  const share = Math.ceil(places.length / Math.max(1, members.length));
  const rest: Place[] = [];
  for (const place of places) {
    const owner = owners.get(place);
    const kept = owner === undefined ? undefined : assigned.get(owner.memberId);
    if (owner !== undefined && wants(owner, place) && (kept?.size ?? share) < share) {
      kept?.add(place);
    } else {
      rest.push(place);
    }
  }
  for (const place of rest) {
    const takers = members.filter((member) => wants(member, place));
    const loadOf = ({ memberId }: Joined): number => assigned.get(memberId)?.size ?? 0;
    const [taker] = takers.sort((one, other) => loadOf(one) - loadOf(other));
    const owner = owners.get(place);
    // Somebody still reads it: it is given away when that one has given it up.
    const isMoving = owner !== undefined && owner !== taker;
    if (taker !== undefined && !isMoving) assigned.get(taker.memberId)?.add(place);
  }
  return assigned;
}

/** Of two that claim a partition the one of the newer generation has it. */
function ownersOf(members: readonly Joined[]): Map<Place, Joined> {
  const owners = new Map<Place, Joined>();
  for (const member of members) {
    for (const place of placesOf(member.subscription.ownedPartitions)) {
      const other = owners.get(place);
      const isNewer = other === undefined ||
        member.subscription.generationId > other.subscription.generationId;
      if (isNewer) owners.set(place, member);
    }
  }
  return owners;
}

function wants({ subscription }: Joined, place: Place): boolean {
  return subscription.topics.includes(topicOf(place));
}
