/** Random members, subscriptions and topics, as an assignor sees them, and how they change. */
import { Prng } from "../../../src/ground/prng.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import type {
  AssignorInput,
  AssignorMember,
} from "../../../src/group/consumer/assignor/assignor.ts";
import type { Partitions } from "../../../src/group/consumer/partitions.ts";

export type Targets = ReadonlyMap<string, Partitions>;

/** A group that changes: topics grow, come and go; members come, go and change their minds. */
export class RandomGroup {
  readonly random: Prng;
  readonly isHomogeneous: boolean;
  readonly topics = new Map<Uuid, number>();
  members: AssignorMember[] = [];
  #next = 0;

  constructor(seed: number, isHomogeneous: boolean) {
    this.random = new Prng(seed);
    this.isHomogeneous = isHomogeneous;
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
    this.members.push({ memberId, instanceId, topicIds: [], target: new Map() });
    this.resubscribe();
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
    };
  }

  take(targets: Targets): void {
    this.members = this.members.map((member) => ({
      ...member,
      target: targets.get(member.memberId) ?? new Map(),
    }));
  }
}
