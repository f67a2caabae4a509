/**
 * Metadata (key 3): the brokers, the topics, and who leads what.
 *
 * Served: 0–13.
 *
 *   1   rack, controller id, is-internal; null topics = all, none = none (in 0: none = all)
 *   2   cluster id (KIP-78)
 *   3   throttle time (KIP-124)
 *   4   auto-creation may be refused (KIP-204)
 *   5   offline replicas (KIP-112)
 *   6   the client does the throttling (KIP-219)
 *   7   leader epoch (KIP-320)
 *   8   authorized operations (KIP-430)
 *   9   flexible (KIP-482)
 *   10  topic id in request and response; the request's may not be used before 12 (KIP-516)
 *   11  authorized operations of the cluster move to DescribeCluster (KIP-700)
 *   12  topics may be asked for by id (KIP-516)
 *   13  top-level error code (KIP-1102)
 *
 * Authorized operations that were not asked for are −2147483648.
 */
import { ZERO_UUID } from "../ground/uuid.ts";
import { defineApi } from "./schema.ts";

export const metadata = defineApi({
  key: 3,
  name: "Metadata",
  versions: [0, 13],
  flexibleFrom: 9,
  request: [
    {
      name: "topics",
      array: [
        { name: "topicId", type: "uuid", versions: "10+", default: ZERO_UUID },
        { name: "name", type: "string", versions: "0+", nullable: "10+" },
      ],
      versions: "0+",
      nullable: "1+",
    },
    { name: "allowAutoTopicCreation", type: "bool", versions: "4+", default: true },
    { name: "includeClusterAuthorizedOperations", type: "bool", versions: "8-10", default: false },
    { name: "includeTopicAuthorizedOperations", type: "bool", versions: "8+", default: false },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "3+", default: 0 },
    {
      name: "brokers",
      array: [
        { name: "nodeId", type: "int32", versions: "0+" },
        { name: "host", type: "string", versions: "0+" },
        { name: "port", type: "int32", versions: "0+" },
        { name: "rack", type: "string", versions: "1+", nullable: "1+", default: null },
      ],
      versions: "0+",
    },
    { name: "clusterId", type: "string", versions: "2+", nullable: "2+", default: null },
    { name: "controllerId", type: "int32", versions: "1+", default: -1 },
    {
      name: "topics",
      array: [
        { name: "errorCode", type: "int16", versions: "0+" },
        { name: "name", type: "string", versions: "0+", nullable: "12+" },
        { name: "topicId", type: "uuid", versions: "10+", default: ZERO_UUID },
        { name: "isInternal", type: "bool", versions: "1+", default: false },
        {
          name: "partitions",
          array: [
            { name: "errorCode", type: "int16", versions: "0+" },
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "leaderId", type: "int32", versions: "0+" },
            { name: "leaderEpoch", type: "int32", versions: "7+", default: -1 },
            { name: "replicaNodes", array: "int32", versions: "0+" },
            { name: "isrNodes", array: "int32", versions: "0+" },
            { name: "offlineReplicas", array: "int32", versions: "5+", default: [] },
          ],
          versions: "0+",
        },
        { name: "topicAuthorizedOperations", type: "int32", versions: "8+", default: -2147483648 },
      ],
      versions: "0+",
    },
    { name: "clusterAuthorizedOperations", type: "int32", versions: "8-10", default: -2147483648 },
    { name: "errorCode", type: "int16", versions: "13+", default: 0 },
  ],
});
