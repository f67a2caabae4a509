/**
 * ConsumerGroupTargetAssignmentMetadata (type 6): the group epoch that the target assignment is for.
 */
import { defineCoordinatorRecord } from "./coordinator_record.ts";

export const consumerGroupTargetAssignmentMetadataRecord = defineCoordinatorRecord({
  type: 6,
  name: "ConsumerGroupTargetAssignmentMetadata",
  key: [{ name: "groupId", type: "string", versions: "0" }],
  value: [{ name: "assignmentEpoch", type: "int32", versions: "0+" }],
  valueVersions: [0, 0],
  flexibleFrom: 0,
});
