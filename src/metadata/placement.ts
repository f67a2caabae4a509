/**
 * Which brokers have the replicas of new partitions: spread over brokers and racks, leaders in turn.
 *
 *     brokers 1 to 4, two replicas, by partition:   1 2   2 3   3 4   4 1   1 3   2 4   3 1   4 2 …
 *
 * The leader of each partition is the active broker that leads the fewest of those placed here, so
 * that after any number of partitions the leaders of two brokers differ by one at most. The other
 * replicas go, one by one, to active brokers before others, then to the racks that the partition has
 * the fewest replicas in, then to the broker with the least load: its replicas, and once more those in
 * which it follows this leader. Among equals brokers come in a round that begins behind the leader, and
 * one further in every round of leaders. Else one broker would follow another in all its partitions,
 * and take over all of its work when it fails.
 *
 * Draws on kafka: StripedReplicaPlacer (racks in turn, only active leaders, fenced brokers last). Unlike
 * there an active broker of a rack that is used already comes before a fenced one of another rack, and
 * racks of different sizes do not unbalance the leaders. What was placed earlier does not count: a new
 * broker would get all the load of what is new.
 */
import { ErrorCode } from "../api/error_code.ts";
import type { ClusterImage } from "./image.ts";
import { type Refusal, refusal } from "./refusal.ts";

export interface PlacedBroker {
  readonly brokerId: number;
  /** Brokers without a rack are one rack together. */
  readonly rack: string | null;
  readonly isActive: boolean;
}

export function placedBrokers(image: ClusterImage): readonly PlacedBroker[] {
  return image.brokers().map(({ brokerId, rack }) => ({
    brokerId,
    rack,
    isActive: image.isActive(brokerId),
  }));
}

interface Candidate extends PlacedBroker {
  /** In the order of ids, turned by where the placing begins. */
  readonly place: number;
  leaderCount: number;
  replicaCount: number;
  /** Partitions in which it follows, by the place of their leader. */
  readonly follows: number[];
}

export class ReplicaPlacer {
  readonly #candidates: readonly Candidate[];
  readonly #active: readonly Candidate[];
  #partitionCount = 0;

  /** `start` turns the round, so that not everything begins with the same broker. */
  constructor(brokers: readonly PlacedBroker[], start: number) {
    const inOrder = [...brokers].sort((one, other) => one.brokerId - other.brokerId);
    const from = inOrder.length === 0 ? 0 : Math.abs(Math.trunc(start)) % inOrder.length;
    this.#candidates = [...inOrder.slice(from), ...inOrder.slice(0, from)].map((broker, place) => ({
      ...broker,
      place,
      leaderCount: 0,
      replicaCount: 0,
      follows: inOrder.map(() => 0),
    }));
    this.#active = this.#candidates.filter(({ isActive }) => isActive);
  }

  /** Replicas by partition, the leader first; or why there are none, with nothing placed. */
  place(
    partitionCount: number,
    replicationFactor: number,
  ): readonly (readonly number[])[] | Refusal {
    const reason = this.#refuse(replicationFactor);
    if (reason !== undefined) {
      const message = `Unable to replicate the partition ${replicationFactor} time(s): ${reason}`;
      return refusal(ErrorCode.InvalidReplicationFactor, message);
    }
    return Array.from({ length: partitionCount }, () => this.#placeOne(replicationFactor));
  }

  #refuse(replicationFactor: number): string | undefined {
    if (replicationFactor <= 0) {
      return `Invalid replication factor ${replicationFactor}: the replication factor must be positive.`;
    }
    if (this.#active.length === 0) {
      return "All brokers are currently fenced or in controlled shutdown.";
    }
    const count = this.#candidates.length;
    if (replicationFactor <= count) return undefined;
    return `The target replication factor of ${replicationFactor} cannot be reached because only ` +
      `${count} broker(s) are registered.`;
  }

  #placeOne(replicationFactor: number): readonly number[] {
    const leader = this.#active.reduce((least, one) =>
      one.leaderCount < least.leaderCount ? one : least
    );
    const brokerCount = this.#candidates.length;
    const round = Math.floor(this.#partitionCount / this.#active.length);
    // Never the leader's own place: those behind it are 1 … brokerCount − 1 away.
    const shift = brokerCount > 1 ? 1 + round % (brokerCount - 1) : 0;
    const turnOf = ({ place }: Candidate): number =>
      (place - leader.place - shift + 2 * brokerCount) % brokerCount;
    const loadOf = ({ replicaCount, follows }: Candidate): number =>
      replicaCount + (follows[leader.place] as number);
    const chosen: Candidate[] = [leader];
    while (chosen.length < replicationFactor) {
      const usesOfRack = (rack: string | null): number =>
        chosen.reduce((count, one) => one.rack === rack ? count + 1 : count, 0);
      let best: Candidate | undefined;
      for (const one of this.#candidates) {
        if (chosen.includes(one)) continue;
        if (best === undefined || isBefore(one, best, { usesOfRack, loadOf, turnOf })) best = one;
      }
      chosen.push(best as Candidate);
    }
    this.#partitionCount++;
    leader.leaderCount++;
    for (const one of chosen) {
      one.replicaCount++;
      one.follows[leader.place] = (one.follows[leader.place] as number) + 1;
    }
    return chosen.map(({ brokerId }) => brokerId);
  }
}

interface Order {
  readonly usesOfRack: (rack: string | null) => number;
  readonly loadOf: (one: Candidate) => number;
  readonly turnOf: (one: Candidate) => number;
}

function isBefore(one: Candidate, other: Candidate, order: Order): boolean {
  const { usesOfRack, loadOf, turnOf } = order;
  if (one.isActive !== other.isActive) return one.isActive;
  if (one.rack !== other.rack) {
    const difference = usesOfRack(one.rack) - usesOfRack(other.rack);
    if (difference !== 0) return difference < 0;
  }
  const difference = loadOf(one) - loadOf(other);
  return difference === 0 ? turnOf(one) < turnOf(other) : difference < 0;
}
