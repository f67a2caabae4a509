/**
 * SyncGroup: the leader hands in the assignments, everybody gets its own.
 *
 * Source: kafka GroupMetadataManager.classicGroupSyncToClassicGroup, validateSyncGroup.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Ms } from "../../ground/numbers.ts";
import type { SyncGroupRequest } from "../group_request.ts";
import type { Token, Turn } from "../turn.ts";
import { type ClassicMember, EMPTY_ASSIGNMENT, type SyncResponse } from "./classic_member.ts";
import { type ClassicCore, expectReplay, type GroupMetadataValue, renewSession } from "./core.ts";
import { refuseMember } from "./member_check.ts";
import { groupMetadataRecord } from "./metadata_record.ts";
import { answerSync, parkSync, syncError } from "./replies.ts";

/** From this version on a client has to say which protocol it means (KIP-559). */
const PROTOCOL_REQUIRED_VERSION = 5;

export function onSyncGroup(
  core: ClassicCore,
  turn: Turn,
  request: SyncGroupRequest,
  token: Token<SyncResponse>,
): void {
  const refused = refuseSync(core, request);
  if (refused !== undefined) {
    turn.reply(token, syncError(refused));
    return;
  }
  const member = core.members.get(request.body.memberId) as ClassicMember;
  core.members.removePendingSync(member.memberId);
  if (core.members.pendingSyncCount === 0) core.syncTimer = undefined;
  if (core.phase === "Stable") {
    turn.reply(token, syncedResponse(core, member.assignment));
    return;
  }
  parkSync(turn, member, token);
  if (core.members.isLeader(member.memberId)) settle(core, turn, request.body.assignments);
}

function refuseSync(core: ClassicCore, { body, caller }: SyncGroupRequest): ErrorCode | undefined {
  const isNamed = body.protocolType !== null && body.protocolName !== null;
  if (caller.apiVersion >= PROTOCOL_REQUIRED_VERSION && !isNamed) {
    return ErrorCode.InconsistentGroupProtocol;
  }
  if (body.groupId === "") return ErrorCode.InvalidGroupId;
  if (core.phase === "Empty") return ErrorCode.UnknownMemberId;
  const refused = refuseMember(core, body.memberId, body.groupInstanceId);
  if (refused !== undefined) return refused;
  if (body.generationId !== core.generationId) return ErrorCode.IllegalGeneration;
  const isOther = isOtherProtocol(body.protocolType, core.protocolType) ||
    isOtherProtocol(body.protocolName, core.protocolName);
  if (isOther) return ErrorCode.InconsistentGroupProtocol;
  return core.phase === "PreparingRebalance" ? ErrorCode.RebalanceInProgress : undefined;
}

function isOtherProtocol(said: string | null, known: string | undefined): boolean {
  return said !== null && known !== undefined && said !== known;
}

function syncedResponse(core: ClassicCore, assignment: Uint8Array): SyncResponse {
  return {
    errorCode: ErrorCode.None,
    protocolType: core.protocolType ?? null,
    protocolName: core.protocolName ?? null,
    assignment,
  };
}

/** A member that the leader forgot gets nothing, and is told so. */
function settle(
  core: ClassicCore,
  turn: Turn,
  assignments: SyncGroupRequest["body"]["assignments"],
): void {
  const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]));
  const assignmentOf = ({ memberId }: ClassicMember): Uint8Array =>
    byMember.get(memberId) ?? EMPTY_ASSIGNMENT;
  turn.write(groupMetadataRecord(core, assignmentOf));
  const answered: ClassicMember[] = [];
  for (const member of core.members.values()) {
    if (!answerSync(turn, member, syncedResponse(core, assignmentOf(member)))) continue;
    // While it waited its session did not run.
    renewSession(core, turn, member);
    answered.push(member);
  }
  expectReplay(core, turn, { kind: "settled", at: turn.now, answered });
}

/** The record with the assignments is in the log. */
export function confirmSettled(core: ClassicCore, value: GroupMetadataValue, at: Ms): void {
  for (const { memberId, assignment } of value.members) {
    const member = core.members.get(memberId);
    if (member !== undefined) member.assignment = assignment;
  }
  core.previousPhase = core.phase;
  core.phase = "Stable";
  core.history.end(at);
}
