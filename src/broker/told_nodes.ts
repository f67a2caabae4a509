/**
 * What other nodes have told of themselves by their Hello: their release, what they can work with, where
 * they are. The latest of each, and of no more nodes than a cluster can have.
 */
import type { Address } from "../env/network.ts";
import type { FeatureRange } from "../metadata/record.ts";

export interface ToldNode {
  readonly release: string;
  /** One of an earlier release only names that. */
  readonly features?: readonly FeatureRange[] | undefined;
  readonly address?: Address | undefined;
}

/** Many more than a cluster has nodes. */
const NODES_MAX = 1000;

export class ToldNodes {
  /** By node id, the one heard longest ago first. */
  readonly #nodes = new Map<number, ToldNode>();

  get(nodeId: number): ToldNode | undefined {
    return this.#nodes.get(nodeId);
  }

  /** Who does not say where it is, is where it was. */
  heard(nodeId: number, { release, features, address }: ToldNode): void {
    const before = this.#nodes.get(nodeId);
    this.#nodes.delete(nodeId);
    this.#nodes.set(nodeId, { release, features, address: address ?? before?.address });
    const [oldest] = this.#nodes.keys();
    if (this.#nodes.size > NODES_MAX) this.#nodes.delete(oldest as number);
  }
}
