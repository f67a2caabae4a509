/**
 * A classic group goes on as a consumer group: the first member of the consumer protocol has come, and
 * what the others told in their JoinGroups can be read.
 *
 * The assignment that the classic leader made last becomes the target and the current assignment of
 * every member, at the epoch that was its generation: nobody has to give up anything by it. Whoever
 * waits for a join or a sync is told to join again, which leads to the new group.
 *
 * Unlike Kafka, which knows of assignments only: a member keeps what it says that it has (`possession.ts`),
 * and where the targets are not a whole assignment, new ones are made for the next epoch at once.
 *
 * Source: KIP-848 "Upgrade"; kafka: GroupMetadataManager.validateOnlineUpgrade,
 * convertToConsumerGroup; ConsumerGroup.fromClassicGroup.
 */
import {
  readAssignment,
  readSubscription,
  type Subscription,
} from "../../api/consumer_protocol.ts";
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import type { ClassicGroup } from "../classic/classic_group.ts";
import type { ClassicMember } from "../classic/classic_member.ts";
import type { Turn } from "../turn.ts";
import { NAMES_MAX } from "./heartbeat_check.ts";
import { Holders } from "./holders.ts";
import { type ConsumerMember, distinctNames, newMember } from "./member.ts";
import { hashesOf } from "./metadata_hash.ts";
import { NO_PARTITIONS, type Partitions, partitionsOf } from "./partitions.ts";
import { possessions, type Possessor } from "./possession.ts";
import {
  epochRecord,
  memberMetadataRecord,
  progressRecord,
  targetEpochRecord,
  targetRecord,
} from "./record.ts";

export const CONSUMER_PROTOCOL_TYPE = "consumer";

/**
 * Writes the end of the classic group and gives the records of the consumer group that it becomes, or
 * says in Kafka's words why it stays what it is.
 */
export function upgradeRecords(
  turn: Turn,
  group: ClassicGroup,
): readonly GroupRecord[] | string {
  const { groupId } = group;
  const refusal = refuseUpgrade(turn, group);
  if (refusal !== undefined) {
    return `Cannot upgrade classic group ${groupId} to consumer group because ${refusal}.`;
  }
  const epoch = Math.max(group.generationId(), 0);
  const found: Former[] = [];
  for (const classic of group.members()) {
    const former = formerMember(classic, group, turn.image);
    if (typeof former === "string") {
      return `Cannot upgrade classic group ${groupId} to consumer group because ${former}.`;
    }
    found.push(former);
  }
  const owned = possessions(found);
  const members = found.map((former, at) =>
    upgradedMember(former, epoch, owned[at] ?? NO_PARTITIONS)
  );
  // Otherwise the targets are not the last word: no topics have the hash 0, so that the first heartbeat
  // makes an epoch with new ones, even that of a member that changes nothing.
  const isDone = group.state() === "Stable" && isWhole(turn.image, found);
  const metadataHash = isDone ? hashOf(turn.image, members) : 0n;
  group.refuseWaiting(turn, ErrorCode.RebalanceInProgress);
  group.writeTombstones(turn);
  return [
    ...members.map((member) => memberMetadataRecord(groupId, member)),
    epochRecord(groupId, epoch, metadataHash),
    ...members.map(({ memberId, assigned }) => targetRecord(groupId, memberId, assigned)),
    targetEpochRecord(groupId, epoch),
    ...members.map((member) => progressRecord(groupId, member.memberId, member)),
  ];
}

/** Whether the leader has assigned everything; a topic may have grown since it looked. */
function isWhole(image: ClusterImage, members: readonly Former[]): boolean {
  const holders = new Holders();
  for (const { classic, assigned } of members) holders.hold(classic.memberId, assigned);
  const topics = new Set(members.flatMap(({ subscription }) => subscription.topics));
  return [...topics].every((name) => {
    const topic = image.topic(name);
    return topic === undefined ||
      topic.partitions.every((_, partitionId) => holders.isHeld(topic.topicId, partitionId));
  });
}

function hashOf(image: ClusterImage, members: readonly ConsumerMember[]): bigint {
  const topics = [...new Set(members.flatMap((member) => member.subscribedTopicNames))].sort();
  return hashesOf(image).hashOf(topics, image);
}

function refuseUpgrade({ settings }: Turn, group: ClassicGroup): string | undefined {
  const { consumerGroupMigrationPolicy: policy, consumerGroupMaxSize } = settings;
  if (policy !== "bidirectional" && policy !== "upgrade") return "online upgrade is disabled";
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE) {
    return "the group does not use the consumer embedded protocol";
  }
  if (group.memberCount > consumerGroupMaxSize) {
    return "the group size exceeds the consumer group maximum size";
  }
  return undefined;
}

/** A member of the classic group, with what it told. */
interface Former extends Possessor {
  readonly classic: Readonly<ClassicMember>;
  readonly subscription: Subscription;
}

function formerMember(
  classic: Readonly<ClassicMember>,
  group: ClassicGroup,
  image: ClusterImage,
): Former | string {
  const assigned = assignedPartitions(classic.assignment, image);
  if (typeof assigned === "string") return assigned;
  // Before the first generation there is no protocol that was chosen: all of them say the same.
  const chosen = classic.protocols.find(({ name }) => name === group.protocolName()) ??
    classic.protocols[0];
  const subscription = chosen === undefined ? undefined : readSubscription(chosen.metadata);
  if (subscription === undefined) return MALFORMED;
  if (subscription.topics.length > NAMES_MAX) {
    return `a member subscribes to over ${NAMES_MAX} topics`;
  }
  return {
    classic,
    subscription,
    assigned,
    owned: partitionsOf(topicPartitionsOf(subscription.ownedPartitions, image)),
    ownedSince: subscription.generationId,
  };
}

function upgradedMember(
  { classic, subscription }: Former,
  epoch: number,
  assigned: Partitions,
): ConsumerMember {
  return {
    ...newMember(classic.memberId),
    memberEpoch: epoch,
    previousMemberEpoch: epoch,
    assigned,
    instanceId: classic.groupInstanceId,
    rackId: subscription.rackId === "" ? null : subscription.rackId,
    rebalanceTimeoutMs: classic.rebalanceTimeoutMs,
    clientId: classic.clientId,
    clientHost: classic.clientHost,
    subscribedTopicNames: distinctNames(subscription.topics),
    classic: {
      sessionTimeoutMs: classic.sessionTimeoutMs,
      supportedProtocols: classic.protocols,
    },
  };
}

const MALFORMED = "the embedded consumer protocol is malformed";

/** A member that never synced has no assignment yet. */
function assignedPartitions(bytes: Uint8Array, image: ClusterImage): Partitions | string {
  if (bytes.length === 0) return NO_PARTITIONS;
  const assignment = readAssignment(bytes);
  if (assignment === undefined) return MALFORMED;
  if (assignment.userData !== null && assignment.userData.length > 0) {
    return "an unsupported custom assignor is in use. Please refer to the documentation or switch " +
      "to a default assignor before re-attempting the upgrade";
  }
  return partitionsOf(topicPartitionsOf(assignment.assignedPartitions, image));
}

type Named = NonNullable<ReturnType<typeof readAssignment>>["assignedPartitions"];

/** By id; what is not there, or no more, is left out. */
export function topicPartitionsOf(
  named: Named,
  image: ClusterImage,
): Parameters<typeof partitionsOf>[0] {
  return named.flatMap(({ topic, partitions }) => {
    const known = image.topic(topic);
    if (known === undefined) return [];
    const ids = partitions.filter((id) => known.partitions[id] !== undefined);
    return [{ topicId: known.topicId, partitions: ids }];
  });
}
