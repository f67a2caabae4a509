/** Something that holds after every event, told by who looks at the world from outside. */
import type { Partition } from "../../../src/runtime/partition.ts";
import type { SimNode } from "../sim_node.ts";

export interface Invariant {
  readonly name: string;
  /** After every event of this node, which is running with its logs open. Gives what is broken. */
  onNodeEvent(node: SimNode, partitions: readonly Partition[]): string | undefined;
}
