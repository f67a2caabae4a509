/**
 * The records of groups that are written and replayed, as one union told apart by `kind`.
 *
 *     const record: GroupRecord = {
 *       kind: "OffsetCommit",
 *       key: { group: "g", topic: "t", partition: 0 },
 *       value: null, // a tombstone
 *     };
 *
 * LegacyOffsetCommit is not among them: it is read as an OffsetCommit.
 */
import type { CoordinatorRecord, RecordOf } from "./coordinator_record.ts";
import { consumerGroupCurrentMemberAssignmentRecord } from "./consumer_group_current_member_assignment.ts";
import { consumerGroupMemberMetadataRecord } from "./consumer_group_member_metadata.ts";
import { consumerGroupMetadataRecord } from "./consumer_group_metadata.ts";
import { consumerGroupPartitionMetadataRecord } from "./consumer_group_partition_metadata.ts";
import { consumerGroupRegularExpressionRecord } from "./consumer_group_regular_expression.ts";
import { consumerGroupTargetAssignmentMemberRecord } from "./consumer_group_target_assignment_member.ts";
import { consumerGroupTargetAssignmentMetadataRecord } from "./consumer_group_target_assignment_metadata.ts";
import { groupMetadataRecord } from "./group_metadata.ts";
import { offsetCommitRecord } from "./offset_commit.ts";

/** In the order of their types. */
export const groupRecords = [
  offsetCommitRecord,
  groupMetadataRecord,
  consumerGroupMetadataRecord,
  consumerGroupPartitionMetadataRecord,
  consumerGroupMemberMetadataRecord,
  consumerGroupTargetAssignmentMetadataRecord,
  consumerGroupTargetAssignmentMemberRecord,
  consumerGroupCurrentMemberAssignmentRecord,
  consumerGroupRegularExpressionRecord,
] as const satisfies readonly CoordinatorRecord[];

export type OffsetCommitRecord = RecordOf<typeof offsetCommitRecord>;
export type GroupMetadataRecord = RecordOf<typeof groupMetadataRecord>;
export type ConsumerGroupMetadataRecord = RecordOf<typeof consumerGroupMetadataRecord>;
export type ConsumerGroupPartitionMetadataRecord = RecordOf<
  typeof consumerGroupPartitionMetadataRecord
>;
export type ConsumerGroupMemberMetadataRecord = RecordOf<typeof consumerGroupMemberMetadataRecord>;
export type ConsumerGroupTargetAssignmentMetadataRecord = RecordOf<
  typeof consumerGroupTargetAssignmentMetadataRecord
>;
export type ConsumerGroupTargetAssignmentMemberRecord = RecordOf<
  typeof consumerGroupTargetAssignmentMemberRecord
>;
export type ConsumerGroupCurrentMemberAssignmentRecord = RecordOf<
  typeof consumerGroupCurrentMemberAssignmentRecord
>;
export type ConsumerGroupRegularExpressionRecord = RecordOf<
  typeof consumerGroupRegularExpressionRecord
>;

export type GroupRecord =
  | OffsetCommitRecord
  | GroupMetadataRecord
  | ConsumerGroupMetadataRecord
  | ConsumerGroupPartitionMetadataRecord
  | ConsumerGroupMemberMetadataRecord
  | ConsumerGroupTargetAssignmentMetadataRecord
  | ConsumerGroupTargetAssignmentMemberRecord
  | ConsumerGroupCurrentMemberAssignmentRecord
  | ConsumerGroupRegularExpressionRecord;

export type GroupRecordKind = GroupRecord["kind"];

/** The member of the union that is of this kind. */
export type GroupRecordOf<Kind extends GroupRecordKind> = Extract<
  GroupRecord,
  { readonly kind: Kind }
>;
