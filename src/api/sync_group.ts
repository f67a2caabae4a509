/**
 * SyncGroup (key 14): the leader of a classic group hands in the assignments, each member gets its own.
 *
 * Served: 0–5.
 *
 *   1   throttle time (KIP-124)
 *   2   the client does the throttling (KIP-219)
 *   3   group instance id (KIP-345)
 *   4   flexible (KIP-482)
 *   5   protocol type and name in both messages, and refused where they are not the group's (KIP-559)
 *
 * Members other than the leader send no assignments, and are answered once the leader has.
 */
import { defineApi } from "./schema.ts";

export const syncGroup = defineApi({
  key: 14,
  name: "SyncGroup",
  versions: [0, 5],
  flexibleFrom: 4,
  request: [
    { name: "groupId", type: "string", versions: "0+" },
    { name: "generationId", type: "int32", versions: "0+" },
    { name: "memberId", type: "string", versions: "0+" },
    { name: "groupInstanceId", type: "string", versions: "3+", nullable: "3+", default: null },
    { name: "protocolType", type: "string", versions: "5+", nullable: "5+", default: null },
    { name: "protocolName", type: "string", versions: "5+", nullable: "5+", default: null },
    {
      name: "assignments",
      array: [
        { name: "memberId", type: "string", versions: "0+" },
        { name: "assignment", type: "bytes", versions: "0+" },
      ],
      versions: "0+",
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    { name: "protocolType", type: "string", versions: "5+", nullable: "5+", default: null },
    { name: "protocolName", type: "string", versions: "5+", nullable: "5+", default: null },
    { name: "assignment", type: "bytes", versions: "0+" },
  ],
});
