/**
 * What a server-side assignor is given and gives back (KIP-848).
 *
 * An assignor is a function: equal input gives equal output, on every node and after every restart.
 * Balance comes first, then that members read from a replica in their own rack, where they say which
 * one that is, then that partitions stay where they are.
 */
import type { Uuid } from "../../../ground/uuid.ts";
import type { Partitions } from "../partitions.ts";

export interface AssignorMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  /** Those of its subscription that exist, ascending by id, once each. */
  readonly topicIds: readonly Uuid[];
  /** Its target until now: what a sticky assignor leaves where it is. */
  readonly target: Partitions;
}

export interface AssignorInput {
  /** Ascending by member id. */
  readonly members: readonly AssignorMember[];
  /** Whether all members are subscribed to the same topics. */
  readonly isHomogeneous: boolean;
  partitionCountOf(topicId: Uuid): number;
  /** The racks of the replicas, as far as brokers say where they are. */
  racksOf(topicId: Uuid, partitionId: number): readonly string[];
}

/**
 * The target of every member that has one; a member without partitions may be left out. Whose target
 * does not change may have the same object as before.
 */
export type Assignor = (input: AssignorInput) => ReadonlyMap<string, Partitions>;

export const NO_OWNER = -1;
const CHANGED = 1;

/**
 * Who has which partition, as places in the list of members: the form in which partitions are moved.
 * Most moves concern few members, so the targets of the others are kept as they are.
 */
export class Ownership {
  readonly owners: ReadonlyMap<Uuid, Int32Array>;
  /** The owners of all topics, one topic behind the other: the same memory. */
  readonly all: Int32Array;
  /** How many partitions each member has. */
  readonly loads: Int32Array;
  readonly #members: readonly AssignorMember[];
  readonly #isChanged: Uint8Array;

  /** By the targets until now, without what is not there or not subscribed to any more. */
  constructor(
    { members, partitionCountOf }: AssignorInput,
    isSubscribed: (memberIndex: number, topicId: Uuid) => boolean,
  ) {
    const counts = new Map<Uuid, number>();
    let total = 0;
    for (const { topicIds } of members) {
      for (const topicId of topicIds) {
        if (counts.has(topicId)) continue;
        const count = partitionCountOf(topicId);
        counts.set(topicId, count);
        total += count;
      }
    }
    this.all = new Int32Array(total).fill(NO_OWNER);
    const owners = new Map<Uuid, Int32Array>();
    let start = 0;
    for (const [topicId, count] of counts) {
      owners.set(topicId, this.all.subarray(start, start += count));
    }
    this.owners = owners;
    this.loads = new Int32Array(members.length);
    this.#members = members;
    this.#isChanged = new Uint8Array(members.length);
    members.forEach(({ target }, memberIndex) => {
      for (const [topicId, ids] of target) {
        if (isSubscribed(memberIndex, topicId)) this.#keep(memberIndex, topicId, ids);
        else this.#isChanged[memberIndex] = CHANGED;
      }
    });
  }

  #keep(memberIndex: number, topicId: Uuid, ids: readonly number[]): void {
    const owners = this.owners.get(topicId) as Int32Array;
    const count = owners.length;
    for (let at = 0; at < ids.length; at++) {
      const id = ids[at] as number;
      if (id >= count || owners[id] !== NO_OWNER) this.#isChanged[memberIndex] = CHANGED;
      else this.#put(owners, id, memberIndex);
    }
  }

  take(owners: Int32Array, id: number): void {
    const owner = owners[id] as number;
    (this.loads[owner] as number)--;
    this.#isChanged[owner] = CHANGED;
    owners[id] = NO_OWNER;
  }

  give(owners: Int32Array, id: number, memberIndex: number): void {
    this.#isChanged[memberIndex] = CHANGED;
    this.#put(owners, id, memberIndex);
  }

  /** Notes whose partitions differ from a copy of `all`; the loads are as they were. */
  exchanged(before: Int32Array): void {
    for (let place = 0; place < before.length; place++) {
      const owner = this.all[place] as number;
      if (owner === before[place]) continue;
      this.#isChanged[owner] = CHANGED;
      this.#isChanged[before[place] as number] = CHANGED;
    }
  }

  targets(): ReadonlyMap<string, Partitions> {
    const targets = this.#members.map(({ target }, memberIndex): Map<Uuid, number[]> | Partitions =>
      this.#isChanged[memberIndex] === CHANGED ? new Map<Uuid, number[]>() : target
    );
    for (const [topicId, owners] of this.owners) {
      const count = owners.length;
      for (let id = 0; id < count; id++) {
        const owner = owners[id] as number;
        if (owner === NO_OWNER || this.#isChanged[owner] !== CHANGED) continue;
        const target = targets[owner] as Map<Uuid, number[]>;
        const ids = target.get(topicId);
        if (ids === undefined) target.set(topicId, [id]);
        else ids.push(id);
      }
    }
    return new Map(
      this.#members.map(({ memberId }, at) => [memberId, targets[at] as Partitions]),
    );
  }

  #put(owners: Int32Array, id: number, memberIndex: number): void {
    owners[id] = memberIndex;
    (this.loads[memberIndex] as number)++;
  }
}
