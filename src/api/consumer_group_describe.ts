/**
 * ConsumerGroupDescribe (key 69): state, epochs, members and assignments of KIP-848 groups.
 *
 * Served: 0–1.
 *
 *   0   (KIP-848)
 *   1   type of each member: −1 = unknown, 0 = classic, 1 = consumer (KIP-1099)
 *
 * Authorized operations that were not asked for are −2147483648.
 * mq's own: with `includeHistory` each group tells of its latest rebalances: when, the group epoch,
 * why, how many members it had, and how long partitions stood still (−1 = not ended). Other brokers
 * and clients skip these tagged fields (KIP-482).
 */
import { historyEntry } from "./history_entry.ts";
import { defineApi } from "./schema.ts";

/** Kafka: Assignment. */
const assignment = [
  {
    name: "topicPartitions",
    array: [
      { name: "topicId", type: "uuid", versions: "0+" },
      { name: "topicName", type: "string", versions: "0+" },
      { name: "partitions", array: "int32", versions: "0+" },
    ],
    versions: "0+",
  },
] as const;

export const consumerGroupDescribe = defineApi({
  key: 69,
  name: "ConsumerGroupDescribe",
  versions: [0, 1],
  flexibleFrom: 0,
  request: [
    { name: "groupIds", array: "string", versions: "0+" },
    { name: "includeAuthorizedOperations", type: "bool", versions: "0+", default: false },
    {
      name: "includeHistory",
      type: "bool",
      versions: "0+",
      tagged: "0+",
      tag: 10000,
      default: false,
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    {
      name: "groups",
      array: [
        { name: "errorCode", type: "int16", versions: "0+" },
        {
          name: "errorMessage",
          type: "string",
          mayBeCut: true,
          versions: "0+",
          nullable: "0+",
          default: null,
        },
        { name: "groupId", type: "string", versions: "0+" },
        { name: "groupState", type: "string", versions: "0+", default: "" },
        { name: "groupEpoch", type: "int32", versions: "0+", default: 0 },
        { name: "assignmentEpoch", type: "int32", versions: "0+", default: 0 },
        { name: "assignorName", type: "string", versions: "0+", default: "" },
        {
          name: "members",
          array: [
            { name: "memberId", type: "string", versions: "0+" },
            { name: "instanceId", type: "string", versions: "0+", nullable: "0+", default: null },
            { name: "rackId", type: "string", versions: "0+", nullable: "0+", default: null },
            { name: "memberEpoch", type: "int32", versions: "0+" },
            { name: "clientId", type: "string", versions: "0+" },
            { name: "clientHost", type: "string", versions: "0+" },
            { name: "subscribedTopicNames", array: "string", versions: "0+" },
            {
              name: "subscribedTopicRegex",
              type: "string",
              versions: "0+",
              nullable: "0+",
              default: null,
            },
            {
              name: "assignment",
              struct: assignment,
              versions: "0+",
            },
            {
              name: "targetAssignment",
              struct: assignment,
              versions: "0+",
            },
            { name: "memberType", type: "int8", versions: "1+", default: -1 },
          ],
          versions: "0+",
          default: [],
        },
        { name: "authorizedOperations", type: "int32", versions: "0+", default: -2147483648 },
        {
          name: "history",
          array: historyEntry,
          versions: "0+",
          tagged: "0+",
          tag: 10000,
          default: [],
        },
      ],
      versions: "0+",
    },
  ],
});
