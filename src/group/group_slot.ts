/**
 * The place of one group id in its shard: the group, if there is one, and its committed offsets.
 *
 *     group       offsets     what it is
 *     –           some        a consumer that commits without membership (a "simple" one): to clients
 *                             it is an empty classic group without a protocol type, as in Kafka
 *     some        any         a group
 *     –           –           only a successor that waits for its records, or nothing: then it goes
 */
import { type Offset, toOffset } from "../ground/numbers.ts";
import type { CommittedOffset, CommittedOffsets, OffsetVisitor } from "./committed_offsets.ts";
import type { GroupKind } from "./group.ts";
import type { AnyGroup } from "./group_classes.ts";
import type { ShardTurn } from "./shard_turn.ts";

/** What metrics and lists read; it is the group as it is now, not a copy. */
export interface GroupSummary {
  readonly groupId: string;
  readonly kind: GroupKind;
  /** "" = none. */
  readonly protocolType: string;
  readonly memberCount: number;
  /** Kafka's name of the state. */
  state(): string;
  forEachOffset(visit: OffsetVisitor): void;
}

/** A group that is not in force before its first records come back from the log. */
export interface Succession {
  readonly group: AnyGroup;
  /** Answers who asked, where the log refused the records and nobody answered yet. */
  readonly refuse: ((turn: ShardTurn) => void) | undefined;
}

export interface DumpedGroup {
  readonly groupId: string;
  readonly group: unknown;
  readonly offsets: readonly (readonly [place: string, committed: CommittedOffset])[];
}

export class GroupSlot implements GroupSummary {
  readonly groupId: string;
  group: AnyGroup | undefined;
  offsets: CommittedOffsets | undefined;
  succession: Succession | undefined;
  /** Behind the last record of the group. */
  written: Offset = toOffset(0);

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get kind(): GroupKind {
    return this.group?.kind ?? "classic";
  }

  get protocolType(): string {
    return this.group?.protocolType ?? "";
  }

  get memberCount(): number {
    return this.group?.memberCount ?? 0;
  }

  /** Whether nothing is left that needs the place. */
  get isVacant(): boolean {
    return this.group === undefined && this.offsets === undefined && this.succession === undefined;
  }

  state(): string {
    return this.group?.state() ?? "Empty";
  }

  forEachOffset(visit: OffsetVisitor): void {
    this.offsets?.forEach(visit);
  }

  /** What of it is durable; a group of which nothing is, is none. */
  dump(): DumpedGroup {
    const offsets: [place: string, committed: CommittedOffset][] = [];
    this.forEachOffset((topic, partition, committed) => {
      offsets.push([`${topic}-${partition}`, committed]);
    });
    offsets.sort(([one], [other]) => one < other ? -1 : 1);
    return { groupId: this.groupId, group: this.group?.dump(), offsets };
  }
}
