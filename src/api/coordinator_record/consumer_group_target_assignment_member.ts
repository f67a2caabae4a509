/**
 * ConsumerGroupTargetAssignmentMember (type 7): what a member of a KIP-848 group shall come to own.
 */
import { defineCoordinatorRecord } from "./coordinator_record.ts";

export const consumerGroupTargetAssignmentMemberRecord = defineCoordinatorRecord({
  type: 7,
  name: "ConsumerGroupTargetAssignmentMember",
  key: [
    { name: "groupId", type: "string", versions: "0" },
    { name: "memberId", type: "string", versions: "0" },
  ],
  value: [
    {
      name: "topicPartitions",
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
