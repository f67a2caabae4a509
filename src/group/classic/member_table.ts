/**
 * The members of a classic group and everything that is counted over them.
 *
 *   members          memberId -> member, in the order in which they came
 *   static ids       groupInstanceId -> memberId of the member that has the name now
 *   pending          ids that were given out and have not joined yet
 *   pending sync     members of this generation that have not asked for their assignment
 *   protocol counts  protocol name -> how many members know it
 *   byte count       what all members say of themselves
 *
 * Counts are kept with every change and never computed anew over all members, so that a storm of joins
 * costs each of them the same.
 *
 * Keeps: `awaitingJoinCount` is the number of members with a waiting join; the leader is a member.
 */
import { assert } from "../../ground/assert.ts";
import type { ClassicMember, PendingMember, Protocol, WaitingJoin } from "./classic_member.ts";

/** What a protocol takes beside its name and its metadata, about. */
const PROTOCOL_BYTES = 200;

export class MemberTable {
  readonly #members = new Map<string, ClassicMember>();
  readonly #protocolCounts = new Map<string, number>();
  // Most groups have none of these at most times, and an idle group should be small.
  #staticIds: Map<string, string> | undefined;
  #pending: Map<string, PendingMember> | undefined;
  #pendingSync: Set<string> | undefined;
  #awaitingJoinCount = 0;
  #byteCount = 0;
  #leaderId: string | undefined;

  get size(): number {
    return this.#members.size;
  }

  get pendingCount(): number {
    return this.#pending?.size ?? 0;
  }

  get awaitingJoinCount(): number {
    return this.#awaitingJoinCount;
  }

  /** Of the protocols of all members, with what it takes to keep them. */
  get byteCount(): number {
    return this.#byteCount;
  }

  get leaderId(): string | undefined {
    return this.#leaderId;
  }

  values(): IterableIterator<ClassicMember> {
    return this.#members.values();
  }

  get(memberId: string): ClassicMember | undefined {
    return this.#members.get(memberId);
  }

  staticId(groupInstanceId: string): string | undefined {
    return this.#staticIds?.get(groupInstanceId);
  }

  isLeader(memberId: string): boolean {
    return this.#leaderId === memberId;
  }

  hasAllJoined(): boolean {
    return this.#members.size === this.#awaitingJoinCount && this.pendingCount === 0;
  }

  /** The first to come is the leader. */
  add(member: ClassicMember): void {
    const { memberId, groupInstanceId } = member;
    assert(!this.#members.has(memberId), "a member is added once");
    if (groupInstanceId !== null) {
      assert(this.staticId(groupInstanceId) === undefined, "a static name has one member");
      (this.#staticIds ??= new Map()).set(groupInstanceId, memberId);
    }
    this.#leaderId ??= memberId;
    this.#members.set(memberId, member);
    this.#count(member.protocols, 1);
    if (member.waitingJoin !== undefined) this.#awaitingJoinCount += 1;
    this.#forgetPending(memberId);
  }

  /** The member's requests must have been answered before. */
  remove(memberId: string): ClassicMember | undefined {
    const member = this.#members.get(memberId);
    if (member !== undefined) {
      this.#members.delete(memberId);
      this.#count(member.protocols, -1);
      if (member.waitingJoin !== undefined) this.#awaitingJoinCount -= 1;
      if (member.groupInstanceId !== null) this.#staticIds?.delete(member.groupInstanceId);
    }
    if (this.#leaderId === memberId) this.#leaderId = this.#members.keys().next().value;
    this.#forgetPending(memberId);
    this.removePendingSync(memberId);
    return member;
  }

  /** `next` takes the place of `old`, a static member of the same name, and its part as the leader. */
  replace(old: ClassicMember, next: ClassicMember): void {
    const { groupInstanceId } = next;
    assert(groupInstanceId !== null && groupInstanceId === old.groupInstanceId, "the name stays");
    assert(this.#members.get(old.memberId) === old, "only a member is replaced");
    const isLeader = this.isLeader(old.memberId);
    this.remove(old.memberId);
    this.add(next);
    if (isLeader) this.#leaderId = next.memberId;
  }

  /** What the member says of itself now. */
  setProtocols(member: ClassicMember, protocols: readonly Protocol[]): void {
    this.#count(member.protocols, -1);
    member.protocols = protocols;
    this.#count(protocols, 1);
  }

  setWaitingJoin(member: ClassicMember, waiting: WaitingJoin | undefined): void {
    if (waiting !== undefined && member.waitingJoin === undefined) this.#awaitingJoinCount += 1;
    if (waiting === undefined && member.waitingJoin !== undefined) this.#awaitingJoinCount -= 1;
    member.waitingJoin = waiting;
  }

  /**
   * Makes a member that has joined the leader, where the leader has not; whether there is one.
   *
   * Source: kafka ClassicGroup.maybeElectNewJoinedLeader.
   */
  electJoinedLeader(): boolean {
    if (this.#leaderId === undefined) return false;
    if (this.#members.get(this.#leaderId)?.waitingJoin !== undefined) return true;
    for (const { memberId, waitingJoin } of this.#members.values()) {
      if (waitingJoin !== undefined) {
        this.#leaderId = memberId;
        return true;
      }
    }
    return false;
  }

  /** As the log has it; an id that is no member's means nothing. */
  restoreLeader(memberId: string | null): void {
    if (memberId !== null && this.#members.has(memberId)) this.#leaderId = memberId;
  }

  // Pending members.

  pending(memberId: string): PendingMember | undefined {
    return this.#pending?.get(memberId);
  }

  pendingMembers(): Iterable<PendingMember> {
    return this.#pending?.values() ?? [];
  }

  addPending(member: PendingMember): void {
    (this.#pending ??= new Map()).set(member.memberId, member);
  }

  #forgetPending(memberId: string): void {
    this.#pending?.delete(memberId);
    if (this.#pending?.size === 0) this.#pending = undefined;
  }

  // Members whose SyncGroup is to come.

  get pendingSyncCount(): number {
    return this.#pendingSync?.size ?? 0;
  }

  pendingSyncIds(): readonly string[] {
    return [...(this.#pendingSync ?? [])];
  }

  addPendingSync(memberId: string): void {
    assert(this.#members.has(memberId), "only a member's sync is waited for");
    (this.#pendingSync ??= new Set()).add(memberId);
  }

  removePendingSync(memberId: string): void {
    this.#pendingSync?.delete(memberId);
    if (this.#pendingSync?.size === 0) this.#pendingSync = undefined;
  }

  clearPendingSync(): void {
    this.#pendingSync = undefined;
  }

  // Protocols.

  /** Whether one of the protocols is known to every member; to none is to all where there is nobody. */
  hasCommonProtocol(protocols: readonly Protocol[]): boolean {
    return protocols.some(({ name }) => (this.#protocolCounts.get(name) ?? 0) === this.size);
  }

  /**
   * The protocol with the most votes: each member votes for the first of its own that all know. Of
   * equals, the one that was voted for first.
   *
   * Source: kafka ClassicGroup.selectProtocol (where equals are taken by the order of a hash map).
   */
  selectProtocol(): string | undefined {
    const votes = new Map<string, number>();
    for (const { protocols } of this.#members.values()) {
      for (const { name } of protocols) {
        if (this.#protocolCounts.get(name) !== this.size) continue;
        votes.set(name, (votes.get(name) ?? 0) + 1);
        break;
      }
    }
    let selected: string | undefined;
    let most = 0;
    for (const [name, count] of votes) if (count > most) [selected, most] = [name, count];
    return selected;
  }

  #count(protocols: readonly Protocol[], change: 1 | -1): void {
    this.#byteCount += change * bytesOf(protocols);
    for (const { name } of protocols) {
      const count = (this.#protocolCounts.get(name) ?? 0) + change;
      if (count === 0) this.#protocolCounts.delete(name);
      else this.#protocolCounts.set(name, count);
    }
  }
}

export function bytesOf(protocols: readonly Protocol[]): number {
  let sum = 0;
  for (const { name, metadata } of protocols) {
    sum += PROTOCOL_BYTES + name.length + metadata.length;
  }
  return sum;
}
