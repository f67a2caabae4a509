/**
 * A static member comes back without its member id: its client was started again (KIP-345).
 *
 * It gets a new id and takes the place of the old one, which is fenced from then on. What that means
 * for the group depends on its phase:
 *
 *   Stable               nothing, where the group's protocol stays: the member gets its old assignment,
 *                        and the new id is written down. The leader learns that it leads only from
 *                        version 9 on, where it can be told not to assign (KIP-814); before, it is
 *                        answered as a follower, under the id that led.
 *   PreparingRebalance   the member is one of those who are back
 *   CompletingRebalance  the group rebalances: the leader may be assigning to the old id right now
 *
 * Source: kafka GroupMetadataManager.updateStaticMemberThenRebalanceOrCompleteJoin.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { assert } from "../../ground/assert.ts";
import type { Turn } from "../turn.ts";
import { addCause, givenReason, nameOf } from "./causes.ts";
import { type ClassicMember, type JoinResponse, newMember } from "./classic_member.ts";
import { type ClassicCore, expectReplay } from "./core.ts";
import { type Join, restate, updateMember } from "./join.ts";
import { groupMetadataRecord } from "./metadata_record.ts";
import { completeJoinIfAll, prepareRebalance } from "./rebalance.ts";
import { answerSync, joinedResponse, refuseWaitingJoin, syncError } from "./replies.ts";
import { snapshotSubscriptions } from "./subscribed_topics.ts";

/** Keeps to four parameters. */
export interface Replacement {
  readonly join: Join;
  readonly old: ClassicMember;
  readonly memberId: string;
}

/** From this version on a leader can be told not to assign (KIP-814). */
const SKIP_ASSIGNMENT_VERSION = 9;

export function replaceStaticMember(core: ClassicCore, turn: Turn, replacement: Replacement): void {
  assert(core.phase !== "Empty", "an empty group has no static member");
  const { join, old, memberId } = replacement;
  // Who comes back keeps the client id and host of before, as in Kafka.
  const next = newMember({ ...old, memberId });
  if (core.phase === "Stable" && replaceInPlace(core, turn, { join, old, next })) return;

  refuseWaitingJoin(core, turn, old, {
    errorCode: ErrorCode.FencedInstanceId,
    memberId: old.memberId,
  });
  answerSync(turn, old, syncError(ErrorCode.FencedInstanceId));
  core.members.replace(old, next);
  core.deadlines.clear(old);
  updateMember(core, turn, join, next);
  if (core.phase === "PreparingRebalance") return completeJoinIfAll(core, turn);
  const how = core.phase === "Stable" ? "and speaks another protocol" : "during a rebalance";
  const reason = givenReason(join.request.body.reason);
  addCause(core, () => `${nameOf(next)} was started again ${how}${reason}`);
  prepareRebalance(core, turn);
}

/**
 * Whether the group can go on as it is. Then nothing has changed yet: the record will do it.
 *
 * The members are as after the replacement only while it is looked at what that comes to.
 */
function replaceInPlace(
  core: ClassicCore,
  turn: Turn,
  { join, old, next }: {
    readonly join: Join;
    readonly old: ClassicMember;
    readonly next: ClassicMember;
  },
): boolean {
  const leaderId = core.members.leaderId ?? "";
  core.members.replace(old, next);
  restate(core, join, next);
  const isSameProtocol = core.members.selectProtocol() === core.protocolName;
  if (isSameProtocol) {
    turn.write(groupMetadataRecord(core, ({ assignment }) => assignment));
    turn.reply(join.token, responseInPlace(core, join, next, leaderId));
    expectReplay(core, turn, { kind: "replaced", at: turn.now, old, next });
  }
  core.members.replace(next, old);
  return isSameProtocol;
}

function responseInPlace(
  core: ClassicCore,
  join: Join,
  { memberId }: ClassicMember,
  leaderId: string,
): JoinResponse {
  const { apiVersion } = join.request.caller;
  const response = joinedResponse(core, memberId, apiVersion);
  if (apiVersion < SKIP_ASSIGNMENT_VERSION) return { ...response, leader: leaderId, members: [] };
  return { ...response, skipAssignment: core.members.isLeader(memberId) };
}

/** The record of a replacement is in the log. */
export function confirmReplacement(
  core: ClassicCore,
  old: ClassicMember,
  next: ClassicMember,
): void {
  core.members.replace(old, next);
  core.deadlines.clear(old);
  snapshotSubscriptions(core);
}
