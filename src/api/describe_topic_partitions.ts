/**
 * DescribeTopicPartitions (key 75): partitions of topics, in pages (KIP-966).
 *
 * Served: 0; flexible from the start.
 *
 * `nextCursor` tells where the next page starts; null = this was the last.
 */
import { defineApi } from "./schema.ts";

export const describeTopicPartitions = defineApi({
  key: 75,
  name: "DescribeTopicPartitions",
  versions: [0, 0],
  flexibleFrom: 0,
  request: [
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0+" },
      ],
      versions: "0+",
    },
    { name: "responsePartitionLimit", type: "int32", versions: "0+", default: 2000 },
    {
      name: "cursor",
      struct: [
        { name: "topicName", type: "string", versions: "0+" },
        { name: "partitionIndex", type: "int32", versions: "0+" },
      ],
      versions: "0+",
      nullable: "0+",
      default: null,
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    {
      name: "topics",
      array: [
        { name: "errorCode", type: "int16", versions: "0+" },
        { name: "name", type: "string", versions: "0+", nullable: "0+" },
        { name: "topicId", type: "uuid", versions: "0+" },
        { name: "isInternal", type: "bool", versions: "0+", default: false },
        {
          name: "partitions",
          array: [
            { name: "errorCode", type: "int16", versions: "0+" },
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "leaderId", type: "int32", versions: "0+" },
            { name: "leaderEpoch", type: "int32", versions: "0+", default: -1 },
            { name: "replicaNodes", array: "int32", versions: "0+" },
            { name: "isrNodes", array: "int32", versions: "0+" },
            {
              name: "eligibleLeaderReplicas",
              array: "int32",
              versions: "0+",
              nullable: "0+",
              default: null,
            },
            { name: "lastKnownElr", array: "int32", versions: "0+", nullable: "0+", default: null },
            { name: "offlineReplicas", array: "int32", versions: "0+" },
          ],
          versions: "0+",
        },
        { name: "topicAuthorizedOperations", type: "int32", versions: "0+", default: -2147483648 },
      ],
      versions: "0+",
    },
    {
      name: "nextCursor",
      struct: [
        { name: "topicName", type: "string", versions: "0+" },
        { name: "partitionIndex", type: "int32", versions: "0+" },
      ],
      versions: "0+",
      nullable: "0+",
      default: null,
    },
  ],
});
