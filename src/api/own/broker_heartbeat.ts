/**
 * BrokerHeartbeat (key 0x4005): a registered broker is alive, and says how far it has followed.
 *
 * STALE_BROKER_EPOCH is for one whose registration is not the latest under its id,
 * BROKER_ID_NOT_REGISTERED for one that was unregistered: both register anew.
 */
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { defineOwnApi } from "./own_api.ts";
import { Fields } from "./shape.ts";

export interface BrokerHeartbeatRequest {
  readonly brokerId: number;
  readonly brokerEpoch: number;
  /** Metadata that it has replayed ends here. */
  readonly metadataOffset: Offset;
  readonly wantFence: boolean;
  readonly wantShutDown: boolean;
}

export interface BrokerHeartbeatResponse {
  readonly errorCode: number;
  /** It has replayed at least its own registration. */
  readonly isCaughtUp: boolean;
  readonly isFenced: boolean;
  /** All leadership has been taken from it: it may stop. */
  readonly shouldShutDown: boolean;
  /** Of the active controller, where the one that was asked is not it. */
  readonly leaderId?: number | undefined;
}

export const brokerHeartbeat = defineOwnApi<BrokerHeartbeatRequest, BrokerHeartbeatResponse>({
  key: 0x4005,
  name: "BrokerHeartbeat",
  version: 0,
  asRequest(value): BrokerHeartbeatRequest | string {
    const fields = new Fields(value, "BrokerHeartbeat");
    const request = {
      brokerId: fields.id("brokerId"),
      brokerEpoch: fields.count("brokerEpoch"),
      metadataOffset: toOffset(fields.count("metadataOffset")),
      wantFence: fields.bool("wantFence"),
      wantShutDown: fields.bool("wantShutDown"),
    };
    return fields.failure ?? request;
  },
  asResponse(value): BrokerHeartbeatResponse | string {
    const fields = new Fields(value, "BrokerHeartbeat");
    const response = {
      errorCode: fields.errorCode(),
      isCaughtUp: fields.bool("isCaughtUp"),
      isFenced: fields.bool("isFenced"),
      shouldShutDown: fields.bool("shouldShutDown"),
      ...(fields.has("leaderId") ? { leaderId: fields.id("leaderId") } : {}),
    };
    return fields.failure ?? response;
  },
});
