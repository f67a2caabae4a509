/** Who may commit offsets in a classic group, and that a commit is a sign of life. */
import { ErrorCode } from "../../api/error_code.ts";
import type { Commit } from "../group.ts";
import type { Turn } from "../turn.ts";
import { type ClassicCore, renewSession } from "./core.ts";
import { refuseMember } from "./member_check.ts";

/**
 * Why the commit is refused.
 *
 * Source: kafka ClassicGroup.validateOffsetCommit, OffsetMetadataManager.commitOffset.
 */
export function refuseClassicCommit(
  core: ClassicCore,
  commit: Commit,
  turn: Turn,
): ErrorCode | undefined {
  const refused = refusal(core, commit);
  if (refused !== undefined || commit.isTransactional) return refused;
  const member = core.members.get(commit.memberId);
  if (member !== undefined) renewSession(core, turn, member);
  return undefined;
}

function refusal(core: ClassicCore, commit: Commit): ErrorCode | undefined {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = commit;
  // An administrator, or a consumer that is nobody's member: welcome where nobody else is.
  if (generationId < 0 && core.phase === "Empty") return undefined;
  if (generationId >= 0 || memberId !== "" || groupInstanceId !== null) {
    const refused = refuseMember(core, memberId, groupInstanceId);
    if (refused !== undefined) return refused;
    if (generationId !== core.generationId) return ErrorCode.IllegalGeneration;
  } else if (!commit.isTransactional) {
    return ErrorCode.UnknownMemberId;
  }
  // It knows the generation, so it was told of it; its partitions are being given to somebody.
  const isTooEarly = !commit.isTransactional && core.phase === "CompletingRebalance";
  return isTooEarly ? ErrorCode.RebalanceInProgress : undefined;
}
