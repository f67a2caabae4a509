/**
 * DescribeGroups (key 15): state, members and assignments of classic groups.
 *
 * Served: 0–6.
 *
 *   1   throttle time (KIP-124)
 *   2   the client does the throttling (KIP-219)
 *   3   authorized operations (KIP-430)
 *   4   group instance id of each member (KIP-345)
 *   5   flexible (KIP-482)
 *   6   error message, and GROUP_ID_NOT_FOUND for a group that is not there (KIP-1043); before, such
 *       a group is answered in state "Dead" and without an error
 *
 * Authorized operations that were not asked for are −2147483648.
 * mq's own, from version 5 on: with `includeHistory` each group tells of its latest rebalances:
 * when, the generation that came of it, why, how many members it had, and how long partitions stood
 * still (−1 = not ended). Other brokers and clients skip these tagged fields (KIP-482).
 */
import { historyEntry } from "./history_entry.ts";
import { defineApi } from "./schema.ts";

export const describeGroups = defineApi({
  key: 15,
  name: "DescribeGroups",
  versions: [0, 6],
  flexibleFrom: 5,
  request: [
    { name: "groups", array: "string", versions: "0+" },
    { name: "includeAuthorizedOperations", type: "bool", versions: "3+", default: false },
    {
      name: "includeHistory",
      type: "bool",
      versions: "5+",
      tagged: "5+",
      tag: 10000,
      default: false,
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0 },
    {
      name: "groups",
      array: [
        { name: "errorCode", type: "int16", versions: "0+" },
        {
          name: "errorMessage",
          type: "string",
          mayBeCut: true,
          versions: "6+",
          nullable: "6+",
          default: null,
        },
        { name: "groupId", type: "string", versions: "0+" },
        { name: "groupState", type: "string", versions: "0+" },
        { name: "protocolType", type: "string", versions: "0+" },
        { name: "protocolData", type: "string", versions: "0+" },
        {
          name: "members",
          array: [
            { name: "memberId", type: "string", versions: "0+" },
            {
              name: "groupInstanceId",
              type: "string",
              versions: "4+",
              nullable: "4+",
              default: null,
            },
            { name: "clientId", type: "string", versions: "0+" },
            { name: "clientHost", type: "string", versions: "0+" },
            { name: "memberMetadata", type: "bytes", versions: "0+" },
            { name: "memberAssignment", type: "bytes", versions: "0+" },
          ],
          versions: "0+",
        },
        { name: "authorizedOperations", type: "int32", versions: "3+", default: -2147483648 },
        {
          name: "history",
          array: historyEntry,
          versions: "5+",
          tagged: "5+",
          tag: 10000,
          default: [],
        },
      ],
      versions: "0+",
    },
  ],
});
