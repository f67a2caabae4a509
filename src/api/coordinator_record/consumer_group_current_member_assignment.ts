/**
 * ConsumerGroupCurrentMemberAssignment (type 8): what a member of a KIP-848 group owns, and its epoch.
 *
 * `state` is 0 = stable, 1 = unrevoked partitions, 2 = unreleased partitions, 127 = unknown.
 */
import { defineCoordinatorRecord } from "./coordinator_record.ts";

export const consumerGroupCurrentMemberAssignmentRecord = defineCoordinatorRecord({
  type: 8,
  name: "ConsumerGroupCurrentMemberAssignment",
  key: [
    { name: "groupId", type: "string", versions: "0" },
    { name: "memberId", type: "string", versions: "0" },
  ],
  value: [
    { name: "memberEpoch", type: "int32", versions: "0+" },
    { name: "previousMemberEpoch", type: "int32", versions: "0+" },
    { name: "state", type: "int8", versions: "0+" },
    {
      name: "assignedPartitions",
      array: [
        { name: "topicId", type: "uuid", versions: "0+" },
        { name: "partitions", array: "int32", versions: "0+" },
      ],
      versions: "0+",
    },
    {
      name: "partitionsPendingRevocation",
      array: [
        { name: "topicId", type: "uuid", versions: "0+" },
        { name: "partitions", array: "int32", versions: "0+" },
      ],
      versions: "0+",
    },
  ],
  valueVersions: [0, 0],
  flexibleFrom: 0,
});
