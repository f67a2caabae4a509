/** AllocateProducerIds (key 0x4007): a block of producer ids that nobody else gets (KIP-730). */
import { defineOwnApi } from "./own_api.ts";
import { Fields, INT32_MAX } from "./shape.ts";

export interface AllocateProducerIdsRequest {
  readonly brokerId: number;
  readonly brokerEpoch: number;
}

export interface AllocateProducerIdsResponse {
  readonly errorCode: number;
  readonly firstProducerId: number;
  readonly count: number;
  /** Of the active controller, where the one that was asked is not it. */
  readonly leaderId?: number | undefined;
}

export const allocateProducerIds = defineOwnApi<
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse
>({
  key: 0x4007,
  name: "AllocateProducerIds",
  version: 0,
  asRequest(value): AllocateProducerIdsRequest | string {
    const fields = new Fields(value, "AllocateProducerIds");
    const request = { brokerId: fields.id("brokerId"), brokerEpoch: fields.count("brokerEpoch") };
    return fields.failure ?? request;
  },
  asResponse(value): AllocateProducerIdsResponse | string {
    const fields = new Fields(value, "AllocateProducerIds");
    const response = {
      errorCode: fields.errorCode(),
      firstProducerId: fields.int("firstProducerId", -1, Number.MAX_SAFE_INTEGER),
      count: fields.int("count", 0, INT32_MAX),
      ...(fields.has("leaderId") ? { leaderId: fields.id("leaderId") } : {}),
    };
    return fields.failure ?? response;
  },
});
