/**
 * A block of producer ids for one broker (KIP-730): a thousand at a time, so that most
 * InitProducerId requests need no record of their own. An id that was in a block is never given out
 * again, not even when the block was lost with its broker.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { refuseBrokerEpoch } from "../broker_epoch.ts";
import type { Decision } from "../decision.ts";
import type { ClusterImage } from "../image.ts";
import { refusal } from "../refusal.ts";

export const PRODUCER_ID_BLOCK_COUNT = 1000;

export interface ProducerIdBlock {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
  /** -1 where there is none. */
  readonly firstProducerId: number;
  readonly count: number;
}

export interface ProducerIdsRequest {
  readonly brokerId: number;
  /** Left out by who is no other incarnation for certain. */
  readonly brokerEpoch?: number;
}

export function decideProducerIds(
  image: ClusterImage,
  { brokerId, brokerEpoch }: ProducerIdsRequest,
): Decision<ProducerIdBlock> {
  const firstProducerId = image.nextProducerId;
  const nextProducerId = firstProducerId + PRODUCER_ID_BLOCK_COUNT;
  const reason = brokerEpoch === undefined
    ? undefined
    : refuseBrokerEpoch(image, brokerId, brokerEpoch);
  const exhausted = Number.isSafeInteger(nextProducerId) ? undefined : refusal(
    ErrorCode.UnknownServerError,
    "Exhausted all producerIds as the next block's end producerId has exceeded the int64 type limit",
  );
  const refused = reason ?? exhausted;
  if (refused !== undefined) {
    return { records: [], reply: { ...refused, firstProducerId: -1, count: 0 } };
  }
  return {
    records: [{ kind: "producer-ids", version: 0, brokerId, nextProducerId }],
    reply: {
      errorCode: ErrorCode.None,
      errorMessage: null,
      firstProducerId,
      count: PRODUCER_ID_BLOCK_COUNT,
    },
  };
}
