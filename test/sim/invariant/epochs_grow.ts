/**
 * In every image: no broker's epoch goes back, no partition's leader epoch or partition epoch does, and
 * a partition's leader is another one only by a larger leader epoch.
 */
import type { PartitionImage } from "../../../src/metadata/image.ts";
import type { OpenMetadata } from "../../../src/runtime/quorum/metadata_view.ts";
import type { Invariant } from "./invariant.ts";

interface Seen {
  readonly brokers: Map<number, number>;
  /** By topic id: what `topics` of the image handed out; each partition is never changed in place. */
  readonly partitions: Map<string, readonly PartitionImage[]>;
}

export function epochsGrow(): Invariant {
  const seen = new WeakMap<OpenMetadata, Seen>();
  return {
    name: "epochs grow",
    onMetadata(_node, { metadata, position }, before): string | undefined {
      if (before?.position === position) return undefined;
      const { image } = metadata;
      const last = seen.get(metadata) ?? { brokers: new Map(), partitions: new Map() };
      seen.set(metadata, last);
      for (const { brokerId, brokerEpoch } of image.brokers()) {
        const known = last.brokers.get(brokerId) ?? -1;
        if (brokerEpoch < known) return `broker ${brokerId}: ${known} to ${brokerEpoch}`;
        last.brokers.set(brokerId, brokerEpoch);
      }
      for (const { topicId, name, partitions } of image.topics()) {
        const known = last.partitions.get(topicId) ?? [];
        for (const partition of partitions) {
          const reason = goesBack(known[partition.partitionId], partition);
          if (reason !== undefined) return `${name}-${partition.partitionId}: ${reason}`;
        }
        last.partitions.set(topicId, [...partitions]);
      }
      return undefined;
    },
  };
}

function goesBack(before: PartitionImage | undefined, now: PartitionImage): string | undefined {
  if (before === undefined || before === now) return undefined;
  if (now.leaderEpoch < before.leaderEpoch) {
    return `leader epoch ${before.leaderEpoch} to ${now.leaderEpoch}`;
  }
  if (now.partitionEpoch < before.partitionEpoch) {
    return `partition epoch ${before.partitionEpoch} to ${now.partitionEpoch}`;
  }
  // A snapshot hands the same out anew.
  if (
    now.partitionEpoch === before.partitionEpoch && JSON.stringify(now) !== JSON.stringify(before)
  ) {
    return `is another one in partition epoch ${now.partitionEpoch}: ${JSON.stringify(now)}`;
  }
  return now.leader !== before.leader && now.leaderEpoch === before.leaderEpoch
    ? `leader ${before.leader} to ${now.leader} in leader epoch ${now.leaderEpoch}`
    : undefined;
}
