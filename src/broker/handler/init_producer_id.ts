/**
 * InitProducerId: an identity for a producer's sequence numbers. Without a transactional id always a
 * fresh one; with one there is no coordinator yet.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { initProducerId } from "../../api/init_producer_id.ts";
import { DiskFault } from "../../env/disk.ts";
import { PeerFault } from "../../env/network.ts";
import { type Answer, defineHandler } from "../handler.ts";

type InitAnswer = Answer<typeof initProducerId>;

export const initProducerIdHandler = defineHandler({
  api: initProducerId,
  handle(broker, request): InitAnswer | Promise<InitAnswer> {
    if (request.transactionalId === "") return refused(ErrorCode.InvalidRequest);
    if (request.transactionalId !== null) return refused(ErrorCode.CoordinatorNotAvailable);
    // Kafka: both of them, or none (KafkaApis.handleInitProducerIdRequest).
    if ((request.producerId === -1) !== (request.producerEpoch === -1)) {
      return refused(ErrorCode.InvalidRequest);
    }
    const producerId = broker.producerIds.next();
    return producerId instanceof Promise
      ? producerId.then(given).catch(onFault)
      : given(producerId);
  },
});

function given(producerId: number): InitAnswer {
  return { errorCode: ErrorCode.None, producerId, producerEpoch: 0 };
}

/** A controller that cannot be reached may be there in a moment: the client asks again. */
function onFault(error: unknown): InitAnswer {
  if (error instanceof DiskFault) return refused(ErrorCode.KafkaStorageError);
  if (!(error instanceof PeerFault)) throw error;
  return refused(ErrorCode.CoordinatorLoadInProgress);
}

function refused(errorCode: ErrorCode): InitAnswer {
  return { errorCode, producerId: -1, producerEpoch: -1 };
}
