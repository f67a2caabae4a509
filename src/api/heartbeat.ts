/**
 * Heartbeat (key 12): a member of a classic group lives, and learns whether it has to join again.
 *
 * Served: 0–4.
 *
 *   1   throttle time (KIP-124)
 *   2   the client does the throttling (KIP-219)
 *   3   group instance id (KIP-345)
 *   4   flexible (KIP-482)
 */
import { defineApi } from "./schema.ts";

export const heartbeat = defineApi({
  key: 12,
  name: "Heartbeat",
  versions: [0, 4],
  flexibleFrom: 4,
  request: [
    { name: "groupId", type: "string", versions: "0+" },
    { name: "generationId", type: "int32", versions: "0+" },
    { name: "memberId", type: "string", versions: "0+" },
    { name: "groupInstanceId", type: "string", versions: "3+", nullable: "3+", default: null },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
  ],
});
