/** No broker's epoch goes back in any image, and no partition's leader epoch does. */
import type { LogManager } from "../../../src/runtime/log_manager.ts";
import type { Invariant } from "./invariant.ts";

interface Seen {
  offset: number;
  readonly brokers: Map<number, number>;
  readonly partitions: Map<string, number>;
}

export function epochsGrow(): Invariant {
  const seen = new WeakMap<LogManager, Seen>();
  return {
    name: "epochs grow",
    onNodeEvent({ logs }): string | undefined {
      if (logs === undefined) return undefined;
      const { image, appliedOffset } = logs.metadata;
      let last = seen.get(logs);
      if (last?.offset === appliedOffset) return undefined;
      last ??= { offset: 0, brokers: new Map(), partitions: new Map() };
      last.offset = appliedOffset;
      seen.set(logs, last);
      for (const { brokerId, brokerEpoch } of image.brokers()) {
        const before = last.brokers.get(brokerId) ?? -1;
        if (brokerEpoch < before) return `broker ${brokerId}: ${before} to ${brokerEpoch}`;
        last.brokers.set(brokerId, brokerEpoch);
      }
      for (const topic of image.topics()) {
        for (const { partitionId, leaderEpoch } of topic.partitions.values()) {
          const name = `${topic.topicId}-${partitionId}`;
          const before = last.partitions.get(name) ?? -1;
          if (leaderEpoch < before) return `${topic.name}: ${before} to ${leaderEpoch}`;
          last.partitions.set(name, leaderEpoch);
        }
      }
      return undefined;
    },
  };
}
