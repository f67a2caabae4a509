/**
 * Has every shard of running nodes judged by a `Referee`, without a change of production code.
 *
 *     GroupShard      decide, wake, loaded, replay     what is decided, and what of it is written
 *     ShardDriver     ask                              what has left
 */
import type { GroupRecord } from "../../../src/api/coordinator_record/group_record.ts";
import type { Ms, Offset } from "../../../src/ground/numbers.ts";
import type { Decision } from "../../../src/group/decision.ts";
import { groupIdOfRecord } from "../../../src/group/group_replay.ts";
import {
  groupIdOf,
  type GroupRequest,
  type GroupResponses,
} from "../../../src/group/group_request.ts";
import { GroupShard, type TopicsChange } from "../../../src/group/group_shard.ts";
import type { GroupSlot } from "../../../src/group/group_slot.ts";
import type { Token } from "../../../src/group/turn.ts";
import { ShardDriver } from "../../../src/runtime/coordinator/shard_driver.ts";
import { replace } from "../replace.ts";
import type { GroupShadow } from "./group_shadow.ts";
import { isOrdered } from "./offset_orders.ts";
import { type Floor, Referee } from "./referee.ts";

export interface DecisionWatch {
  readonly groups: GroupShadow;
  readonly isAlive: () => boolean;
  readonly onBroken: (what: string, message: string) => void;
  readonly onSeen: (what: string) => void;
}

/** What one shard was asked, and has said. */
class ShardNotes {
  readonly referees = new Map<string, Referee>();
  readonly asked = new Map<number, GroupRequest>();
  isServing = false;
  now = 0;
  /** Why the shard writes what it writes now: undefined for a turn of its own. */
  cause: GroupRequest | undefined;
}

/** Who hears of what all shards of a world are asked and say. */
class ShardBench {
  readonly #watch: DecisionWatch;
  readonly #floors = new Map<string, Floor>();
  readonly #records = new WeakMap<object, ShardNotes>();

  constructor(watch: DecisionWatch) {
    this.#watch = watch;
  }

  floorOf(groupId: string): Floor {
    let floor = this.#floors.get(groupId);
    if (floor === undefined) {
      this.#floors.set(groupId, floor = { generation: -1, epoch: 0, lifeCount: 0 });
    }
    return floor;
  }

  notesOf(shard: object): ShardNotes {
    let record = this.#records.get(shard);
    if (record === undefined) this.#records.set(shard, record = new ShardNotes());
    return record;
  }

  refereeOf(record: ShardNotes, groupId: string): Referee {
    const { groups, isAlive, onBroken } = this.#watch;
    let referee = record.referees.get(groupId);
    if (referee === undefined) {
      referee = new Referee(groupId, (what, message) => {
        if (record.isServing && isAlive() && groups.isTrusted) onBroken(what, message);
      });
      record.referees.set(groupId, referee);
    }
    return referee;
  }

  judge(record: ShardNotes, decision: Decision): Decision {
    this.#turned(record, decision);
    for (const written of decision.records) {
      if (written.kind !== "GroupMetadata" || written.value?.members.length !== 0) continue;
      this.refereeOf(record, written.key.group).emptied();
    }
    for (const { token, groupId, response } of decision.replies) {
      const request = record.asked.get(token.id);
      record.asked.delete(token.id);
      if (request === undefined) continue;
      const floor = this.floorOf(groupId);
      const said = { request, response, decision, floor };
      this.refereeOf(record, groupId).answered(record.now, said);
    }
    return decision;
  }

  /** A group that ends, or goes from one protocol to the other. */
  #turned(record: ShardNotes, { records }: Decision): void {
    for (const written of records) {
      if (written.value !== null) continue;
      if (written.kind !== "GroupMetadata" && written.kind !== "ConsumerGroupMetadata") continue;
      const groupId = groupIdOfRecord(written);
      const other = written.kind === "GroupMetadata" ? "ConsumerGroupMetadata" : "GroupMetadata";
      const becomes = records.some((one) =>
        one.kind === other && one.value !== null && groupIdOfRecord(one) === groupId
      );
      const hasMembers = this.refereeOf(record, groupId).memberIds.length > 0;
      const what = becomes
        ? `becomes ${other === "GroupMetadata" ? "classic" : "consumer"}`
        : "ends";
      this.#watch.onSeen(`${what} ${hasMembers ? "with" : "without"} members`);
      if (!hasMembers) {
        const { lifeCount } = this.floorOf(groupId);
        this.#floors.set(groupId, { generation: -1, epoch: 0, lifeCount: lifeCount + 1 });
      }
    }
  }

  /** Before it is replayed. */
  written(record: ShardNotes, written: GroupRecord): void {
    const { groups, isAlive, onBroken } = this.#watch;
    if (written.kind === "ConsumerGroupMemberMetadata" && written.value === null) {
      groups.strangers.add(written.key.memberId);
    }
    if (written.kind !== "OffsetCommit" || !record.isServing || !isAlive()) return;
    const { cause } = record;
    if (!groups.isTrusted || isOrdered(groups, written, cause)) return;
    const { key: { group, topic, partition }, value } = written;
    const present = groups.historyOf(group, topic, partition).last;
    const by = cause === undefined ? "nobody" : JSON.stringify(cause.body);
    onBroken(
      "an offset goes back only by order",
      `${group} ${topic}-${partition} goes from ${present} to ${value?.offset}, ordered by ${by}`,
    );
  }

  /** A turn of time: who was removed in it, and for what. */
  woken(
    record: ShardNotes,
    decision: Decision,
    before: readonly (readonly [GroupSlot, readonly string[]])[],
  ): Decision {
    const kept = new Set(decision.records.flatMap((written) => {
      if (written.kind !== "GroupMetadata") return [];
      return written.value?.members.map(({ memberId }) => memberId) ?? [];
    }));
    for (const written of decision.records) {
      if (written.kind !== "ConsumerGroupMemberMetadata" || written.value !== null) continue;
      const { groupId, memberId } = written.key;
      if (kept.has(memberId)) continue; // the group becomes a classic one, and it stays
      this.refereeOf(record, groupId).expelled(record.now, memberId, false);
    }
    for (const [slot, memberIds] of before) {
      if (slot.group?.kind !== "classic") continue;
      const present = new Set([...slot.group.members()].map(({ memberId }) => memberId));
      for (const memberId of memberIds) {
        if (present.has(memberId)) continue;
        this.refereeOf(record, slot.groupId).expelled(record.now, memberId, true);
      }
    }
    return this.judge(record, decision);
  }

  answered(request: GroupRequest, answer: unknown): unknown {
    const { groups, isAlive } = this.#watch;
    const { lifeCount } = this.floorOf(groupIdOf(request));
    const note = (response: unknown): unknown => {
      if (!isAlive() || !groups.isTrusted || !isGood(response)) return response;
      const floor = this.floorOf(groupIdOf(request));
      if (floor.lifeCount === lifeCount) raise(floor, request, response);
      return response;
    };
    return answer instanceof Promise ? answer.then(note) : note(answer);
  }
}

/** Until the function that it gives back is called. */
export function watchShardDecisions(watch: DecisionWatch): () => void {
  const bench = new ShardBench(watch);
  const { decide, wake, loaded, topicsChanged, replay } = GroupShard.prototype;
  const { ask } = ShardDriver.prototype;
  const undo = [
    replace(
      GroupShard.prototype,
      "decide",
      function (this: GroupShard, now: Ms, request: GroupRequest, token: Token<never>): Decision {
        const record = bench.notesOf(this);
        record.now = now;
        record.cause = request;
        record.asked.set(token.id, request);
        return bench.judge(record, decide.call(this, now, request, token));
      },
    ),
    replace(GroupShard.prototype, "wake", function (this: GroupShard, now: Ms): Decision {
      const record = bench.notesOf(this);
      record.now = now;
      record.cause = undefined;
      const before = stableMembers(this);
      return bench.woken(record, wake.call(this, now), before);
    }),
    replace(GroupShard.prototype, "loaded", function (this: GroupShard, now: Ms): Decision {
      const record = bench.notesOf(this);
      record.now = now;
      record.cause = undefined;
      record.isServing = true;
      for (const referee of record.referees.values()) referee.loaded(now);
      return bench.judge(record, loaded.call(this, now));
    }),
    replace(
      GroupShard.prototype,
      "topicsChanged",
      function (this: GroupShard, now: Ms, change: TopicsChange): Decision {
        const record = bench.notesOf(this);
        record.now = now;
        record.cause = undefined;
        return bench.judge(record, topicsChanged.call(this, now, change));
      },
    ),
    replace(
      GroupShard.prototype,
      "replay",
      function (this: GroupShard, offset: Offset, written: GroupRecord): void {
        const record = bench.notesOf(this);
        bench.written(record, written);
        bench.refereeOf(record, groupIdOfRecord(written)).replay(record.now, written);
        replay.call(this, offset, written);
      },
    ),
    replace(
      ShardDriver.prototype,
      "ask",
      function (this: ShardDriver, request: GroupRequest): unknown {
        return bench.answered(request, ask.call(this, request));
      },
    ),
  ];
  return () => {
    for (const one of undo) one();
  };
}

/** Of classic groups that have nothing to wait for: who goes now goes for its silence. */
function stableMembers(shard: GroupShard): readonly (readonly [GroupSlot, readonly string[]])[] {
  const found: [GroupSlot, readonly string[]][] = [];
  for (const one of shard.groups()) {
    const slot = one as GroupSlot;
    if (slot.group?.kind !== "classic" || slot.state() !== "Stable") continue;
    found.push([slot, [...slot.group.members()].map(({ memberId }) => memberId)]);
  }
  return found;
}

/** Not an error, as far as one code says it for all. */
function isGood(response: unknown): boolean {
  return ((response as { readonly errorCode?: number }).errorCode ?? 0) === 0;
}

/** What members were told is not told again of another generation or epoch. */
function raise(floor: Floor, request: GroupRequest, response: unknown): void {
  if (request.kind === "SyncGroup") {
    floor.generation = Math.max(floor.generation, request.body.generationId);
  } else if (request.kind === "ConsumerGroupHeartbeat") {
    const { memberEpoch = -1 } = response as GroupResponses["ConsumerGroupHeartbeat"];
    floor.epoch = Math.max(floor.epoch, memberEpoch);
  }
}
