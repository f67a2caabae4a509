/**
 * The groups of one world: their members, what is looked at, and when all is well with them.
 */
import type { TopicPartition } from "../../../src/client/group_options.ts";
import type { TraceFields } from "../../../src/env/trace.ts";
import type { GroupSlot } from "../../../src/group/group_slot.ts";
import { groupPartition } from "../../../src/runtime/coordinator/group_partition.ts";
import type { RecordPlace } from "../operation/operation.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Shadow } from "../shadow.ts";
import type { SimNode } from "../sim_node.ts";
import { Coordinators } from "./coordinators.ts";
import type { GroupKeeper } from "./group_keeper.ts";
import { isRead, OFFSETS_PARTITIONS, type SimGroup } from "./group_options.ts";
import { GroupShadow } from "./group_shadow.ts";
import { preloadRegexes } from "./preloaded_regexes.ts";
import type { SimMember } from "./sim_member.ts";
import { watchJoins } from "./watch_joins.ts";
import { watchKeys } from "./watch_keys.ts";
import { watchShardDecisions } from "./watch_shards.ts";
import { watchTold } from "./watch_told.ts";

export interface GroupWorldOptions {
  readonly groups: readonly SimGroup[];
  readonly nodes: readonly SimNode[];
  readonly shadow: Shadow;
  readonly scheduler: Scheduler;
  readonly onBroken: (what: string, message: string) => void;
  readonly onDurable: (what: "acknowledged", place: RecordPlace) => void;
  /** For the coverage. */
  readonly onSeen: (what: string) => void;
}

export class GroupWorld {
  readonly shadow: GroupShadow;
  members: readonly SimMember[] = [];
  keeper: GroupKeeper | undefined;
  readonly #options: GroupWorldOptions;
  readonly #coordinators: Coordinators;
  readonly #cleaned = new Set<unknown>();

  constructor(options: GroupWorldOptions) {
    this.#options = options;
    this.shadow = new GroupShadow(options.shadow);
    this.#coordinators = new Coordinators(options.nodes);
  }

  /** All machines that are there for groups. */
  get machines(): readonly (SimMember | GroupKeeper)[] {
    return this.keeper === undefined ? this.members : [...this.members, this.keeper];
  }

  /** Until the function that it gives back is called. */
  watch(): () => void {
    const { scheduler, onBroken, onSeen } = this.#options;
    const onDurable = (groupId: string, offset: number): void => {
      const partition = groupPartition(groupId, OFFSETS_PARTITIONS);
      const place = { topic: "__consumer_offsets", partition, offset };
      this.#options.onDurable("acknowledged", place);
    };
    const isAlive = (): boolean => scheduler.life?.isAlive !== false;
    const undo = [
      preloadRegexes(scheduler),
      watchKeys({ groups: this.shadow, isAlive, onBroken }),
      watchTold({ groups: this.shadow, isAlive, onBroken, onDurable }),
      watchShardDecisions({ groups: this.shadow, isAlive, onBroken, onSeen }),
      watchJoins({
        isTrusted: () => isAlive() && this.shadow.isTrusted,
        onBroken,
        isRead: (topic) => {
          return isRead(topic) && this.#options.shadow.topics.get(topic)?.existence === "there";
        },
      }),
      this.#coordinators.watch(() => scheduler.life),
    ];
    return () => {
      for (const one of undo.reverse()) one();
    };
  }

  /** What coordinators and cleaners tell of their work. */
  onTrace(message: string, fields: TraceFields = {}): void {
    const { partition } = fields;
    if (typeof partition !== "string" || !partition.startsWith("__consumer_offsets")) return;
    const { onSeen } = this.#options;
    if (message === "log compacted") {
      const isThinner = Number(fields["recordsAfter"]) < Number(fields["recordsBefore"]);
      if (isThinner) this.#cleaned.add(partition);
      onSeen(isThinner ? "log cleaned" : "log cleaned, nothing void");
    } else if (message === "groups loaded") {
      onSeen(this.#cleaned.has(partition) ? "loaded from a cleaned log" : "loaded");
    }
  }

  /** Members of the group leave, and come back when they are told to. */
  rest(groupId: string, isResting: boolean): void {
    for (const member of this.members) {
      if (member.options.group.groupId === groupId) member.rest(isResting);
    }
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
      if (this.shadow.strangers.has(other.memberId)) continue;
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

  /** What every group is in the middle of, for the coverage. */
  states(): readonly string[] {
    return this.#options.groups.map(({ groupId, protocol }) => {
      return `${protocol} ${this.#coordinators.slotOf(groupId)?.state() ?? "nowhere"}`;
    });
  }

  askForLiveness(): void {
    this.keeper?.askForLiveness();
    for (const member of this.members) {
      member.askForLiveness();
      member.start();
    }
  }

  /** Undefined where every group is stable, has divided all there is, and has read it. */
  whyNotWell(): string | undefined {
    for (const group of this.#options.groups) {
      const { groupId, members } = group;
      const slot = this.#coordinators.slotOf(groupId);
      const state = slot?.state() ?? "nowhere";
      if (state !== "Stable") return `${groupId} is ${state}`;
      if (slot?.memberCount !== members) return `${groupId} has ${slot?.memberCount} members`;
      const why = mayStandUndivided(group) ? undefined : this.#whyNotDivided(slot);
      if (why !== undefined) return `${groupId}: ${why}`;
    }
    if (this.keeper?.isSatisfied === false) {
      return `somebody waits for groups (${this.keeper.lastRefusal})`;
    }
    const [stale] = this.shadow.isTrusted ? this.#coordinators.staleOffsets() : [];
    return stale;
  }

  #whyNotDivided(slot: GroupSlot): string | undefined {
    const owned = new Set(
      this.members.filter(({ options }) => options.group.groupId === slot.groupId)
        .flatMap((member) => [...member.owned.keys()]),
    );
    for (const { name, partitions } of this.#options.shadow.there()) {
      if (!isRead(name)) continue;
      for (const partition of partitions.keys()) {
        const why = owned.has(`${name}-${partition}`)
          ? this.#whyNotRead(slot, name, partition)
          : `nobody has ${name}-${partition}`;
        if (why !== undefined) return why;
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
    if (!shadow.isTrusted || !isWhole || most < 0 || committed > most) return undefined;
    return `${name}-${partition} is committed up to ${committed}, not ${most}`;
  }
}

/**
 * Cooperative members divide in two rounds. A static one that gives a partition back and dies before it
 * asks for the second is let in again without a round: Kafka's protocol leaves the partition to nobody
 * until the group is called together for another reason.
 */
function mayStandUndivided({ protocol, assignor, isStatic }: SimGroup): boolean {
  return protocol !== "consumer" && isStatic && assignor === "cooperative-sticky";
}
