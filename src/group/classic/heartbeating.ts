/**
 * Heartbeat: a member lives, and learns whether it has to join again.
 *
 * Source: kafka GroupMetadataManager.classicGroupHeartbeatToClassicGroup.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { HeartbeatRequest } from "../group_request.ts";
import type { Turn } from "../turn.ts";
import type { ClassicMember } from "./classic_member.ts";
import { type ClassicCore, renewSession } from "./core.ts";
import { refuseMember } from "./member_check.ts";

export function onHeartbeat(core: ClassicCore, turn: Turn, { body }: HeartbeatRequest): ErrorCode {
  if (body.groupId === "") return ErrorCode.InvalidGroupId;
  const refused = refuseMember(core, body.memberId, body.groupInstanceId);
  if (refused !== undefined) return refused;
  if (body.generationId !== core.generationId) return ErrorCode.IllegalGeneration;
  renewSession(core, turn, core.members.get(body.memberId) as ClassicMember);
  return core.phase === "PreparingRebalance" ? ErrorCode.RebalanceInProgress : ErrorCode.None;
}
