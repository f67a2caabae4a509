/**
 * One member's next step towards its target: the whole of KIP-848's reconciliation as one function.
 *
 *                 target moves away from it             it says that it gave them back
 *      ┌────────┐ ──────────────────────► ┌────────────┐ ─────────────┐
 *      │ stable │                         │ unrevoked  │              ▼
 *      └────────┘ ◄────────────────────── └────────────┘      (the step is made again,
 *           ▲       nothing to wait for                        one epoch further)
 *           │ the others gave them back   ┌────────────┐              │
 *           └──────────────────────────── │ unreleased │ ◄────────────┘
 *                                         └────────────┘   others still hold a part of the target
 *
 * A member moves to the target's epoch only when it has given back what it must: until then it stays in
 * its epoch, with what it keeps. What it is to get and nobody holds it gets at once; for the rest it
 * waits as `unreleased`, at the target's epoch.
 *
 * Not here: who computes the target (`target.ts`), who waits how long (`timers.ts`).
 *
 * Source: KIP-848 "Reconciliation"; kafka: CurrentAssignmentBuilder.
 */
import type { Uuid } from "../../ground/uuid.ts";
import {
  difference,
  filtered,
  has,
  intersection,
  NO_PARTITIONS,
  type Partitions,
  samePartitions,
  type TopicPartitions,
  union,
} from "./partitions.ts";

/** Kafka's MemberState, by its values in records. */
export const MemberState = {
  Stable: 0,
  UnrevokedPartitions: 1,
  UnreleasedPartitions: 2,
  /** A later version wrote a state that this one does not know. */
  Unknown: 127,
} as const;
export type MemberState = (typeof MemberState)[keyof typeof MemberState];

/** Where a member stands; durable as ConsumerGroupCurrentMemberAssignment. */
export interface MemberProgress {
  readonly state: MemberState;
  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  readonly assigned: Partitions;
  readonly pendingRevocation: Partitions;
}

export interface ReconcileInput {
  readonly member: MemberProgress;
  readonly targetEpoch: number;
  readonly target: Partitions;
  /** Whether any member still holds the partition, whatever its epoch. */
  isHeld(topicId: Uuid, partitionId: number): boolean;
  /** What the member says it has; null where it did not say. */
  readonly owned: readonly TopicPartitions[] | null;
}

export function memberStateOf(value: number): MemberState {
  switch (value) {
    case MemberState.Stable:
    case MemberState.UnrevokedPartitions:
    case MemberState.UnreleasedPartitions:
      return value;
    default:
      return MemberState.Unknown;
  }
}

export function isReconciledTo(
  { state, memberEpoch }: MemberProgress,
  targetEpoch: number,
): boolean {
  return state === MemberState.Stable && memberEpoch === targetEpoch;
}

/**
 * The member's next standing, the same object where it cannot move, or "fenced" where it must give up
 * everything and join anew.
 */
export function reconcile(input: ReconcileInput): MemberProgress | "fenced" {
  const { member, owned, targetEpoch } = input;
  switch (member.state) {
    case MemberState.Stable:
      return member.memberEpoch === targetEpoch ? member : stepFrom(input, member.memberEpoch);
    case MemberState.UnrevokedPartitions:
      // It has given them back when it no longer names them. The next epoch that it reaches by that
      // is one further; the target may have moved on by more than one meanwhile.
      if (ownsAnyOf(owned, member.pendingRevocation)) return member;
      return stepFrom(input, member.memberEpoch + 1);
    case MemberState.UnreleasedPartitions:
      return stepFrom(input, member.memberEpoch);
    case MemberState.Unknown:
      if (owned === null || owned.length > 0) return "fenced";
      return stepFrom(input, targetEpoch);
  }
}

function stepFrom(input: ReconcileInput, memberEpoch: number): MemberProgress {
  const { member, target, targetEpoch, owned } = input;
  const kept = intersection(member.assigned, target);
  const pendingRevocation = difference(member.assigned, kept);
  if (pendingRevocation.size > 0 && ownsAnyOf(owned, pendingRevocation)) {
    return changed(member, {
      state: MemberState.UnrevokedPartitions,
      memberEpoch,
      assigned: kept,
      pendingRevocation,
    });
  }
  const wanted = difference(target, kept);
  const free = filtered(wanted, (topicId, partitionId) => !input.isHeld(topicId, partitionId));
  // `filtered` gives the set itself where all of it is free.
  const isAllFree = free === wanted;
  return changed(member, {
    state: isAllFree ? MemberState.Stable : MemberState.UnreleasedPartitions,
    memberEpoch: targetEpoch,
    assigned: union(kept, free),
    pendingRevocation: NO_PARTITIONS,
  });
}

/** Where the member did not say what it has, it may still have all of it. */
function ownsAnyOf(owned: readonly TopicPartitions[] | null, asked: Partitions): boolean {
  if (owned === null) return true;
  return owned.some(({ topicId, partitions }) => partitions.some((id) => has(asked, topicId, id)));
}

/**
 * Keeps: a step that changes nothing gives the same object. The epoch before is the one the member has
 *        in its hands: it retries with that one where the answer was lost.
 */
function changed(
  before: MemberProgress,
  now: Omit<MemberProgress, "previousMemberEpoch">,
): MemberProgress {
  const isSame = before.state === now.state && before.memberEpoch === now.memberEpoch &&
    samePartitions(before.assigned, now.assigned) &&
    samePartitions(before.pendingRevocation, now.pendingRevocation);
  if (isSame && before.previousMemberEpoch === before.memberEpoch) return before;
  return { ...now, previousMemberEpoch: before.memberEpoch };
}
