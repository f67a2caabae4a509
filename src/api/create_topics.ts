/**
 * CreateTopics (key 19): makes topics, or only checks whether they could be made.
 *
 * Served: 2–7.
 *
 *   2   throttle time (KIP-124)
 *   3   the client does the throttling (KIP-219)
 *   4   −1 partitions or replicas = the broker's default (KIP-464)
 *   5   flexible; the new topic's configuration in the response (KIP-482, KIP-525)
 *   6   THROTTLING_QUOTA_EXCEEDED may be answered (KIP-599)
 *   7   topic id in the response (KIP-516)
 */
import { ZERO_UUID } from "../ground/uuid.ts";
import { defineApi } from "./schema.ts";

export const createTopics = defineApi({
  key: 19,
  name: "CreateTopics",
  versions: [2, 7],
  flexibleFrom: 5,
  request: [
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0+" },
        { name: "numPartitions", type: "int32", versions: "0+" },
        { name: "replicationFactor", type: "int16", versions: "0+" },
        {
          name: "assignments",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "brokerIds", array: "int32", versions: "0+" },
          ],
          versions: "0+",
        },
        {
          name: "configs",
          array: [
            { name: "name", type: "string", versions: "0+" },
            { name: "value", type: "string", versions: "0+", nullable: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
    { name: "timeoutMs", type: "int32", versions: "0+", default: 60000 },
    { name: "validateOnly", type: "bool", versions: "1+", default: false },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "2+", default: 0 },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0+" },
        { name: "topicId", type: "uuid", versions: "7+", default: ZERO_UUID },
        { name: "errorCode", type: "int16", versions: "0+" },
        { name: "errorMessage", type: "string", mayBeCut: true, versions: "1+", nullable: "0+" },
        { name: "topicConfigErrorCode", type: "int16", versions: "5+", tagged: "5+", tag: 0 },
        { name: "numPartitions", type: "int32", versions: "5+", default: -1 },
        { name: "replicationFactor", type: "int16", versions: "5+", default: -1 },
        {
          name: "configs",
          array: [
            { name: "name", type: "string", versions: "5+" },
            { name: "value", type: "string", versions: "5+", nullable: "5+" },
            { name: "readOnly", type: "bool", versions: "5+" },
            { name: "configSource", type: "int8", versions: "5+", default: -1 },
            { name: "isSensitive", type: "bool", versions: "5+" },
          ],
          versions: "5+",
          nullable: "5+",
          default: [],
        },
      ],
      versions: "0+",
    },
  ],
});
