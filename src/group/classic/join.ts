/** One JoinGroup in a form that does not depend on its version, and what it changes of its member. */
import type { JoinGroupRequest } from "../group_request.ts";
import type { Token, Turn } from "../turn.ts";
import type { ClassicMember, JoinResponse, Protocol } from "./classic_member.ts";
import type { ClassicCore } from "./core.ts";
import { parkJoin } from "./replies.ts";

export interface Join {
  readonly request: JoinGroupRequest;
  readonly token: Token<JoinResponse>;
  readonly protocols: readonly Protocol[];
  readonly rebalanceTimeoutMs: number;
}

/** What a member says of itself with its JoinGroup. */
export function restate(core: ClassicCore, join: Join, member: ClassicMember): void {
  core.members.setProtocols(member, join.protocols);
  member.rebalanceTimeoutMs = join.rebalanceTimeoutMs;
  member.sessionTimeoutMs = join.request.body.sessionTimeoutMs;
}

/** The member is what it says now, and waits for the generation to come. */
export function updateMember(
  core: ClassicCore,
  turn: Turn,
  join: Join,
  member: ClassicMember,
): void {
  restate(core, join, member);
  const { token, request: { caller: { apiVersion } } } = join;
  parkJoin(core, turn, member, { token, apiVersion });
}
