/**
 * A block of producer ids for one broker (KIP-730): a thousand at a time, so that most
 * InitProducerId requests need no record of their own. An id that was in a block is never given out
 * again, not even when the block was lost with its broker.
 */
import type { Decision } from "../decision.ts";
import type { ClusterImage } from "../image.ts";

export const PRODUCER_ID_BLOCK_COUNT = 1000;

export interface ProducerIdBlock {
  readonly firstProducerId: number;
  readonly count: number;
}

export function decideProducerIds(
  image: ClusterImage,
  brokerId: number,
): Decision<ProducerIdBlock> {
  const firstProducerId = image.nextProducerId;
  const nextProducerId = firstProducerId + PRODUCER_ID_BLOCK_COUNT;
  return {
    records: [{ kind: "producer-ids", version: 0, brokerId, nextProducerId }],
    reply: { firstProducerId, count: PRODUCER_ID_BLOCK_COUNT },
  };
}
