/**
 * Random members, subscriptions and topics, as an assignor sees them, and how they change; what holds of
 * every assignment.
 */
import { expect } from "bun:test";
import { Prng } from "../../../src/ground/prng.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import type {
  AssignorInput,
  AssignorMember,
} from "../../../src/group/consumer/assignor/assignor.ts";
import { countOf, has, type Partitions } from "../../../src/group/consumer/partitions.ts";

export type Targets = ReadonlyMap<string, Partitions>;

/** A group that changes: topics grow, come and go; members come, go and change their minds. */
export class RandomGroup {
  readonly random: Prng;
  readonly isHomogeneous: boolean;
  /** None where racks are not known. */
  readonly racks: readonly string[];
  readonly topics = new Map<Uuid, number>();
  members: AssignorMember[] = [];
  #next = 0;

  constructor(seed: number, isHomogeneous: boolean, racks: readonly string[] = []) {
    this.random = new Prng(seed);
    this.isHomogeneous = isHomogeneous;
    this.racks = racks;
    for (let count = this.random.between(1, 6); count > 0; count--) this.addTopic();
    for (let count = this.random.between(1, 8); count > 0; count--) this.addMember();
  }

  addTopic(): void {
    const name = `T${String(this.#next++).padStart(3, "0")}` as Uuid;
    this.topics.set(name, this.random.between(1, 20));
    this.resubscribe();
  }

  addMember(): void {
    const memberId = `m${this.random.below(1_000_000)}-${this.#next++}`;
    const instanceId = this.random.oneIn(4) ? `i${this.random.below(1000)}-${this.#next}` : null;
    this.members.push({
      memberId,
      instanceId,
      rackId: this.#rack(),
      topicIds: [],
      target: new Map(),
    });
    this.resubscribe();
  }

  /** One member in five does not say where it is. */
  #rack(): string | null {
    const { racks, random } = this;
    if (racks.length === 0 || random.oneIn(5)) return null;
    return racks[random.below(racks.length)] ?? null;
  }

  /** Whoever has no subscription yet gets one; in a homogeneous group all have all. */
  resubscribe(): void {
    const all = [...this.topics.keys()].sort();
    this.members = this.members.map((member) => {
      const known = member.topicIds.filter((topicId) => this.topics.has(topicId));
      if (this.isHomogeneous) return { ...member, topicIds: all };
      if (known.length > 0) return { ...member, topicIds: known };
      return { ...member, topicIds: all.filter(() => this.random.oneIn(2)) };
    });
  }

  change(): void {
    const { random } = this;
    switch (random.below(6)) {
      case 0:
        return this.addMember();
      case 1:
        if (this.members.length > 1) this.members.splice(random.below(this.members.length), 1);
        return;
      case 2:
        return this.addTopic();
      case 3: {
        const names = [...this.topics.keys()];
        const name = names[random.below(names.length)];
        if (name !== undefined && names.length > 1) this.topics.delete(name);
        return this.resubscribe();
      }
      case 4: {
        for (const [name, count] of this.topics) {
          if (random.oneIn(2)) this.topics.set(name, count + random.between(0, 5));
        }
        return;
      }
      default: {
        const at = random.below(this.members.length);
        const member = this.members[at];
        if (member !== undefined) this.members[at] = { ...member, topicIds: [] };
        return this.resubscribe();
      }
    }
  }

  input(): AssignorInput {
    return {
      members: [...this.members].sort((one, other) => one.memberId < other.memberId ? -1 : 1),
      isHomogeneous: this.isHomogeneous,
      partitionCountOf: (topicId) => this.topics.get(topicId) ?? 0,
      racksOf: (topicId, partitionId) => racksOf(this.racks, topicId, partitionId),
    };
  }

  take(targets: Targets): void {
    this.members = this.members.map((member) => ({
      ...member,
      target: targets.get(member.memberId) ?? new Map(),
    }));
  }
}

/** Up to two racks, as if by chance, but always the same ones for a partition. */
function racksOf(racks: readonly string[], topicId: Uuid, partitionId: number): readonly string[] {
  if (racks.length === 0) return [];
  const random = new Prng(partitionId * 1000 + Number(topicId.slice(1)));
  return [0, 1].flatMap(() => random.oneIn(8) ? [] : racks[random.below(racks.length)] ?? []);
}

export type Assign = (input: AssignorInput) => Targets;

export interface RandomPlay {
  readonly seed: number;
  readonly runs: number;
  readonly isHomogeneous: boolean;
  readonly racks?: readonly string[];
  readonly assign: Assign;
  readonly check: (input: AssignorInput, targets: Targets) => void;
}

/** Groups that change; what fails names its seed. */
export function playRandomGroups(play: RandomPlay): void {
  for (let run = 0; run < play.runs; run++) {
    const seed = play.seed + run;
    const group = new RandomGroup(seed, play.isHomogeneous, play.racks);
    for (let step = 0; step < 8; step++) {
      const input = group.input();
      const targets = play.assign(input);
      try {
        play.check(input, targets);
      } catch (error) {
        throw new Error(`MQ_SEED=${seed}, step ${step}: ${String(error)}`, { cause: error });
      }
      group.take(targets);
      if (step % 2 === 1) group.change();
    }
  }
}

/** Every partition that somebody is subscribed to has one owner, and that one is subscribed to it. */
export function expectAllOwnedOnce(
  { members, partitionCountOf }: AssignorInput,
  targets: Targets,
): void {
  const owners = new Map<string, string>();
  for (const { memberId, topicIds } of members) {
    for (const [topicId, ids] of targets.get(memberId) ?? []) {
      expect(topicIds).toContain(topicId);
      for (const id of ids) {
        expect(id < partitionCountOf(topicId)).toBeTrue();
        expect(owners.get(`${topicId}:${id}`)).toBeUndefined();
        owners.set(`${topicId}:${id}`, memberId);
      }
    }
  }
  const subscribed = new Set(members.flatMap(({ topicIds }) => topicIds));
  let count = 0;
  for (const topicId of subscribed) count += partitionCountOf(topicId);
  expect(owners.size).toBe(count);
}

export function loadsOf(targets: Targets, members: readonly AssignorMember[]): readonly number[] {
  return members.map(({ memberId }) => countOf(targets.get(memberId) ?? new Map()));
}

/** How many partitions have another owner than before, of those that the owner could have kept. */
export function movedCount({ members, partitionCountOf }: AssignorInput, targets: Targets): number {
  let moved = 0;
  for (const { memberId, topicIds, target } of members) {
    const after = targets.get(memberId) ?? new Map();
    for (const [topicId, ids] of target) {
      if (!topicIds.includes(topicId)) continue;
      for (const id of ids) {
        if (id < partitionCountOf(topicId) && !has(after, topicId, id)) moved++;
      }
    }
  }
  return moved;
}
