/**
 * What must hold of groups, whatever happens, as far as it is seen through what clients are answered.
 *
 *     owners       no partition has two owners in a generation of a classic group, nor among the
 *                  members of a consumer group at any time
 *     offsets      a committed offset is the one that a member, or a consumer without membership, has
 *                  committed last, and nothing else
 *     static       a member of an instance id is never without it
 *     zombies      who is no member, or is of an older generation, commits nothing
 */
import { expect } from "bun:test";
import type { GroupRecord } from "../../../src/api/coordinator_record/group_record.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";
import type { Coordinator } from "../coordinator.ts";
import { describeConsumerGroup, describeGroup, fetchOffsets } from "../requests.ts";
import { type Client, type Place, topicOf } from "./client.ts";

/** By member id; the epoch is known of consumer groups only. */
type Members = ReadonlyMap<
  string,
  { readonly memberEpoch: number | undefined; readonly instanceId: string | null }
>;

export class Invariants {
  readonly #coordinator: Coordinator;
  /** group → partition → what was committed last. */
  readonly #committed = new Map<string, Map<Place, number>>();
  /** group → generation → partition → member. */
  readonly #owners = new Map<string, Map<number, Map<Place, string>>>();
  readonly #generations = new Map<string, number>();
  /** Records that were looked at. */
  #followed = 0;

  constructor(coordinator: Coordinator) {
    this.#coordinator = coordinator;
  }

  onAssigned(client: Client, generation: number, places: ReadonlySet<Place>): void {
    const { groupId } = client;
    if (!this.#isHeard(client)) return;
    // A static member that came back has what its process had before.
    const ownerId = client.instanceId ?? client.memberId;
    const generations = this.#owners.get(groupId) ?? new Map<number, Map<Place, string>>();
    const owners = generations.get(generation) ?? new Map<Place, string>();
    for (const place of places) {
      expect([place, generation, owners.get(place) ?? ownerId]).toEqual([
        place,
        generation,
        ownerId,
      ]);
      owners.set(place, ownerId);
    }
    generations.set(generation, owners);
    this.#owners.set(groupId, generations);
  }

  onGeneration(client: Client, generation: number): void {
    if (!this.#isHeard(client)) return;
    const { groupId } = client;
    this.#generations.set(groupId, Math.max(generation, this.#generations.get(groupId) ?? -1));
  }

  onCommitted(client: Client, place: Place, offset: number): void {
    const { groupId, memberId } = client;
    const members = this.members(groupId);
    expect(members.has(memberId)).toBe(true);
    const epoch = members.get(memberId)?.memberEpoch;
    // Unknown where the group has just come from the other protocol, with its epoch as generation.
    expect(client.epoch).toBe(epoch ?? this.#generations.get(groupId) ?? client.epoch);
    this.noteCommit(groupId, place, offset);
  }

  onDeleted(groupId: string, deleted: Iterable<Place>): void {
    for (const place of deleted) this.#committed.get(groupId)?.delete(place);
  }

  onGroupDeleted(groupId: string): void {
    expect(this.#coordinator.ask(describeGroup(6, groupId)).errorCode)
      .toBe(ErrorCode.GroupIdNotFound);
    this.#committed.delete(groupId);
  }

  onTopicDeleted(topic: string): void {
    for (const offsets of this.#committed.values()) {
      for (const place of [...offsets.keys()]) if (topicOf(place) === topic) offsets.delete(place);
    }
  }

  /** What was not durable of a generation is gone; its number may come again. */
  onRestart(groupId: string): void {
    const known = [...(this.#owners.get(groupId)?.keys() ?? [])];
    if (known.length === 0) this.#generations.delete(groupId);
    else this.#generations.set(groupId, Math.max(...known));
  }

  check(groupId: string, clients: readonly Client[]): void {
    this.#followLog();
    this.#checkOwners(this.members(groupId), clients);
    this.checkOffsets(groupId);
  }

  /** Where a group ends, its generations may begin anew, with whatever group comes next. */
  #followLog(): void {
    for (; this.#followed < this.#coordinator.log.length; this.#followed++) {
      const { kind, key, value } = this.#coordinator.log[this.#followed] as GroupRecord;
      const isEnd = (kind === "GroupMetadata" || kind === "ConsumerGroupMetadata") &&
        value === null;
      if (!isEnd) continue;
      const groupId = "group" in key ? key.group : key.groupId;
      this.#owners.delete(groupId);
      this.#generations.delete(groupId);
    }
  }

  /** In a consumer group nobody gets what another member has, at any time. */
  #checkOwners(members: Members, clients: readonly Client[]): void {
    const owners = new Map<Place, string>();
    for (const client of clients) {
      const { memberId, instanceId, protocol, epoch } = client;
      const member = members.get(memberId);
      if (member === undefined) continue;
      expect([memberId, member.instanceId]).toEqual([memberId, instanceId]);
      const { memberEpoch } = member;
      if (memberEpoch === undefined) continue;
      // A classic member of an older generation learns of it by its next heartbeat.
      if (protocol === "classic" && epoch !== memberEpoch) continue;
      for (const place of client.owned) {
        expect([place, owners.get(place) ?? memberId]).toEqual([place, memberId]);
        owners.set(place, memberId);
      }
    }
  }

  checkOffsets(groupId: string): void {
    const { topics } = this.#coordinator.ask(fetchOffsets({ groupId }));
    const { image, isFull } = this.#coordinator;
    // A log that is full does not take the tombstones of a topic yet.
    const there = topics.filter(({ name = "" }) => !isFull || image.topic(name) !== undefined);
    const found = new Map(
      there.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, committedOffset }) =>
          [`${name}-${partitionIndex}`, committedOffset] as const
        )
      ),
    );
    const wanted = this.#committed.get(groupId) ?? new Map<Place, number>();
    expect([groupId, ...[...found].sort()]).toEqual([groupId, ...[...wanted].sort()]);
  }

  /** Of a consumer group with their epochs. */
  members(groupId: string): Members {
    const asConsumers = this.#coordinator.ask(describeConsumerGroup(groupId));
    if (asConsumers.errorCode === ErrorCode.None) {
      return new Map(
        (asConsumers.members ?? []).map(({ memberId, memberEpoch, instanceId = null }) =>
          [memberId, { memberEpoch, instanceId }] as const
        ),
      );
    }
    const { members } = this.#coordinator.ask(describeGroup(6, groupId));
    return new Map(
      members.map(({ memberId, groupInstanceId: instanceId = null }) =>
        [memberId, { memberEpoch: undefined, instanceId }] as const
      ),
    );
  }

  /** A process that stood still may read an answer when the group that gave it is long gone. */
  #isHeard({ groupId, memberId }: Client): boolean {
    this.#followLog();
    return this.members(groupId).has(memberId);
  }

  /** Whether it is a member, as it thinks it is. */
  isUpToDate(client: Client, members: Members): boolean {
    const member = members.get(client.memberId);
    if (member === undefined) return false;
    return client.epoch === (member.memberEpoch ?? this.#generations.get(client.groupId));
  }

  noteCommit(groupId: string, place: Place, offset: number): void {
    const offsets = this.#committed.get(groupId) ?? new Map<Place, number>();
    offsets.set(place, offset);
    this.#committed.set(groupId, offsets);
  }
}
