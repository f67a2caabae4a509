/**
 * In every image: no broker's epoch goes back, no partition's leader epoch or partition epoch does, and
 * a partition's leader is another one only by a larger leader epoch.
 */
import type { OpenMetadata } from "../../../src/runtime/quorum/metadata_view.ts";
import type { PartitionImage } from "../../../src/metadata/image.ts";
import type { ImagePositions } from "../watch_images.ts";
import type { Invariant } from "./invariant.ts";

interface Seen {
  position: number;
  readonly brokers: Map<number, number>;
  /** By topic id: what `topics` of the image handed out; each partition is never changed in place. */
  readonly partitions: Map<string, readonly PartitionImage[]>;
}

export function epochsGrow(positions: ImagePositions): Invariant {
  const seen = new WeakMap<OpenMetadata, Seen>();
  return {
    name: "epochs grow",
    onNodeEvent({ metadata }): string | undefined {
      if (metadata === undefined) return undefined;
      const { image } = metadata;
      const position = positions.of(image);
      const last = seen.get(metadata) ??
        { position: -1, brokers: new Map(), partitions: new Map() };
      if (last.position === position) return undefined;
      last.position = position;
      seen.set(metadata, last);
      for (const { brokerId, brokerEpoch } of image.brokers()) {
        const before = last.brokers.get(brokerId) ?? -1;
        if (brokerEpoch < before) return `broker ${brokerId}: ${before} to ${brokerEpoch}`;
        last.brokers.set(brokerId, brokerEpoch);
      }
      for (const { topicId, name, partitions } of image.topics()) {
        const before = last.partitions.get(topicId) ?? [];
        for (const partition of partitions) {
          const reason = goesBack(before[partition.partitionId], partition);
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
