/**
 * Something that holds after every event, told by who looks at the world from outside.
 *
 * Each says what it rests on, and is asked when that has changed (`checks.ts`): it would come to the same
 * end otherwise. All of them give what is broken.
 */
import type { SoftState } from "../../../src/raft/ready.ts";
import type { Partition } from "../../../src/runtime/partition.ts";
import type { MetadataQuorum } from "../../../src/runtime/quorum/metadata_quorum.ts";
import type { OpenMetadata } from "../../../src/runtime/quorum/metadata_view.ts";
import type { SimNode } from "../sim_node.ts";

export interface PartitionNumbers {
  highWatermark: number;
  logStartOffset: number;
  logEndOffset: number;
  recoveryPoint: number;
}

/** How far a node's metadata has come. */
export interface MetadataState {
  readonly metadata: OpenMetadata;
  readonly appliedOffset: number;
  /** The offset behind the last record in the image. */
  readonly position: number;
}

export interface Invariant {
  readonly name: string;
  /** After every event of a node that runs, where it rests on what changes with time. */
  onNodeEvent?(node: SimNode): string | undefined;
  /** The partition is new, or one of its numbers is; `before` then has what they were. */
  onPartition?(partition: PartitionOfNode): string | undefined;
  /** The node has other metadata, or has come further; `before` is of the same metadata. */
  onMetadata?(
    node: SimNode,
    now: MetadataState,
    before: MetadataState | undefined,
  ): string | undefined;
  /** The node's part in the quorum is another one; `before` is of the same life. */
  onQuorum?(quorum: QuorumOfNode): string | undefined;
}

export interface PartitionOfNode {
  readonly node: SimNode;
  readonly partition: Partition;
  readonly now: PartitionNumbers;
  readonly before: PartitionNumbers | undefined;
}

export interface QuorumOfNode {
  readonly node: SimNode;
  readonly quorum: MetadataQuorum;
  readonly now: SoftState;
  readonly before: SoftState | undefined;
}
