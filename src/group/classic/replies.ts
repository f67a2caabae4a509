/**
 * Answers to JoinGroup and SyncGroup, and giving them to members whose requests wait.
 *
 * Every waiting request is answered exactly once: whoever takes it from the member answers it here.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Token, Turn } from "../turn.ts";
import {
  type ClassicMember,
  EMPTY_ASSIGNMENT,
  type JoinResponse,
  metadataOf,
  type SyncResponse,
  type WaitingJoin,
} from "./classic_member.ts";
import type { ClassicCore } from "./core.ts";

const NO_MEMBERS: JoinResponse["members"] = [];
/** From this version of JoinGroup on, no protocol is null and not "" (KIP-559). */
const NULL_PROTOCOL_VERSION = 7;

export function joinError(
  apiVersion: number,
  errorCode: ErrorCode,
  memberId: string,
): JoinResponse {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: apiVersion < NULL_PROTOCOL_VERSION ? "" : null,
    leader: "",
    skipAssignment: false,
    memberId,
    members: NO_MEMBERS,
  };
}

export function syncError(errorCode: ErrorCode): SyncResponse {
  return { errorCode, protocolType: null, protocolName: null, assignment: EMPTY_ASSIGNMENT };
}

/** The generation as it is; the members are for the leader, who assigns. */
export function joinedResponse(
  core: ClassicCore,
  memberId: string,
  apiVersion: number,
): JoinResponse {
  const { protocolName } = core;
  return {
    errorCode: ErrorCode.None,
    generationId: core.generationId,
    protocolType: core.protocolType ?? null,
    protocolName: protocolName ?? (apiVersion < NULL_PROTOCOL_VERSION ? "" : null),
    leader: core.members.leaderId ?? "",
    skipAssignment: false,
    memberId,
    members: core.members.isLeader(memberId) ? membersForLeader(core) : NO_MEMBERS,
  };
}

function membersForLeader({ members, protocolName }: ClassicCore): JoinResponse["members"] {
  return Array.from(members.values(), (member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataOf(member, protocolName ?? "") ?? EMPTY_ASSIGNMENT,
  }));
}

/** Whether a join was waiting. */
export function answerJoin(
  core: ClassicCore,
  turn: Turn,
  member: ClassicMember,
  response: (waiting: WaitingJoin) => JoinResponse,
): boolean {
  const waiting = member.waitingJoin;
  if (waiting === undefined) return false;
  core.members.setWaitingJoin(member, undefined);
  turn.reply(waiting.token, response(waiting));
  return true;
}

export function refuseWaitingJoin(
  core: ClassicCore,
  turn: Turn,
  member: ClassicMember,
  refusal: { readonly errorCode: ErrorCode; readonly memberId: string },
): void {
  const { errorCode, memberId } = refusal;
  answerJoin(core, turn, member, ({ apiVersion }) => joinError(apiVersion, errorCode, memberId));
}

/** Whether a sync was waiting. */
export function answerSync(turn: Turn, member: ClassicMember, response: SyncResponse): boolean {
  const token = member.waitingSync;
  if (token === undefined) return false;
  member.waitingSync = undefined;
  turn.reply(token, response);
  return true;
}

/**
 * The member waits for the generation to come. A client that asks again while its older JoinGroup
 * waits has given that one up, but its connection has not: what is asked on one connection is answered
 * in order, so an answer that never came would hold back every later one. Kafka forgets it.
 */
export function parkJoin(
  core: ClassicCore,
  turn: Turn,
  member: ClassicMember,
  waiting: WaitingJoin,
): void {
  const { memberId } = member;
  refuseWaitingJoin(core, turn, member, { errorCode: ErrorCode.RebalanceInProgress, memberId });
  core.members.setWaitingJoin(member, waiting);
}

/** The same for SyncGroup. */
export function parkSync(turn: Turn, member: ClassicMember, token: Token<SyncResponse>): void {
  answerSync(turn, member, syncError(ErrorCode.RebalanceInProgress));
  member.waitingSync = token;
}
