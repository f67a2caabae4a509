/**
 * OffsetCommit (key 8): keeps how far a group has read.
 *
 * Served: 2–10.
 *
 *   2   the retention time is the request's; before, the commit timestamp was
 *   3   throttle time (KIP-124)
 *   4   the client does the throttling (KIP-219)
 *   5   no retention time any more: the broker's configuration decides (KIP-211)
 *   6   leader epoch of the committed offset (KIP-320)
 *   7   group instance id (KIP-345)
 *   8   flexible (KIP-482)
 *   9   members of KIP-848 groups: the generation may be a member epoch, and STALE_MEMBER_EPOCH and
 *       GROUP_ID_NOT_FOUND may be answered
 *   10  topic ids in place of topic names (KIP-848)
 *
 * A commit without a member has member id "" and generation −1. `committedMetadata` is null or
 * text of the client's own.
 */
import { ZERO_UUID } from "../ground/uuid.ts";
import { defineApi } from "./schema.ts";

export const offsetCommit = defineApi({
  key: 8,
  name: "OffsetCommit",
  versions: [2, 10],
  flexibleFrom: 8,
  request: [
    { name: "groupId", type: "string", versions: "0+" },
    { name: "generationIdOrMemberEpoch", type: "int32", versions: "1+", default: -1 },
    { name: "memberId", type: "string", versions: "1+", default: "" },
    { name: "groupInstanceId", type: "string", versions: "7+", nullable: "7+", default: null },
    { name: "retentionTimeMs", type: "int64", versions: "2-4", default: -1 },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0-9", default: "" },
        { name: "topicId", type: "uuid", versions: "10+", default: ZERO_UUID },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "committedOffset", type: "int64", versions: "0+" },
            { name: "committedLeaderEpoch", type: "int32", versions: "6+", default: -1 },
            { name: "committedMetadata", type: "string", versions: "0+", nullable: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "3+", default: 0 },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0-9", default: "" },
        { name: "topicId", type: "uuid", versions: "10+", default: ZERO_UUID },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "errorCode", type: "int16", versions: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
  ],
});
