/**
 * Committed is durable (etcd's CommittedIsDurableInv): what a node has applied of the metadata log is on
 * the media of a majority of the voters. Looked at when a node's applied offset has moved.
 */
import type { LogManager } from "../../../src/runtime/log_manager.ts";
import { DurableEnds } from "../durable_ends.ts";
import type { SimNode } from "../sim_node.ts";
import type { Invariant } from "./invariant.ts";

const FOLDER = "/data/__cluster_metadata-0";

export function committedMetadataIsDurable(nodes: readonly SimNode[]): Invariant {
  const applied = new WeakMap<LogManager, number>();
  const ends = new DurableEnds();
  return {
    name: "committed metadata is durable",
    onNodeEvent({ logs }): string | undefined {
      if (logs === undefined) return undefined;
      const { appliedOffset } = logs.metadata;
      if (applied.get(logs) === appliedOffset) return undefined;
      applied.set(logs, appliedOffset);
      const onMedia = nodes.map(({ process }) => ends.of(process.media, FOLDER) ?? 0);
      const count = onMedia.filter((end) => end >= appliedOffset).length;
      if (2 * count > nodes.length) return undefined;
      return `applied up to ${appliedOffset}, and the media end at ${onMedia.join(", ")}`;
    },
  };
}
