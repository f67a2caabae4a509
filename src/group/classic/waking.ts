/**
 * What time does to a group: joins that are over, syncs that did not come, members that fell silent.
 *
 * Source: kafka GroupMetadataManager.expireClassicGroupMemberHeartbeat, onLoaded.
 */
import type { Ms } from "../../ground/numbers.ts";
import type { Turn } from "../turn.ts";
import { isWaiting, type WatchedMember } from "./classic_member.ts";
import { type ClassicCore, renewSession } from "./core.ts";
import { completeJoin, onJoinTimer, onSessionExpired, onSyncTimer } from "./rebalance.ts";

/** Before any time that there is. */
const AT_ONCE = 0 as Ms;

export function wakeAtOf(
  { isWatched, joinTimer, syncTimer, deadlines }: ClassicCore,
): Ms | undefined {
  if (!isWatched) return AT_ONCE;
  return earliest(earliest(joinTimer?.at, syncTimer), deadlines.next());
}

/** In the order of time, since one may set off the other. */
export function onWake(core: ClassicCore, turn: Turn): void {
  for (let at = wakeAtOf(core); at !== undefined && at <= turn.now; at = wakeAtOf(core)) {
    if (core.joinTimer?.at === at) {
      onJoinTimer(core, turn);
    } else if (core.syncTimer === at) {
      onSyncTimer(core, turn);
    } else {
      const watched = core.deadlines.takeDue(turn.now);
      if (watched !== undefined) onDeadline(core, turn, watched);
    }
  }
}

/** Nobody knows when members were last heard of: all have a whole session. */
export function beginSessions(core: ClassicCore, turn: Turn): void {
  core.isWatched = true;
  for (const member of core.members.values()) renewSession(core, turn, member);
}

function onDeadline(core: ClassicCore, turn: Turn, watched: WatchedMember): void {
  const member = core.members.get(watched.memberId);
  if (member === undefined) {
    core.members.remove(watched.memberId);
    if (core.phase === "PreparingRebalance" && core.members.hasAllJoined()) {
      completeJoin(core, turn);
    }
  } else if (!isWaiting(member)) {
    onSessionExpired(core, turn, member);
  }
}

function earliest(one: Ms | undefined, other: Ms | undefined): Ms | undefined {
  if (one === undefined) return other;
  return other === undefined || one <= other ? one : other;
}
