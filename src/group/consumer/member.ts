/**
 * One member of a consumer group: a value, never changed in place, that two records make up.
 *
 *     ConsumerGroupMemberMetadata            what it told about itself
 *     ConsumerGroupCurrentMemberAssignment   where it stands (`MemberProgress`)
 *
 * A member of the classic protocol carries what it told in its JoinGroup beside it.
 */
import type {
  ConsumerGroupCurrentMemberAssignmentRecord,
  ConsumerGroupMemberMetadataRecord,
} from "../../api/coordinator_record/group_record.ts";
import { NO_PARTITIONS, partitionsOf } from "./partitions.ts";
import { type MemberProgress, MemberState, memberStateOf } from "./reconcile.ts";

/** Member epochs that are no epochs (KIP-848, KIP-345). */
export const LEAVE_EPOCH = -1;
export const LEAVE_STATIC_EPOCH = -2;

export interface ClassicProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

/** What a member of the classic protocol told; the first protocol is the one it is answered with. */
export interface ClassicMetadata {
  readonly sessionTimeoutMs: number;
  readonly supportedProtocols: readonly ClassicProtocol[];
}

export interface ConsumerMember extends MemberProgress {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly clientId: string;
  readonly clientHost: string;
  /** Ascending, once each. */
  readonly subscribedTopicNames: readonly string[];
  /** "" = none. */
  readonly subscribedTopicRegex: string;
  readonly serverAssignor: string | null;
  /** Null where the member speaks the consumer protocol. */
  readonly classic: ClassicMetadata | null;
}

const NONE: readonly string[] = [];

/** Somebody who has not told anything yet. */
export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: -1,
    state: MemberState.Stable,
    assigned: NO_PARTITIONS,
    pendingRevocation: NO_PARTITIONS,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: "",
    clientHost: "",
    subscribedTopicNames: NONE,
    subscribedTopicRegex: "",
    serverAssignor: null,
    classic: null,
  };
}

export function withMetadata(
  member: ConsumerMember,
  value: NonNullable<ConsumerGroupMemberMetadataRecord["value"]>,
): ConsumerMember {
  return {
    ...member,
    instanceId: value.instanceId,
    rackId: value.rackId,
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    clientId: value.clientId,
    clientHost: value.clientHost,
    subscribedTopicNames: distinctNames(value.subscribedTopicNames),
    subscribedTopicRegex: value.subscribedTopicRegex ?? "",
    serverAssignor: value.serverAssignor,
    classic: value.classicMemberMetadata,
  };
}

export function withProgress(
  member: ConsumerMember,
  value: ConsumerGroupCurrentMemberAssignmentRecord["value"],
): ConsumerMember {
  if (value === null) {
    return {
      ...member,
      memberEpoch: LEAVE_EPOCH,
      previousMemberEpoch: LEAVE_EPOCH,
      assigned: NO_PARTITIONS,
      pendingRevocation: NO_PARTITIONS,
    };
  }
  return {
    ...member,
    memberEpoch: value.memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: memberStateOf(value.state),
    assigned: partitionsOf(value.assignedPartitions),
    pendingRevocation: partitionsOf(value.partitionsPendingRevocation),
  };
}

/** Ascending and once each; the list itself where it is so already. */
export function distinctNames(names: readonly string[]): readonly string[] {
  for (let at = 1; at < names.length; at++) {
    if ((names[at] as string) <= (names[at - 1] as string)) return [...new Set(names)].sort();
  }
  return names;
}

export function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one === other ||
    one.length === other.length && one.every((name, at) => name === other[at]);
}

/** Whether both told the same about themselves: then there is nothing to write. */
export function sameMetadata(one: ConsumerMember, other: ConsumerMember): boolean {
  return one.instanceId === other.instanceId && one.rackId === other.rackId &&
    one.rebalanceTimeoutMs === other.rebalanceTimeoutMs && one.clientId === other.clientId &&
    one.clientHost === other.clientHost &&
    one.subscribedTopicRegex === other.subscribedTopicRegex &&
    one.serverAssignor === other.serverAssignor &&
    sameNames(one.subscribedTopicNames, other.subscribedTopicNames) &&
    sameClassic(one.classic, other.classic);
}

function sameClassic(one: ClassicMetadata | null, other: ClassicMetadata | null): boolean {
  if (one === other) return true;
  if (one === null || other === null || one.sessionTimeoutMs !== other.sessionTimeoutMs) {
    return false;
  }
  const theirs = other.supportedProtocols;
  return one.supportedProtocols.length === theirs.length &&
    one.supportedProtocols.every(({ name, metadata }, at) => {
      const their = theirs[at];
      return their !== undefined && name === their.name && sameBytes(metadata, their.metadata);
    });
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
