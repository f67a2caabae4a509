/**
 * InitProducerId (key 22): gives a producer its id and epoch (KIP-98).
 *
 * Served: 0–5.
 *
 *   1   the client does the throttling (KIP-219)
 *   2   flexible (KIP-482)
 *   3   present id and epoch in the request, to go on with a greater epoch (KIP-360)
 *   4   PRODUCER_FENCED may be answered (KIP-588)
 *   5   TRANSACTION_ABORTABLE may be answered (KIP-890)
 *
 * Not served: 6, two-phase commit (KIP-939), unstable in Kafka as well.
 */
import { defineApi } from "./schema.ts";

export const initProducerId = defineApi({
  key: 22,
  name: "InitProducerId",
  versions: [0, 5],
  flexibleFrom: 2,
  request: [
    { name: "transactionalId", type: "string", versions: "0+", nullable: "0+" },
    { name: "transactionTimeoutMs", type: "int32", versions: "0+" },
    { name: "producerId", type: "int64", versions: "3+", default: -1 },
    { name: "producerEpoch", type: "int16", versions: "3+", default: -1 },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    { name: "producerId", type: "int64", versions: "0+", default: -1 },
    { name: "producerEpoch", type: "int16", versions: "0+" },
  ],
});
