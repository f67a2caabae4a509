/**
 * Which partition of `__consumer_offsets` a group belongs to: Java's hash of the group's id, as every
 * broker and tool of Kafka computes it (kafka: Utils.abs, GroupCoordinatorService.partitionFor).
 */

const MULTIPLIER = 31;
const INT32_MIN = -0x8000_0000;

/** Java's String.hashCode, over UTF-16 units. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash, MULTIPLIER) + text.charCodeAt(index) | 0;
  }
  return hash;
}

export function groupPartition(groupId: string, partitionCount: number): number {
  const hash = javaHash(groupId);
  // Java's Math.abs has no answer for the smallest int; Kafka's has 0.
  return (hash === INT32_MIN ? 0 : Math.abs(hash)) % partitionCount;
}
