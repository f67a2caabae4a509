/**
 * The state of one classic group, and the few primitives that every part of it stands on.
 *
 * The parts are functions over this state, one file each, which see only those below them:
 *
 *   classic_group -> joining -> static_replacement -> join, rebalance -> replies, causes,
 *                    syncing, leaving, offset_commits, describing        metadata_record -> core
 *
 *              first join                     all joined, or time is up
 *     Empty ----------------> Preparing ----------------------------------> Completing
 *       ^                    Rebalance  <---------------------------------- Rebalance
 *       | nobody is left      |     ^     a member came, left, changed         |
 *       +---------------------+     |                                          | the leader's sync
 *                                   +-------------- Stable <-------------------+
 *
 * A generation is durable once its assignments are: the GroupMetadata record that the leader's sync
 * writes. What comes before it (who joined, who waits, which generation is being made) is in memory
 * only; where the coordinator fails, the generation before it is the one that lives again, and its
 * members find out by their heartbeats.
 */
import type { GroupMetadataRecord } from "../../api/coordinator_record/group_record.ts";
import { assert } from "../../ground/assert.ts";
import type { Ms } from "../../ground/numbers.ts";
import { History } from "../history.ts";
import type { Turn } from "../turn.ts";
import type { ClassicMember, WatchedMember } from "./classic_member.ts";
import { MemberDeadlines } from "./member_deadlines.ts";
import { MemberTable } from "./member_table.ts";

/** Kafka's names. Its fifth, Dead, is a group that is no longer here. */
export type Phase = "Empty" | "PreparingRebalance" | "CompletingRebalance" | "Stable";

export type GroupMetadataValue = NonNullable<GroupMetadataRecord["value"]>;

/** Until when joins are waited for. */
export type JoinTimer =
  | { readonly kind: "rebalance"; readonly at: Ms }
  /** An empty group waits for more members to come, a little longer whenever one came. */
  | {
    readonly kind: "initial";
    readonly at: Ms;
    readonly delayMs: number;
    readonly remainingMs: number;
  };

/**
 * A record that was written in this turn and is not replayed yet, with what its replay makes of the
 * state in memory. Where the log refuses it, the next turn finds it still here and takes it back.
 *
 *   created    an Empty group, so that it is found after a restart
 *   emptied    the last member is gone
 *   settled    the leader's assignments: the group becomes Stable
 *   replaced   a static member came back while the group was Stable
 */
export type Unconfirmed =
  | { readonly kind: "created" | "emptied" }
  | { readonly kind: "settled"; readonly at: Ms; readonly answered: readonly ClassicMember[] }
  | {
    readonly kind: "replaced";
    readonly at: Ms;
    readonly old: ClassicMember;
    readonly next: ClassicMember;
  };

export interface ClassicCore {
  readonly groupId: string;
  readonly members: MemberTable;
  readonly deadlines: MemberDeadlines<WatchedMember>;
  readonly history: History;
  phase: Phase;
  previousPhase: Phase;
  /** Since when the group is in its phase; -1 = unknown (written by an old broker). */
  changedAtMs: number;
  generationId: number;
  protocolType: string | undefined;
  protocolName: string | undefined;
  joinTimer: JoinTimer | undefined;
  /** Until when the members of this generation have to ask for their assignments. */
  syncTimer: Ms | undefined;
  /** Whether somebody came since the initial delay was last prolonged. */
  isNewMemberAdded: boolean;
  /** What members said in the protocol of the group as the generation began; read when asked about. */
  subscriptions: readonly Uint8Array[] | undefined;
  subscribedTopics: ReadonlySet<string> | "unread" | "unknown";
  /** Why the rebalance that goes on began, and what happened in it, as far as it is told. */
  causes: readonly string[];
  furtherCauses: number;
  unconfirmed: Unconfirmed | undefined;
  /** The turn in which it was written. */
  unconfirmedIn: Turn | undefined;
  /** The newest record of the group in the log. */
  durable: GroupMetadataValue | undefined;
  /** Whether the state in memory is what the newest record says. */
  isAsDurable: boolean;
  /** Whether sessions run: not between replay and `loaded`. */
  isWatched: boolean;
}

/** One for all groups that have nothing to tell. */
export const NO_CAUSES: readonly string[] = [];

export function newCore(groupId: string, changedAtMs: number): ClassicCore {
  return {
    groupId,
    members: new MemberTable(),
    deadlines: new MemberDeadlines(),
    history: new History(),
    phase: "Empty",
    previousPhase: "Empty",
    changedAtMs,
    generationId: 0,
    protocolType: undefined,
    protocolName: undefined,
    joinTimer: undefined,
    syncTimer: undefined,
    isNewMemberAdded: false,
    subscriptions: undefined,
    subscribedTopics: "unknown",
    causes: NO_CAUSES,
    furtherCauses: 0,
    unconfirmed: undefined,
    unconfirmedIn: undefined,
    durable: undefined,
    isAsDurable: false,
    isWatched: true,
  };
}

export function becomePhase(core: ClassicCore, now: Ms, phase: Phase): void {
  core.previousPhase = core.phase;
  core.phase = phase;
  core.changedAtMs = now;
}

/** Notes what the replay of the record that is written in this turn comes to; a turn writes one. */
export function expectReplay(core: ClassicCore, turn: Turn, unconfirmed: Unconfirmed): void {
  assert(core.unconfirmed === undefined, "a turn writes one record of a classic group");
  core.unconfirmed = unconfirmed;
  core.unconfirmedIn = turn;
}

/** The longest that any member asks for. */
export function rebalanceTimeoutMs(core: ClassicCore): number {
  let longestMs = 0;
  for (const member of core.members.values()) {
    longestMs = Math.max(longestMs, member.rebalanceTimeoutMs);
  }
  return longestMs;
}

/** The member has as long to ask for its assignment as anybody has to join. */
export function expectSync(core: ClassicCore, turn: Turn, { memberId }: ClassicMember): void {
  core.members.addPendingSync(memberId);
  core.syncTimer ??= (turn.now + rebalanceTimeoutMs(core)) as Ms;
}

/** Gives the member a session from now. */
export function renewSession(core: ClassicCore, turn: Turn, member: ClassicMember): void {
  core.deadlines.set(member, (turn.now + member.sessionTimeoutMs) as Ms);
}
