/**
 * One member's change, from what it says to the records that follow from it. Both protocols go the
 * same way:
 *
 *     1  member      it is new or tells something new                  ConsumerGroupMemberMetadata
 *     2  patterns    its pattern is new, or topics are                 ConsumerGroupRegularExpression
 *     3  epoch       subscriptions or topics changed                   ConsumerGroupMetadata
 *     4  target      the epoch is newer than the targets               …TargetAssignment{Member,Metadata}
 *     5  reconcile   the member goes on towards its target             …CurrentMemberAssignment
 *
 * Records are gathered and written only when nothing has been refused.
 *
 * Source: kafka: GroupMetadataManager.consumerGroupHeartbeat, classicGroupJoinToConsumerGroup.
 */
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { Turn } from "../turn.ts";
import type { ConsumerCore } from "./core.ts";
import { type ConsumerMember, sameMetadata, sameNames } from "./member.ts";
import { hashesOf } from "./metadata_hash.ts";
import { nameOf } from "./member_name.ts";
import type { Partitions, TopicPartitions } from "./partitions.ts";
import { MemberState, reconcile } from "./reconcile.ts";
import {
  epochRecord,
  memberMetadataRecord,
  partitionMetadataTombstone,
  progressRecord,
  regexRecord,
  regexTombstone,
  type ResolvedRegex,
} from "./record.ts";
import { Refusal } from "./refusal.ts";
import { meansOther, refuseRegex, resolveRegexes } from "./regexes.ts";
import { Subscriptions } from "./subscriptions.ts";
import { newTarget } from "./target.ts";

export interface ChangeInput {
  readonly turn: Turn;
  readonly core: ConsumerCore;
  /** The member as it is; a copy of the one it takes the place of; or somebody new. */
  readonly before: ConsumerMember;
  readonly after: ConsumerMember;
  /** What the member says it has; null where it did not say. */
  readonly owned: readonly TopicPartitions[] | null;
  /** Records that come first, of a member whose place is taken. */
  readonly records?: readonly GroupRecord[];
}

/** The epoch that a change leads to. */
export interface Epoch {
  readonly groupEpoch: number;
  readonly isBumped: boolean;
}

interface Target {
  readonly epoch: number;
  readonly target: Partitions;
}

export class MemberChange {
  readonly records: GroupRecord[];
  readonly #input: ChangeInput;
  /** As they will be: those of the group until something differs, for most heartbeats change nothing. */
  #subscriptions: Subscriptions;
  #resolvedRegexes: ReadonlyMap<string, ResolvedRegex>;

  constructor(input: ChangeInput) {
    const { before, after, core: { state } } = input;
    this.#input = input;
    this.records = [...input.records ?? []];
    this.#subscriptions = state.subscriptions;
    this.#resolvedRegexes = state.resolvedRegexes;
    if (before !== after) {
      this.#subscriptions = new Subscriptions(state.subscriptions);
      this.#subscriptions.change(before, after);
    }
  }

  /** Steps 1 to 3. */
  subscribe(): Epoch | Refusal {
    const { before, after, core: { groupId, state } } = this.#input;
    if (!sameMetadata(before, after)) this.records.push(memberMetadataRecord(groupId, after));
    const patterns = this.#changePatterns();
    if (patterns instanceof Refusal) return patterns;
    const isSubscriptionNew = !sameNames(before.subscribedTopicNames, after.subscribedTopicNames) ||
      before.subscribedTopicRegex !== after.subscribedTopicRegex ||
      before.rackId !== after.rackId;
    return this.#epoch(state.groupEpoch === 0 || isSubscriptionNew, patterns);
  }

  /** Steps 4 and 5: the member as it will be. */
  advance(epoch: Epoch): ConsumerMember | Refusal {
    return this.reconcileTo(this.#target(epoch));
  }

  /** Step 5 alone, towards the target that is there. */
  advanceToKnown(): ConsumerMember | Refusal {
    return this.reconcileTo(this.#knownTarget());
  }

  reconcileTo({ epoch, target }: Target): ConsumerMember | Refusal {
    const { turn, core: { groupId, state, memory }, after, owned } = this.#input;
    const progress = reconcile({
      member: after,
      targetEpoch: epoch,
      target,
      isHeld: (topicId, partitionId) => state.isHeld(topicId, partitionId),
      owned,
    });
    if (progress === "fenced") {
      return new Refusal(
        ErrorCode.FencedMemberEpoch,
        "The consumer group member is in a unknown state. " +
          "The member must abandon all its partitions and rejoin.",
      );
    }
    if (progress === after) return after;
    const { memberId, rebalanceTimeoutMs } = after;
    this.records.push(progressRecord(groupId, memberId, progress));
    if (after.classic === null) {
      if (progress.state === MemberState.UnrevokedPartitions) {
        const at = turn.now + rebalanceTimeoutMs;
        memory.timers.startRebalance(memberId, at, progress.memberEpoch);
      } else {
        memory.timers.cancelRebalance(memberId);
      }
    }
    return { ...after, ...progress };
  }

  write(): void {
    for (const record of this.records) this.#input.turn.write(record);
  }

  /** Whether any pattern means something else now. */
  #changePatterns(): boolean | Refusal {
    const { turn, core, before, after } = this.#input;
    const { groupId, state } = core;
    const { subscribedTopicRegex: old } = before;
    const { subscribedTopicRegex: regex } = after;
    const isNew = regex !== "" && regex !== old && state.subscriptions.membersOf(regex) === 0;
    const refusal = isNew ? refuseRegex(turn, regex) : undefined;
    if (refusal !== undefined) return refusal;
    if (old !== "" && this.#subscriptions.membersOf(old) === 0) {
      this.records.push(regexTombstone(groupId, old));
      this.#resolve(old, undefined);
    }
    if (!this.#subscriptions.hasRegexes) return false;
    let isOther = false;
    for (const [found, after] of resolveRegexes(turn, core, this.#subscriptions.regexes())) {
      if (meansOther(state, found, after)) isOther = true;
      this.records.push(regexRecord(groupId, found, after));
      this.#resolve(found, after);
    }
    // It may have turned out just now that it takes too long.
    return (isNew ? refuseRegex(turn, regex) : undefined) ?? isOther;
  }

  #resolve(regex: string, after: ResolvedRegex | undefined): void {
    const before = this.#resolvedRegexes.get(regex);
    const subscriptions = new Subscriptions(this.#subscriptions);
    subscriptions.resolve(before?.topics ?? [], after?.topics ?? []);
    const resolvedRegexes = new Map(this.#resolvedRegexes);
    if (after === undefined) resolvedRegexes.delete(regex);
    else resolvedRegexes.set(regex, after);
    this.#subscriptions = subscriptions;
    this.#resolvedRegexes = resolvedRegexes;
  }

  #epoch(isMemberNew: boolean, areTopicsNew: boolean): Epoch {
    const { turn, core: { groupId, state, memory }, before } = this.#input;
    let { groupEpoch } = state;
    const isAsked = isMemberNew || areTopicsNew;
    if (!isAsked && !memory.isRefreshDue(turn.now, groupEpoch)) {
      return { groupEpoch, isBumped: false };
    }
    const metadataHash = hashesOf(turn.image).hashOf(this.#subscriptions.topics(), turn.image);
    const isBumped = isAsked || metadataHash !== state.metadataHash;
    if (isBumped) {
      groupEpoch++;
      this.records.push(epochRecord(groupId, groupEpoch, metadataHash));
      const isKnown = state.members.has(before.memberId);
      const reason = isMemberNew
        ? memberReason(before, this.#input.after, isKnown)
        : areTopicsNew
        ? "a pattern means other topics"
        : memory.topicsChangedReason();
      const memberCount = this.#memberCount();
      memory.begun = { atMs: turn.now, generation: groupEpoch, reason, memberCount };
    }
    memory.noteRefresh(turn.now, groupEpoch);
    if (state.hasPartitionMetadata) this.records.push(partitionMetadataTombstone(groupId));
    return { groupEpoch, isBumped };
  }

  #target({ groupEpoch }: Epoch): Target {
    const { turn, core: { groupId, state }, after } = this.#input;
    if (groupEpoch <= state.assignmentEpoch) return this.#knownTarget();
    const { records, target } = newTarget({
      groupId,
      state,
      image: turn.image,
      groupEpoch,
      isHomogeneous: this.#subscriptions.isHomogeneous(this.#memberCount()),
      resolvedRegexes: this.#resolvedRegexes,
      assignors: turn.settings.consumerGroupAssignors,
      member: after,
    });
    this.records.push(...records);
    return { epoch: groupEpoch, target };
  }

  /** A member that takes the place of another by its instance id has that one's target. */
  #knownTarget(): Target {
    const { core: { state }, after } = this.#input;
    const memberId = state.staticMemberId(after.instanceId) ?? after.memberId;
    return { epoch: state.assignmentEpoch, target: state.targetOf(memberId) };
  }

  #memberCount(): number {
    const { core: { state }, after } = this.#input;
    const isCounted = state.members.has(after.memberId) ||
      state.staticMemberId(after.instanceId) !== undefined;
    return state.members.size + (isCounted ? 0 : 1);
  }
}

function memberReason(before: ConsumerMember, after: ConsumerMember, isKnown: boolean): string {
  const what = !isKnown
    ? "joined"
    : before.rackId === after.rackId
    ? "changed its subscription"
    : "is in another rack";
  return `${nameOf(after)} ${what}`;
}
