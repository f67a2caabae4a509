/**
 * OffsetCommit (type 1): the offset that a group has committed for a partition.
 *
 *   0   offset, metadata, commit timestamp
 *   1   expiry timestamp of its own, from OffsetCommit requests 2–4; written where there is one
 *   2   without it again: the broker's configuration decides (KIP-211)
 *   3   leader epoch (KIP-320)
 *   4   flexible; topic id (KIP-848)
 *
 * mq's own: since when the offset has been this one, in a commit that repeats it; Kafka and its tools
 * skip the field. Where it is left out, the offset moved with this commit.
 */
import { ZERO_UUID } from "../../ground/uuid.ts";
import { defineCoordinatorRecord } from "./coordinator_record.ts";

export const offsetCommitRecord = defineCoordinatorRecord({
  type: 1,
  name: "OffsetCommit",
  key: [
    { name: "group", type: "string", versions: "0" },
    { name: "topic", type: "string", versions: "0" },
    { name: "partition", type: "int32", versions: "0" },
  ],
  value: [
    { name: "offset", type: "int64", versions: "0+" },
    { name: "leaderEpoch", type: "int32", versions: "3+", default: -1 },
    { name: "metadata", type: "string", versions: "0+" },
    { name: "commitTimestamp", type: "int64", versions: "0+" },
    { name: "expireTimestamp", type: "int64", versions: "1", default: -1 },
    { name: "topicId", type: "uuid", versions: "4+", tagged: "4+", tag: 0, default: ZERO_UUID },
    {
      name: "advanceTimestamp",
      type: "int64",
      versions: "4+",
      tagged: "4+",
      tag: 10000,
      default: -1,
    },
  ],
  valueVersions: [0, 4],
  flexibleFrom: 4,
});
