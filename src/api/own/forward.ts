/**
 * Forward (key 0x4006): a request of a client that only the active controller may answer, as it came,
 * and the bytes of the answer, as they are to leave (KIP-590 in the manner of mq).
 *
 * The answer carries the offset up to which the forwarding broker must have replayed before it passes
 * the answer on, so that the client finds there what it was just told.
 */
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { defineOwnApi } from "./own_api.ts";
import { Fields } from "./shape.ts";

export interface ForwardRequest {
  /** Header and body of the request, without the length. */
  readonly frame: Uint8Array;
  readonly clientId: string | null;
}

export interface ForwardResponse {
  readonly errorCode: number;
  /** The answer without its length; empty where there is an error. */
  readonly frame: Uint8Array;
  readonly metadataOffset: Offset;
  /** Of the active controller, where the one that was asked is not it. */
  readonly leaderId?: number | undefined;
}

const CLIENT_ID_LENGTH_MAX = 0x7fff;

export const forward = defineOwnApi<ForwardRequest, ForwardResponse>({
  key: 0x4006,
  name: "Forward",
  version: 0,
  // Some of them take many seconds (AddRaftVoter): heartbeats must not wait behind them.
  lane: "forward",
  isRepeatable: false,
  asRequest(value): ForwardRequest | string {
    const fields = new Fields(value, "Forward");
    const request = {
      frame: fields.bytes("frame"),
      clientId: fields.textOrNull("clientId", CLIENT_ID_LENGTH_MAX),
    };
    return fields.failure ?? request;
  },
  asResponse(value): ForwardResponse | string {
    const fields = new Fields(value, "Forward");
    const response = {
      errorCode: fields.errorCode(),
      frame: fields.bytes("frame"),
      metadataOffset: toOffset(fields.count("metadataOffset")),
      ...(fields.has("leaderId") ? { leaderId: fields.id("leaderId") } : {}),
    };
    return fields.failure ?? response;
  },
});
