/**
 * What is durable of a consumer group, and what follows from it: only records change it.
 *
 *     groupEpoch ≥ assignmentEpoch ≥ every member's epoch, once all have caught up
 *
 *     groupEpoch        members, subscriptions or topics have changed     ConsumerGroupMetadata
 *     assignmentEpoch   for which group epoch the targets were made       …TargetAssignmentMetadata
 *     memberEpoch       which targets a member has come up to             …CurrentMemberAssignment
 *
 * A record is never an error here: a log that a cleaner thinned out, or that another broker wrote, is
 * read for what it says, the later record over the earlier one. Where two members claim a partition,
 * the later claim stands.
 *
 * Source: kafka: GroupMetadataManager.replay, ConsumerGroup, ModernGroup.
 */
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import type { Uuid } from "../../ground/uuid.ts";
import { Holders } from "./holders.ts";
import {
  type ConsumerMember,
  LEAVE_STATIC_EPOCH,
  newMember,
  withMetadata,
  withProgress,
} from "./member.ts";
import { NO_PARTITIONS, type Partitions, partitionsOf, samePartitions } from "./partitions.ts";
import { isReconciledTo } from "./reconcile.ts";
import type { ResolvedRegex } from "./record.ts";
import { add, Subscriptions } from "./subscriptions.ts";

/** Kafka's: the targets were deleted with the group. */
const NO_ASSIGNMENT_EPOCH = -1;

export type ConsumerGroupStateName = "Empty" | "Assigning" | "Reconciling" | "Stable";

export class ConsumerGroupState {
  groupEpoch = 0;
  metadataHash = 0n;
  assignmentEpoch = 0;
  /** A record of Kafka before 4.1 is there, which goes with the next epoch. */
  hasPartitionMetadata = false;
  readonly members = new Map<string, ConsumerMember>();
  readonly subscriptions = new Subscriptions();
  readonly targets = new Map<string, Partitions>();
  readonly resolvedRegexes = new Map<string, ResolvedRegex>();
  /** Instance id → member id. */
  readonly #staticMembers = new Map<string, string>();
  /** Who holds what: assigned, or not given back yet. */
  readonly #holders = new Holders();
  readonly #assignors = new Map<string, number>();
  readonly #classicProtocols = new Map<string, number>();
  #classicCount = 0;
  #reconciledCount = 0;
  #restingCount = 0;

  /** Whether there is nothing of a group here, never was or no more. */
  get isBlank(): boolean {
    return this.groupEpoch === 0 && this.members.size === 0 && this.targets.size === 0 &&
      this.resolvedRegexes.size === 0 && this.assignmentEpoch <= 0 && !this.hasPartitionMetadata;
  }

  get classicCount(): number {
    return this.#classicCount;
  }

  /**
   * Every member has come up to the target of the newest epoch, or nobody is there. Static members that
   * are away for a while are not waited for: what they have is theirs.
   */
  get isSettled(): boolean {
    if (this.members.size === 0) return true;
    return this.groupEpoch <= this.assignmentEpoch &&
      this.#reconciledCount + this.#restingCount === this.members.size;
  }

  get name(): ConsumerGroupStateName {
    if (this.members.size === 0) return "Empty";
    if (this.groupEpoch > this.assignmentEpoch) return "Assigning";
    return this.#reconciledCount === this.members.size ? "Stable" : "Reconciling";
  }

  staticMemberId(instanceId: string | null): string | undefined {
    return instanceId === null ? undefined : this.#staticMembers.get(instanceId);
  }

  staticMember(instanceId: string | null): ConsumerMember | undefined {
    const memberId = this.staticMemberId(instanceId);
    return memberId === undefined ? undefined : this.members.get(memberId);
  }

  targetOf(memberId: string | undefined): Partitions {
    return (memberId === undefined ? undefined : this.targets.get(memberId)) ?? NO_PARTITIONS;
  }

  isHeld(topicId: Uuid, partitionId: number): boolean {
    return this.#holders.isHeld(topicId, partitionId);
  }

  /** How many members name each assignor. */
  assignors(): ReadonlyMap<string, number> {
    return this.#assignors;
  }

  /** Whether every classic member knows one of these protocols (kafka: supportsClassicProtocols). */
  isSupportedByClassicMembers(names: Iterable<string>): boolean {
    for (const name of names) {
      if ((this.#classicProtocols.get(name) ?? 0) === this.#classicCount) return true;
    }
    return false;
  }

  replay(record: GroupRecord): void {
    switch (record.kind) {
      case "ConsumerGroupMetadata":
        if (record.value === null) return this.#clear();
        this.groupEpoch = record.value.epoch;
        this.metadataHash = record.value.metadataHash;
        return;
      case "ConsumerGroupPartitionMetadata":
        this.hasPartitionMetadata = record.value !== null;
        return;
      case "ConsumerGroupMemberMetadata": {
        const { memberId } = record.key;
        if (record.value === null) return this.#forget(memberId);
        return this.#put(withMetadata(this.#memberOf(memberId), record.value));
      }
      case "ConsumerGroupCurrentMemberAssignment": {
        const { memberId } = record.key;
        if (record.value === null && !this.members.has(memberId)) return;
        return this.#put(this.#shared(withProgress(this.#memberOf(memberId), record.value)));
      }
      case "ConsumerGroupTargetAssignmentMetadata":
        return this.#setAssignmentEpoch(record.value?.assignmentEpoch ?? NO_ASSIGNMENT_EPOCH);
      case "ConsumerGroupTargetAssignmentMember": {
        const { memberId } = record.key;
        if (record.value === null) this.targets.delete(memberId);
        else this.#setTarget(memberId, partitionsOf(record.value.topicPartitions));
        return;
      }
      case "ConsumerGroupRegularExpression":
        return this.#setRegex(record.key.regularExpression, record.value);
      default:
        return; // offsets and classic groups are kept elsewhere
    }
  }

  /** Keeps: two groups that records made alike are dumped alike, whatever their order. */
  dump(): unknown {
    const sorted = <Value>(map: ReadonlyMap<string, Value>): readonly [string, Value][] =>
      [...map].sort(([one], [other]) => one < other ? -1 : 1);
    const flat = (partitions: Partitions): unknown => sorted(partitions);
    return {
      groupEpoch: this.groupEpoch,
      metadataHash: String(this.metadataHash),
      assignmentEpoch: this.assignmentEpoch,
      hasPartitionMetadata: this.hasPartitionMetadata,
      members: sorted(this.members).map(([, member]) => ({
        ...member,
        assigned: flat(member.assigned),
        pendingRevocation: flat(member.pendingRevocation),
        classic: member.classic === null ? null : {
          sessionTimeoutMs: member.classic.sessionTimeoutMs,
          supportedProtocols: member.classic.supportedProtocols.map(({ name, metadata }) => [
            name,
            [...metadata],
          ]),
        },
      })),
      staticMembers: sorted(this.#staticMembers),
      targets: sorted(this.targets).map(([memberId, target]) => [memberId, flat(target)]),
      regexes: sorted(this.resolvedRegexes),
      topics: this.subscriptions.topics(),
      state: this.name,
    };
  }

  #memberOf(memberId: string): ConsumerMember {
    return this.members.get(memberId) ?? newMember(memberId);
  }

  #put(member: ConsumerMember): void {
    const { memberId, instanceId } = member;
    const before = this.members.get(memberId);
    this.members.set(memberId, member);
    this.#account(before, member);
    if (before?.instanceId === instanceId) return;
    if (before !== undefined) this.#forgetInstance(before);
    if (instanceId !== null) this.#staticMembers.set(instanceId, memberId);
  }

  #setTarget(memberId: string, target: Partitions): void {
    const assigned = this.members.get(memberId)?.assigned;
    const isSame = assigned !== undefined && samePartitions(assigned, target);
    this.targets.set(memberId, isSame ? assigned : target);
  }

  /** Mostly a member has what it is to have: that is kept once. */
  #shared(member: ConsumerMember): ConsumerMember {
    const target = this.targets.get(member.memberId);
    if (target === undefined || !samePartitions(member.assigned, target)) return member;
    return { ...member, assigned: target };
  }

  #forget(memberId: string): void {
    const before = this.members.get(memberId);
    if (before === undefined) return;
    this.members.delete(memberId);
    this.targets.delete(memberId);
    this.#account(before, undefined);
    this.#forgetInstance(before);
  }

  #forgetInstance({ memberId, instanceId }: ConsumerMember): void {
    if (instanceId === null || this.#staticMembers.get(instanceId) !== memberId) return;
    this.#staticMembers.delete(instanceId);
  }

  /** What follows from a member, taken away as it was and put in as it is. */
  #account(before: ConsumerMember | undefined, after: ConsumerMember | undefined): void {
    this.subscriptions.change(before, after);
    this.#countHeld(before, after);
    if (before?.serverAssignor !== after?.serverAssignor) {
      if (before?.serverAssignor) add(this.#assignors, before.serverAssignor, -1);
      if (after?.serverAssignor) add(this.#assignors, after.serverAssignor, 1);
    }
    if (before?.classic !== after?.classic) {
      this.#countClassic(before, -1);
      this.#countClassic(after, 1);
    }
    this.#reconciledCount += this.#reconciled(after) - this.#reconciled(before);
    if (before?.memberEpoch === LEAVE_STATIC_EPOCH) this.#restingCount--;
    if (after?.memberEpoch === LEAVE_STATIC_EPOCH) this.#restingCount++;
  }

  #reconciled(member: ConsumerMember | undefined): number {
    return member !== undefined && isReconciledTo(member, this.assignmentEpoch) ? 1 : 0;
  }

  /** Taken away before put in: what was to be given back may have been assigned again. */
  #countHeld(before: ConsumerMember | undefined, after: ConsumerMember | undefined): void {
    const isSame = before?.assigned === after?.assigned &&
      before?.pendingRevocation === after?.pendingRevocation;
    if (isSame) return;
    if (before !== undefined) {
      this.#holders.release(before.memberId, before.assigned);
      this.#holders.release(before.memberId, before.pendingRevocation);
    }
    if (after !== undefined) {
      this.#holders.hold(after.memberId, after.assigned);
      this.#holders.hold(after.memberId, after.pendingRevocation);
    }
  }

  #countClassic(member: ConsumerMember | undefined, change: number): void {
    if (!member?.classic) return;
    this.#classicCount += change;
    for (const { name } of member.classic.supportedProtocols) {
      add(this.#classicProtocols, name, change);
    }
  }

  #setAssignmentEpoch(assignmentEpoch: number): void {
    this.assignmentEpoch = assignmentEpoch;
    this.#reconciledCount = 0;
    for (const member of this.members.values()) {
      if (isReconciledTo(member, assignmentEpoch)) this.#reconciledCount++;
    }
  }

  #setRegex(regex: string, value: ResolvedRegex | null): void {
    const before = this.resolvedRegexes.get(regex);
    this.subscriptions.resolve(before?.topics ?? [], value?.topics ?? []);
    if (value === null) this.resolvedRegexes.delete(regex);
    else this.resolvedRegexes.set(regex, value);
  }

  #clear(): void {
    for (const memberId of [...this.members.keys()]) this.#forget(memberId);
    for (const regex of [...this.resolvedRegexes.keys()]) this.#setRegex(regex, null);
    this.targets.clear();
    this.groupEpoch = 0;
    this.metadataHash = 0n;
    this.assignmentEpoch = 0;
    this.hasPartitionMetadata = false;
  }
}
