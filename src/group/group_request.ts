/**
 * What one group may be asked, and what each question is answered with.
 *
 * A request of the wire that names many groups is many of these; who splits and joins them is the
 * handler. ListGroups is not here: it is asked of the shard (`GroupShard.listGroups`).
 */
import type { consumerGroupDescribe } from "../api/consumer_group_describe.ts";
import type { consumerGroupHeartbeat } from "../api/consumer_group_heartbeat.ts";
import type { deleteGroups } from "../api/delete_groups.ts";
import type { describeGroups } from "../api/describe_groups.ts";
import type { heartbeat } from "../api/heartbeat.ts";
import type { joinGroup } from "../api/join_group.ts";
import type { leaveGroup } from "../api/leave_group.ts";
import type { offsetCommit } from "../api/offset_commit.ts";
import type { offsetDelete } from "../api/offset_delete.ts";
import type { offsetFetch } from "../api/offset_fetch.ts";
import type { RequestOf, ResponseInput } from "../api/schema.ts";
import type { syncGroup } from "../api/sync_group.ts";

/** Facts about who asks. */
export interface Caller {
  readonly apiVersion: number;
  readonly clientId: string;
  readonly clientHost: string;
}

interface Asked<Kind extends string, Body> {
  readonly kind: Kind;
  readonly body: Body;
  readonly caller: Caller;
}

/** What names a group and nothing more. */
export interface GroupNamed {
  readonly groupId: string;
  /** Whether the answer tells of the group's last rebalances too. */
  readonly includeHistory: boolean;
}

/** One group of an OffsetFetch of version 8 and up, and what holds for all of its groups. */
export type FetchedGroup = RequestOf<typeof offsetFetch>["groups"][number] & {
  readonly requireStable: boolean;
  readonly includeProgress: boolean;
};

export type JoinGroupRequest = Asked<"JoinGroup", RequestOf<typeof joinGroup>>;
export type SyncGroupRequest = Asked<"SyncGroup", RequestOf<typeof syncGroup>>;
export type HeartbeatRequest = Asked<"Heartbeat", RequestOf<typeof heartbeat>>;
export type LeaveGroupRequest = Asked<"LeaveGroup", RequestOf<typeof leaveGroup>>;
export type OffsetCommitRequest = Asked<"OffsetCommit", RequestOf<typeof offsetCommit>>;
export type OffsetFetchRequest = Asked<"OffsetFetch", FetchedGroup>;
export type OffsetDeleteRequest = Asked<"OffsetDelete", RequestOf<typeof offsetDelete>>;
export type ConsumerGroupHeartbeatRequest = Asked<
  "ConsumerGroupHeartbeat",
  RequestOf<typeof consumerGroupHeartbeat>
>;
export type DescribeGroupRequest = Asked<"DescribeGroup", GroupNamed>;
export type ConsumerGroupDescribeRequest = Asked<"ConsumerGroupDescribe", GroupNamed>;
export type DeleteGroupRequest = Asked<"DeleteGroup", { readonly groupId: string }>;

export type GroupRequest =
  | JoinGroupRequest
  | SyncGroupRequest
  | HeartbeatRequest
  | LeaveGroupRequest
  | OffsetCommitRequest
  | OffsetFetchRequest
  | OffsetDeleteRequest
  | ConsumerGroupHeartbeatRequest
  | DescribeGroupRequest
  | ConsumerGroupDescribeRequest
  | DeleteGroupRequest;

/** Answers of one group, where the wire's answer holds many. */
export type OffsetFetchGroup = NonNullable<ResponseInput<typeof offsetFetch>["groups"]>[number];
export type DescribedGroup = ResponseInput<typeof describeGroups>["groups"][number];
export type DescribedConsumerGroup = ResponseInput<typeof consumerGroupDescribe>["groups"][number];
export type DeletedGroup = ResponseInput<typeof deleteGroups>["results"][number];

export interface GroupResponses {
  readonly JoinGroup: ResponseInput<typeof joinGroup>;
  readonly SyncGroup: ResponseInput<typeof syncGroup>;
  readonly Heartbeat: ResponseInput<typeof heartbeat>;
  readonly LeaveGroup: ResponseInput<typeof leaveGroup>;
  readonly OffsetCommit: ResponseInput<typeof offsetCommit>;
  readonly OffsetFetch: OffsetFetchGroup;
  readonly OffsetDelete: ResponseInput<typeof offsetDelete>;
  readonly ConsumerGroupHeartbeat: ResponseInput<typeof consumerGroupHeartbeat>;
  readonly DescribeGroup: DescribedGroup;
  readonly ConsumerGroupDescribe: DescribedConsumerGroup;
  readonly DeleteGroup: DeletedGroup;
}

export type ResponseTo<Request extends GroupRequest> = GroupResponses[Request["kind"]];

/** The group that is meant. */
export function groupIdOf({ body }: GroupRequest): string {
  return body.groupId;
}
