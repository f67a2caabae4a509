/**
 * The groups of one world: their members, what is looked at, and when all is well with them.
 */
import type { TopicPartition } from "../../../src/client/group_options.ts";
import type { GroupSlot } from "../../../src/group/group_slot.ts";
import { groupPartition } from "../../../src/runtime/coordinator/group_partition.ts";
import type { RecordPlace } from "../operation/operation.ts";
import type { Life } from "../life.ts";
import type { Shadow } from "../shadow.ts";
import type { SimNode } from "../sim_node.ts";
import { Coordinators } from "./coordinators.ts";
import type { SimGroup } from "./group_options.ts";
import { GroupShadow } from "./group_shadow.ts";
import type { SimMember } from "./sim_member.ts";
import { watchGroups } from "./watch_groups.ts";
import { watchShardDecisions } from "./watch_shards.ts";

export interface GroupWorldOptions {
  readonly groups: readonly SimGroup[];
  readonly nodes: readonly SimNode[];
  readonly shadow: Shadow;
  readonly lifeOf: () => Life | undefined;
  readonly onBroken: (what: string, message: string) => void;
  readonly onDurable: (what: "acknowledged", place: RecordPlace) => void;
}

export class GroupWorld {
  readonly shadow: GroupShadow;
  members: readonly SimMember[] = [];
  readonly #options: GroupWorldOptions;
  readonly #coordinators: Coordinators;

  constructor(options: GroupWorldOptions) {
    this.#options = options;
    this.shadow = new GroupShadow(options.shadow);
    this.#coordinators = new Coordinators(options.nodes);
  }

  /** Until the function that it gives back is called. */
  watch(): () => void {
    const { lifeOf, onBroken } = this.#options;
    const onDurable = (groupId: string, offset: number): void => {
      const partition = groupPartition(groupId, PARTITIONS);
      const place = { topic: "__consumer_offsets", partition, offset };
      this.#options.onDurable("acknowledged", place);
    };
    const isAlive = (): boolean => lifeOf()?.isAlive !== false;
    const undo = [
      watchGroups({ groups: this.shadow, isAlive, onBroken, onDurable }),
      watchShardDecisions({ groups: this.shadow, isAlive, onBroken }),
      this.#coordinators.watch(lifeOf),
    ];
    return () => {
      for (const one of undo) one();
    };
  }

  /** Nobody else that is a member reads what this one was given. */
  onAssigned(member: SimMember, partitions: readonly TopicPartition[]): void {
    const { groupId } = member.options.group;
    if (!this.shadow.isTrusted) return;
    const present = this.#coordinators.membersOf(groupId);
    if (!present.has(member.memberId)) return; // the group went on without it; it will hear of that
    for (const other of this.members) {
      if (other === member || other.options.group.groupId !== groupId) continue;
      if (!other.process.isUp || !present.has(other.memberId)) continue;
      const both = partitions.map(({ topic, partition }) => `${topic}-${partition}`)
        .filter((key) => other.owned.has(key));
      if (both.length === 0) continue;
      this.#options.onBroken(
        "a partition has one owner",
        `${groupId}: ${member.process.name} was given ${both.join(", ")}, which ` +
          `${other.process.name} has`,
      );
    }
  }

  /** At any time: what is appended is replayed at once. */
  compare(): void {
    if (!this.shadow.isTrusted) return;
    const [difference] = this.#coordinators.differences();
    if (difference !== undefined) {
      this.#options.onBroken("a shard is what its log says", difference);
    }
  }

  askForLiveness(): void {
    for (const member of this.members) {
      member.askForLiveness();
      member.start();
    }
  }

  /** Undefined where every group is stable, has divided all there is, and has read it. */
  whyNotWell(): string | undefined {
    for (const { groupId, members } of this.#options.groups) {
      const slot = this.#coordinators.slotOf(groupId);
      const state = slot?.state() ?? "nowhere";
      if (state !== "Stable") return `${groupId} is ${state}`;
      if (slot?.memberCount !== members) return `${groupId} has ${slot?.memberCount} members`;
      const owned = new Set(
        this.members.filter(({ options }) => options.group.groupId === groupId)
          .flatMap((member) => [...member.owned.keys()]),
      );
      for (const { name, partitions } of this.#options.shadow.there()) {
        if (Number(name.slice(1)) >= TOPICS_READ) continue;
        for (const partition of partitions.keys()) {
          const why = owned.has(`${name}-${partition}`)
            ? this.#whyNotRead(slot, name, partition)
            : `nobody has ${name}-${partition}`;
          if (why !== undefined) return `${groupId}: ${why}`;
        }
      }
    }
    return undefined;
  }

  #whyNotRead(
    { groupId, offsets }: GroupSlot,
    name: string,
    partition: number,
  ): string | undefined {
    const { shadow } = this;
    const [left] = shadow.skipped(groupId, name, { partition, offset: Infinity });
    if (left !== undefined) return `${name}-${partition} is not read at ${left}`;
    const isWhole = this.#options.shadow.topics.get(name)?.partition(partition).lossCount === 0;
    const committed = offsets?.get(name, partition)?.offset ?? -1;
    const most = Math.max(-1, ...shadow.handedOut(groupId, name, partition));
    if (!shadow.isTrusted || !isWhole || committed > most) return undefined;
    return `${name}-${partition} is committed up to ${committed}, not ${most}`;
  }
}

/** What `GROUP_SETTINGS` say. */
const PARTITIONS = 2;
/** As many names as members ask for. */
const TOPICS_READ = 12;
