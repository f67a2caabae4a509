/**
 * ConsumerGroupHeartbeat (key 68): joining, living in, being assigned by and leaving a KIP-848 group.
 *
 * Served: 0–1.
 *
 *   0   (KIP-848)
 *   1   subscription by regular expression; the member chooses its own id (KIP-1082)
 *
 * Member epoch 0 joins, −1 leaves, −2 leaves for a while as a static member. Null, and a rebalance
 * timeout of −1, mean "as I said last". `assignment` is null where the member's has not changed.
 */
import { defineApi } from "./schema.ts";

export const consumerGroupHeartbeat = defineApi({
  key: 68,
  name: "ConsumerGroupHeartbeat",
  versions: [0, 1],
  flexibleFrom: 0,
  request: [
    { name: "groupId", type: "string", versions: "0+" },
    { name: "memberId", type: "string", versions: "0+" },
    { name: "memberEpoch", type: "int32", versions: "0+" },
    { name: "instanceId", type: "string", versions: "0+", nullable: "0+", default: null },
    { name: "rackId", type: "string", versions: "0+", nullable: "0+", default: null },
    { name: "rebalanceTimeoutMs", type: "int32", versions: "0+", default: -1 },
    {
      name: "subscribedTopicNames",
      array: "string",
      versions: "0+",
      nullable: "0+",
      default: null,
    },
    { name: "subscribedTopicRegex", type: "string", versions: "1+", nullable: "1+", default: null },
    { name: "serverAssignor", type: "string", versions: "0+", nullable: "0+", default: null },
    {
      name: "topicPartitions",
      array: [
        { name: "topicId", type: "uuid", versions: "0+" },
        { name: "partitions", array: "int32", versions: "0+" },
      ],
      versions: "0+",
      nullable: "0+",
      default: null,
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    {
      name: "errorMessage",
      type: "string",
      mayBeCut: true,
      versions: "0+",
      nullable: "0+",
      default: null,
    },
    { name: "memberId", type: "string", versions: "0+", nullable: "0+", default: null },
    { name: "memberEpoch", type: "int32", versions: "0+", default: 0 },
    { name: "heartbeatIntervalMs", type: "int32", versions: "0+", default: 0 },
    {
      name: "assignment",
      struct: [
        {
          name: "topicPartitions",
          array: [
            { name: "topicId", type: "uuid", versions: "0+" },
            { name: "partitions", array: "int32", versions: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
      nullable: "0+",
      default: null,
    },
  ],
});
