/**
 * How the leader of a classic group divides the partitions: what every assignor is given and gives.
 *
 * Whoever leads decides alone, so members written in other languages need the same names and the same
 * bytes in their subscriptions, not the same algorithm.
 */
import { readSubscription } from "../../../api/consumer_protocol.ts";
import type { AssignorName, TopicPartition } from "../../group_options.ts";
import { flattened } from "../partition_set.ts";
import type { PartitionRacks } from "./racks.ts";

export interface AssignorMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly topics: readonly string[];
  /** Where it stands; null where it does not tell. */
  readonly rackId: string | null;
  /** What it says to own, and since which generation (-1: it does not tell). */
  readonly ownedPartitions: readonly TopicPartition[];
  readonly generationId: number;
}

/** Partitions by topic; a topic that is not there has none. */
export type PartitionCounts = ReadonlyMap<string, number>;

/** By member id; every member is there. */
export type Division = ReadonlyMap<string, readonly TopicPartition[]>;

export interface Assignor {
  readonly name: AssignorName;
  /** Whether members keep what they have while the group comes to an agreement (KIP-429). */
  readonly isCooperative: boolean;
  /** `racks` is left out where nothing is known of them. */
  divide(
    members: readonly AssignorMember[],
    counts: PartitionCounts,
    racks?: PartitionRacks,
  ): Division;
}

/** From which version on a subscription itself tells the generation (KIP-792). */
const VERSION_WITH_GENERATION = 2;

/**
 * A member of which the metadata cannot be read takes part with nothing: it is subscribed to no topic.
 * Source: kafka CooperativeStickyAssignor.memberData: older subscriptions tell the generation in their
 * user data, as an int32.
 */
export function assignorMember(
  { memberId, groupInstanceId, metadata }: {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly metadata: Uint8Array;
  },
): AssignorMember {
  const subscription = readSubscription(metadata);
  if (subscription === undefined) {
    const nothing = { topics: [], rackId: null, ownedPartitions: [], generationId: -1 };
    return { memberId, groupInstanceId, ...nothing };
  }
  const { version, userData, generationId, rackId } = subscription;
  return {
    memberId,
    groupInstanceId,
    topics: [...new Set(subscription.topics)],
    rackId: rackId === "" ? null : rackId,
    ownedPartitions: flattened(subscription.ownedPartitions),
    generationId: version >= VERSION_WITH_GENERATION ? generationId : generationIn(userData),
  };
}

/** The user data of "cooperative-sticky". */
export function generationUserData(generationId: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, generationId);
  return bytes;
}

function generationIn(userData: Uint8Array | null): number {
  if (userData === null || userData.length < 4) return -1;
  return new DataView(userData.buffer, userData.byteOffset, 4).getInt32(0);
}

/** Static members first, by instance id, so that their share stays the same over restarts (KIP-345). */
export function sortedMembers(members: readonly AssignorMember[]): readonly AssignorMember[] {
  return members.toSorted((left, right) => {
    const [a, b] = [left.groupInstanceId, right.groupInstanceId];
    if (a !== null && b !== null) return compare(a, b);
    if (a !== null || b !== null) return a === null ? 1 : -1;
    return compare(left.memberId, right.memberId);
  });
}

export function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
