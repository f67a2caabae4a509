/**
 * Who may commit and read offsets of a consumer group: its members, with the epoch that they have; and
 * where nobody is in it, whoever takes part in no group.
 *
 * Source: kafka: ConsumerGroup.validateOffsetCommit, validateOffsetFetch, validateMemberEpoch.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Commit } from "../group.ts";
import type { ConsumerGroupState } from "./group_state.ts";
import type { ConsumerMember } from "./member.ts";

/** From this version of OffsetCommit on a member of this protocol can say its epoch (KIP-848). */
const MEMBER_EPOCH_VERSION = 9;
const NO_EPOCH = -1;

export function refuseCommit(
  { members }: ConsumerGroupState,
  { memberId, groupInstanceId, generationIdOrMemberEpoch, apiVersion, isTransactional }: Commit,
): ErrorCode | undefined {
  const epoch = generationIdOrMemberEpoch;
  if (epoch < 0 && members.size === 0) return undefined;
  const isUnnamed = memberId === "" && groupInstanceId === null;
  if (isTransactional && epoch === NO_EPOCH && isUnnamed) return undefined;
  const member = members.get(memberId);
  if (member === undefined) return ErrorCode.UnknownMemberId;
  const isOldClient = member.classic === null && apiVersion < MEMBER_EPOCH_VERSION;
  if (isOldClient && !isTransactional) return ErrorCode.UnsupportedVersion;
  return refuseEpoch(member, epoch);
}

export function refuseFetch(
  { members }: ConsumerGroupState,
  memberId: string | null,
  memberEpoch: number,
): ErrorCode | undefined {
  if (memberId === null && memberEpoch < 0) return undefined;
  const member = memberId === null ? undefined : members.get(memberId);
  return member === undefined ? ErrorCode.UnknownMemberId : refuseEpoch(member, memberEpoch);
}

function refuseEpoch(
  { memberEpoch, classic }: ConsumerMember,
  receivedEpoch: number,
): ErrorCode | undefined {
  if (receivedEpoch === memberEpoch) return undefined;
  return classic === null ? ErrorCode.StaleMemberEpoch : ErrorCode.IllegalGeneration;
}
