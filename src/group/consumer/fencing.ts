/**
 * Members go: they leave, or are fenced because their time is over. All that go in one turn make one
 * new epoch; the others learn of it by their next heartbeat. Where only classic members are left, the
 * group becomes a classic one.
 *
 * Source: kafka: GroupMetadataManager.consumerGroupFenceMembers.
 */
import type { Turn } from "../turn.ts";
import type { ConsumerCore } from "./core.ts";
import { downgradeWithout, isDowngrade } from "./downgrade.ts";
import type { ConsumerMember } from "./member.ts";
import { nameOf } from "./member_name.ts";
import { hashesOf } from "./metadata_hash.ts";
import { MemberState } from "./reconcile.ts";
import { epochRecord, memberTombstones, regexTombstone } from "./record.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { Overdue } from "./timers.ts";

/** Why a member goes, behind its name. */
export interface Leaver {
  readonly member: ConsumerMember;
  readonly why: string;
}

/** As many members as a reason in the history names. */
const NAMED_MAX = 3;
/** When those are asked about again whose fencing the log refused. */
const RETRY_MS = 1000;

export function removeMembers(core: ConsumerCore, turn: Turn, leavers: readonly Leaver[]): void {
  if (leavers.length === 0) return;
  const { groupId, state, memory } = core;
  const reason = reasonOf(leavers);
  const members = leavers.map(({ member }) => member);
  if (isDowngrade(core, turn, members)) return downgradeWithout(core, turn, { members, reason });
  const subscriptions = new Subscriptions(state.subscriptions);
  for (const member of members) {
    for (const record of memberTombstones(groupId, member.memberId)) turn.write(record);
    subscriptions.change(member, undefined);
  }
  for (const regex of state.subscriptions.regexes()) {
    if (subscriptions.membersOf(regex) > 0) continue;
    turn.write(regexTombstone(groupId, regex));
    subscriptions.resolve(state.resolvedRegexes.get(regex)?.topics ?? [], []);
  }
  const groupEpoch = state.groupEpoch + 1;
  const metadataHash = hashesOf(turn.image).hashOf(subscriptions.topics(), turn.image);
  turn.write(epochRecord(groupId, groupEpoch, metadataHash));
  const memberCount = state.members.size - members.length;
  memory.begun = { atMs: turn.now, generation: groupEpoch, reason, memberCount };
}

/** Fences those whose time is over. */
export function fenceOverdue(core: ConsumerCore, turn: Turn): void {
  const { state, memory } = core;
  const leavers: Leaver[] = [];
  for (const found of memory.timers.takeOverdue(turn.now, turn.now + RETRY_MS)) {
    const { memberId, overdue, rebalanceEpoch } = found;
    const member = state.members.get(memberId);
    if (member === undefined) memory.timers.forget(memberId);
    else if (overdue === "rebalance" && !isStillToGiveBack(member, rebalanceEpoch)) {
      memory.timers.cancelRebalance(memberId);
    } else leavers.push({ member, why: `was fenced: ${FENCED_FOR[overdue]}` });
  }
  removeMembers(core, turn, leavers);
}

/** The second: the log refused that it was to give back anything. */
function isStillToGiveBack({ memberEpoch, state }: ConsumerMember, epoch: number): boolean {
  return memberEpoch === epoch && state === MemberState.UnrevokedPartitions;
}

const FENCED_FOR: Readonly<Record<Overdue, string>> = {
  session: "its session timed out",
  rebalance: "it did not give back its partitions in time",
  join: "it did not join again in time",
  sync: "it did not ask for its assignment in time",
};

function reasonOf(leavers: readonly Leaver[]): string {
  const told = leavers.slice(0, NAMED_MAX).map(({ member, why }) => `${nameOf(member)} ${why}`);
  const more = leavers.length - told.length;
  return more === 0 ? told.join("; ") : `${told.join("; ")}; and ${more} more`;
}
