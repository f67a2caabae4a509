/**
 * LeaveGroup (key 13): members leave a classic group, or are removed by an administrator.
 *
 * Served: 0–5.
 *
 *   1   throttle time (KIP-124)
 *   2   the client does the throttling (KIP-219)
 *   3   many members in one request, by member id or group instance id; the single member id
 *       vanishes (KIP-345)
 *   4   flexible (KIP-482)
 *   5   reason (KIP-800)
 */
import { defineApi } from "./schema.ts";

export const leaveGroup = defineApi({
  key: 13,
  name: "LeaveGroup",
  versions: [0, 5],
  flexibleFrom: 4,
  request: [
    { name: "groupId", type: "string", versions: "0+" },
    { name: "memberId", type: "string", versions: "0-2", default: "" },
    {
      name: "members",
      array: [
        { name: "memberId", type: "string", versions: "3+" },
        { name: "groupInstanceId", type: "string", versions: "3+", nullable: "3+", default: null },
        { name: "reason", type: "string", versions: "5+", nullable: "5+", default: null },
      ],
      versions: "3+",
      default: [],
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    {
      name: "members",
      array: [
        { name: "memberId", type: "string", versions: "3+" },
        { name: "groupInstanceId", type: "string", versions: "3+", nullable: "3+" },
        { name: "errorCode", type: "int16", versions: "3+" },
      ],
      versions: "3+",
      default: [],
    },
  ],
});
