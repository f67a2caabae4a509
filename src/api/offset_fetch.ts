/**
 * OffsetFetch (key 9): how far groups have read.
 *
 * Served: 1–10.
 *
 *   2   null topics = all topics of the group; top-level error code (KIP-88)
 *   3   throttle time (KIP-124)
 *   4   the client does the throttling (KIP-219)
 *   5   leader epoch of the committed offset (KIP-320)
 *   6   flexible (KIP-482)
 *   7   an answer may be asked for that pending transactions cannot change (KIP-447)
 *   8   many groups in one request; the single-group fields vanish from both messages (KIP-709)
 *   9   member id and member epoch, which KIP-848 groups check
 *   10  topic ids in place of topic names (KIP-848)
 *
 * A partition without a commit has offset −1, leader epoch −1 and metadata "".
 * mq's own, from version 8 on: with `includeProgress` each partition tells when its offset was
 * committed and when it last moved forward (−1 = not known). Other brokers and clients skip these
 * tagged fields (KIP-482).
 */
import { ZERO_UUID } from "../ground/uuid.ts";
import { defineApi } from "./schema.ts";

export const offsetFetch = defineApi({
  key: 9,
  name: "OffsetFetch",
  versions: [1, 10],
  flexibleFrom: 6,
  request: [
    { name: "groupId", type: "string", versions: "0-7", default: "" },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0-7" },
        { name: "partitionIndexes", array: "int32", versions: "0-7" },
      ],
      versions: "0-7",
      nullable: "2-7",
      default: [],
    },
    {
      name: "groups",
      array: [
        { name: "groupId", type: "string", versions: "8+" },
        { name: "memberId", type: "string", versions: "9+", nullable: "9+", default: null },
        { name: "memberEpoch", type: "int32", versions: "9+", default: -1 },
        {
          name: "topics",
          array: [
            { name: "name", type: "string", versions: "8-9", default: "" },
            { name: "topicId", type: "uuid", versions: "10+", default: ZERO_UUID },
            { name: "partitionIndexes", array: "int32", versions: "8+" },
          ],
          versions: "8+",
          nullable: "8+",
        },
      ],
      versions: "8+",
      default: [],
    },
    { name: "requireStable", type: "bool", versions: "7+", default: false },
    {
      name: "includeProgress",
      type: "bool",
      versions: "8+",
      tagged: "8+",
      tag: 10000,
      default: false,
    },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "3+", default: 0 },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0-7" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0-7" },
            { name: "committedOffset", type: "int64", versions: "0-7" },
            { name: "committedLeaderEpoch", type: "int32", versions: "5-7", default: -1 },
            { name: "metadata", type: "string", versions: "0-7", nullable: "0-7" },
            { name: "errorCode", type: "int16", versions: "0-7" },
          ],
          versions: "0-7",
        },
      ],
      versions: "0-7",
      default: [],
    },
    { name: "errorCode", type: "int16", versions: "2-7", default: 0 },
    {
      name: "groups",
      array: [
        { name: "groupId", type: "string", versions: "8+" },
        {
          name: "topics",
          array: [
            { name: "name", type: "string", versions: "8-9", default: "" },
            { name: "topicId", type: "uuid", versions: "10+", default: ZERO_UUID },
            {
              name: "partitions",
              array: [
                { name: "partitionIndex", type: "int32", versions: "8+" },
                { name: "committedOffset", type: "int64", versions: "8+" },
                { name: "committedLeaderEpoch", type: "int32", versions: "8+", default: -1 },
                { name: "metadata", type: "string", versions: "8+", nullable: "8+" },
                { name: "errorCode", type: "int16", versions: "8+" },
                {
                  name: "progress",
                  struct: [
                    { name: "committedAtMs", type: "int64", versions: "8+", default: -1 },
                    { name: "advancedAtMs", type: "int64", versions: "8+", default: -1 },
                  ],
                  versions: "8+",
                  tagged: "8+",
                  tag: 10000,
                },
              ],
              versions: "8+",
            },
          ],
          versions: "8+",
        },
        { name: "errorCode", type: "int16", versions: "8+", default: 0 },
      ],
      versions: "8+",
      default: [],
    },
  ],
});
