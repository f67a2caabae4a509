/**
 * JoinGroup (key 11): a member enters a classic group, or asks for a new generation of it.
 *
 * Served: 0–9.
 *
 *   1   rebalance timeout; in version 0 the session timeout stands for it (KIP-62)
 *   2   throttle time (KIP-124)
 *   3   the client does the throttling (KIP-219)
 *   4   a new member is told its id by MEMBER_ID_REQUIRED and joins again with it (KIP-394)
 *   5   group instance id (KIP-345)
 *   6   flexible (KIP-482)
 *   7   protocol type in the response, and its protocol name may be null (KIP-559)
 *   8   reason (KIP-800)
 *   9   the leader may be told to skip the assignment (KIP-814)
 *
 * The response comes when the group has been gathered, which may take the rebalance timeout. Only
 * the leader's has members. Where there is an error, `protocolName` is null, and "" before version 7.
 */
import { defineApi } from "./schema.ts";

export const joinGroup = defineApi({
  key: 11,
  name: "JoinGroup",
  versions: [0, 9],
  flexibleFrom: 6,
  request: [
    { name: "groupId", type: "string", versions: "0+" },
    { name: "sessionTimeoutMs", type: "int32", versions: "0+" },
    { name: "rebalanceTimeoutMs", type: "int32", versions: "1+", default: -1 },
    { name: "memberId", type: "string", versions: "0+" },
    { name: "groupInstanceId", type: "string", versions: "5+", nullable: "5+", default: null },
    { name: "protocolType", type: "string", versions: "0+" },
    {
      name: "protocols",
      array: [
        { name: "name", type: "string", versions: "0+" },
        { name: "metadata", type: "bytes", versions: "0+" },
      ],
      versions: "0+",
    },
    { name: "reason", type: "string", versions: "8+", nullable: "8+", default: null },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "2+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    { name: "generationId", type: "int32", versions: "0+", default: -1 },
    { name: "protocolType", type: "string", versions: "7+", nullable: "7+", default: null },
    { name: "protocolName", type: "string", versions: "0+", nullable: "7+" },
    { name: "leader", type: "string", versions: "0+" },
    { name: "skipAssignment", type: "bool", versions: "9+", default: false },
    { name: "memberId", type: "string", versions: "0+" },
    {
      name: "members",
      array: [
        { name: "memberId", type: "string", versions: "0+" },
        { name: "groupInstanceId", type: "string", versions: "5+", nullable: "5+", default: null },
        { name: "metadata", type: "bytes", versions: "0+" },
      ],
      versions: "0+",
    },
  ],
});
