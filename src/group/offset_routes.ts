/**
 * Who may commit, read and remove offsets, and who may remove a group with all of them.
 *
 *                   none                           simple                     a group
 *     OffsetCommit  generation < 0: accepted,      generation < 0: accepted,  the group says
 *                   else GROUP_ID_NOT_FOUND        else UNKNOWN_MEMBER_ID
 *     OffsetFetch   no offsets, no error           accepted                   the group says
 *     OffsetDelete  GROUP_ID_NOT_FOUND             accepted                   the group says
 *     DeleteGroup   GROUP_ID_NOT_FOUND             accepted                   the group says
 *
 * Source: kafka OffsetMetadataManager.validateOffsetCommit, fetchOffsets, deleteOffsets;
 * GroupCoordinatorShard.deleteGroups.
 */
import { ErrorCode } from "../api/error_code.ts";
import { errorResponse } from "./error_response.ts";
import type {
  DeleteGroupRequest,
  OffsetCommitRequest,
  OffsetDeleteRequest,
  OffsetFetchRequest,
} from "./group_request.ts";
import type { Question } from "./group_routes.ts";
import type { GroupSlot } from "./group_slot.ts";
import { commitOffsets, deleteOffsets, fetchOffsets, offsetTombstone } from "./offset_requests.ts";
import type { ShardTurn } from "./shard_turn.ts";
import type { Turn } from "./turn.ts";

/** Clients before this version of OffsetCommit do not know GROUP_ID_NOT_FOUND. */
const NOT_FOUND_IN_OFFSET_COMMIT = 9;

export function routeCommit(
  turn: ShardTurn,
  { request, slot, token }: Question<OffsetCommitRequest>,
): void {
  const refusal = refuseCommit(turn, request, slot);
  turn.reply(
    token,
    refusal === undefined
      ? commitOffsets(turn, request, slot?.offsets)
      : errorResponse(request, refusal),
  );
}

function refuseCommit(
  turn: Turn,
  { body, caller: { apiVersion } }: OffsetCommitRequest,
  slot: GroupSlot | undefined,
): ErrorCode | undefined {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch } = body;
  if (slot?.group !== undefined) {
    return slot.group.refuseCommit(
      { memberId, groupInstanceId, generationIdOrMemberEpoch, apiVersion, isTransactional: false },
      turn,
    );
  }
  if (generationIdOrMemberEpoch < 0) return undefined;
  if (slot !== undefined) return ErrorCode.UnknownMemberId;
  return apiVersion >= NOT_FOUND_IN_OFFSET_COMMIT
    ? ErrorCode.GroupIdNotFound
    : ErrorCode.IllegalGeneration;
}

export function routeFetch(
  turn: ShardTurn,
  { request, slot, token }: Question<OffsetFetchRequest>,
): void {
  const { memberId, memberEpoch } = request.body;
  const refusal = slot?.group?.refuseFetch(memberId, memberEpoch);
  turn.reply(
    token,
    refusal === undefined
      ? fetchOffsets(turn, request, slot?.offsets)
      : errorResponse(request, refusal),
  );
}

export function routeOffsetDelete(
  turn: ShardTurn,
  { request, slot, token }: Question<OffsetDeleteRequest>,
): void {
  const refusal = slot === undefined ? ErrorCode.GroupIdNotFound : slot.group?.refuseOffsetDelete();
  turn.reply(
    token,
    refusal === undefined
      ? deleteOffsets(turn, request, { group: slot?.group, offsets: slot?.offsets })
      : errorResponse(request, refusal),
  );
}

export function routeDelete(
  turn: ShardTurn,
  { request, slot, token }: Question<DeleteGroupRequest>,
): void {
  const { groupId } = request.body;
  const refusal = slot === undefined ? ErrorCode.GroupIdNotFound : slot.group?.refuseDelete();
  if (refusal === undefined) {
    slot?.forEachOffset((topic, partition) => {
      turn.write(offsetTombstone(groupId, topic, partition));
    });
    slot?.group?.writeTombstones(turn);
  }
  turn.reply(token, { groupId, errorCode: refusal ?? ErrorCode.None });
}
