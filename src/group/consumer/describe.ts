/** ConsumerGroupDescribe: the group as people read it. */
import { ErrorCode } from "../../api/error_code.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import type { DescribedConsumerGroup } from "../group_request.ts";
import type { Turn } from "../turn.ts";
import type { ConsumerCore } from "./core.ts";
import type { ConsumerMember } from "./member.ts";
import type { Partitions } from "./partitions.ts";
import { preferredAssignor } from "./target.ts";

type DescribedMember = NonNullable<DescribedConsumerGroup["members"]>[number];

/** KIP-1099. */
const CLASSIC_MEMBER = 0;
const CONSUMER_MEMBER = 1;

export function describeGroup(
  { groupId, state, history }: ConsumerCore,
  { image, settings }: Turn,
  includeHistory: boolean,
): DescribedConsumerGroup {
  return {
    errorCode: ErrorCode.None,
    groupId,
    groupState: state.name,
    groupEpoch: state.groupEpoch,
    assignmentEpoch: state.assignmentEpoch,
    assignorName: preferredAssignor(state, settings.consumerGroupAssignors),
    members: Array.from(
      state.members.values(),
      (member) => describeMember(member, state.targetOf(member.memberId), image),
    ),
    history: includeHistory ? history.entries() : [],
  };
}

function describeMember(
  member: ConsumerMember,
  target: Partitions,
  image: ClusterImage,
): DescribedMember {
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex,
    assignment: { topicPartitions: named(member.assigned, image) },
    targetAssignment: { topicPartitions: named(target, image) },
    memberType: member.classic === null ? CONSUMER_MEMBER : CLASSIC_MEMBER,
  };
}

/** Topics that are gone are left out. */
function named(
  partitions: Partitions,
  image: ClusterImage,
): DescribedMember["assignment"]["topicPartitions"] {
  return Array.from(partitions, ([topicId, ids]) => ({
    topicId,
    topicName: image.topicById(topicId)?.name ?? "",
    partitions: ids,
  })).filter(({ topicName }) => topicName !== "");
}
