/**
 * Which partitions have a replica in which rack, and whether that is worth a thought (KIP-881): only where
 * some member stands in a rack of the replicas, and the racks differ from partition to partition.
 *
 * All replicas count, also those that are offline: they are expected back sooner than a member reads anew.
 * Source: kafka AbstractPartitionAssignor.useRackAwareAssignment.
 */
import type { AssignorMember } from "./assignor.ts";

/** By topic, for each of its partitions; topics may be left out. */
export type PartitionRacks = ReadonlyMap<string, readonly ReadonlySet<string>[]>;

/** Whether a reader in this rack has a replica beside it; who stands nowhere is at home everywhere. */
export function isNear(
  { rackId }: AssignorMember,
  racks: ReadonlySet<string> | undefined,
): boolean {
  return rackId === null || racks?.has(rackId) === true;
}

/** Whether racks matter to these members for these partitions. */
export function racksMatter(
  members: readonly AssignorMember[],
  racksOf: readonly ReadonlySet<string>[],
): boolean {
  const all = new Set(racksOf.flatMap((racks) => [...racks]));
  const isShared = members.some(({ rackId }) => rackId !== null && all.has(rackId));
  return isShared && racksOf.some((racks) => racks.size < all.size);
}
