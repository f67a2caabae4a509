/**
 * All groups of one partition of `__consumer_offsets`: a pure machine that is asked, woken and replayed.
 *
 *     decide, wake, loaded, topicsChanged  →  records and replies; nothing durable has changed
 *     replay(record)                       →  the only thing that changes what is durable
 *
 * Whoever drives it appends a decision's records as one batch, replays each as soon as it is in the
 * log, and lets a reply go when the high watermark has passed `writtenOf` its group. Where the log
 * refuses the batch, nothing is replayed and every reply of the decision becomes an error; the machine
 * notices by itself that records of its own did not come back.
 *
 * `wakeAt` is the only timer: the earliest of the groups' deadlines, the next look for expired offsets,
 * and now where a walk over all groups is not at its end.
 *
 * What a group does is not here (`classic/`, `consumer/`), nor which one is meant (`route.ts`).
 */
import type { GroupRecord } from "../api/coordinator_record/group_record.ts";
import { ErrorCode } from "../api/error_code.ts";
import type { listGroups } from "../api/list_groups.ts";
import type { RequestOf, ResponseInput } from "../api/schema.ts";
import { type Ms, type Offset, toMs, toOffset } from "../ground/numbers.ts";
import { type Uuid, ZERO_UUID } from "../ground/uuid.ts";
import type { CommittedOffset } from "./committed_offsets.ts";
import { Deadlines } from "./deadlines.ts";
import type { Decision } from "./decision.ts";
import { errorResponse } from "./error_response.ts";
import type { AnyGroup } from "./group_classes.ts";
import { groupIdOfRecord, replayInto } from "./group_replay.ts";
import { groupIdOf, type GroupRequest, type ResponseTo } from "./group_request.ts";
import type { AnyQuestion } from "./group_routes.ts";
import { GroupSlot, type GroupSummary } from "./group_slot.ts";
import { expire, removeOffsets } from "./offset_expiry.ts";
import { route } from "./route.ts";
import { type ShardOptions, ShardTurn } from "./shard_turn.ts";
import { patternSweep, Sweep } from "./sweep.ts";
import type { Token } from "./turn.ts";

/** What of the cluster has changed; the image that the shard was made with tells how it is now. */
export interface TopicsChange {
  readonly removed: readonly { readonly name: string; readonly topicId: Uuid }[];
  /** Names of topics that are new, or have more partitions, or other racks. */
  readonly changed: readonly string[];
}

export type ListFilter = RequestOf<typeof listGroups>;
export type ListedGroup = ResponseInput<typeof listGroups>["groups"][number];

export class GroupShard {
  readonly #options: ShardOptions;
  readonly #slots = new Map<string, GroupSlot>();
  readonly #deadlines = new Deadlines<GroupSlot>();
  /** Places whose deadline may be another by now. */
  readonly #touched = new Set<GroupSlot>();
  /** Places with a successor that waits for its records. */
  readonly #successions = new Set<GroupSlot>();
  /** Places of consumer groups: they are told of topics. */
  readonly #listeners = new Set<GroupSlot>();
  readonly #sweeps: Sweep[] = [];
  /** The one of them that looks for expired offsets. */
  #expiry: Sweep | undefined;
  /** Behind the last record of every group that is gone. */
  #writtenOfGone = toOffset(0);
  /** When to look for expired offsets; undefined while the log is being replayed. */
  #expireAt: Ms | undefined;
  #now = toMs(0);

  constructor(options: ShardOptions) {
    this.#options = options;
  }

  /** When `wake` has something to do. */
  get wakeAt(): Ms | undefined {
    if (this.#expireAt === undefined) return undefined;
    this.#settle();
    if (this.#sweeps.length > 0 || this.#successions.size > 0) return this.#now;
    const expireAt = this.#slots.size === 0 ? undefined : this.#expireAt;
    const groupAt = this.#deadlines.nextAt;
    if (groupAt === undefined || expireAt === undefined) return groupAt ?? expireAt;
    return groupAt < expireAt ? groupAt : expireAt;
  }

  /** The answer is in this decision, or in that of a later turn, under the same token. */
  decide<Request extends GroupRequest>(
    now: Ms,
    request: Request,
    token: Token<ResponseTo<Request>>,
  ): Decision {
    const turn = this.#begin(now);
    const groupId = groupIdOf(request);
    const slot = this.#slots.get(groupId);
    turn.groupId = groupId;
    // Which token and answer go with which request, its type says already.
    const question = { kind: request.kind, request, slot, token } as unknown as AnyQuestion;
    const fresh = route(turn, question);
    const refuse = turn.isAnswered(token) ? undefined : (later: ShardTurn): void => {
      later.reply(token, errorResponse(request, ErrorCode.CoordinatorNotAvailable));
    };
    this.#end(turn, { slot, fresh, refuse });
    return turn;
  }

  /** Does what is due, for at most one group that has something to write. */
  wake(now: Ms): Decision {
    const turn = this.#begin(now);
    while (turn.records.length === 0) {
      const slot = this.#deadlines.takeDue(now);
      if (slot === undefined) break;
      turn.groupId = slot.groupId;
      slot.group?.wake(turn);
      this.#end(turn, { slot });
    }
    if (turn.records.length === 0) this.#sweepOn(turn);
    return turn;
  }

  /** The log has been replayed to its end. */
  loaded(now: Ms): Decision {
    const turn = this.#begin(now);
    this.#expireAt = toMs(now + turn.settings.offsetsRetentionCheckIntervalMs);
    for (const slot of this.#slots.values()) {
      turn.groupId = slot.groupId;
      slot.group?.loaded(turn);
      this.#touched.add(slot);
    }
    // Of the topics that were deleted while nobody led here, only those are known whose id is.
    const [anyRemoved] = turn.image.removedTopics();
    if (anyRemoved !== undefined) {
      this.#sweepOffsets((_, { topicId }) => turn.image.wasRemoved(topicId));
    }
    return turn;
  }

  topicsChanged(now: Ms, { removed, changed }: TopicsChange): Decision {
    const turn = this.#begin(now);
    this.#settle();
    const names = [...removed.map(({ name }) => name), ...changed];
    for (const slot of this.#listeners) {
      turn.groupId = slot.groupId;
      if (slot.group?.kind === "consumer") slot.group.topicsChanged(turn, names);
      this.#touched.add(slot);
    }
    const patterns = patternSweep(this.#listeners, names);
    if (!patterns.step(turn)) this.#sweeps.push(patterns);
    if (removed.length > 0) {
      const idOf = new Map(removed.map(({ name, topicId }) => [name, topicId]));
      this.#sweepOffsets((topic, { topicId }) => {
        const removedId = idOf.get(topic);
        return removedId !== undefined && (topicId === ZERO_UUID || topicId === removedId);
      });
    }
    return turn;
  }

  replay(offset: Offset, record: GroupRecord): void {
    const groupId = groupIdOfRecord(record);
    let slot = this.#slots.get(groupId);
    if (slot === undefined) this.#slots.set(groupId, slot = new GroupSlot(groupId));
    replayInto(slot, record, this.#options.image);
    slot.written = toOffset(offset + 1);
    if (slot.succession?.group === slot.group) this.#concludeSuccession(slot);
    this.#touched.add(slot);
    this.#maybeRemove(slot);
  }

  /** Behind the last record of the group that was replayed: what is told of it waits for that. */
  writtenOf(groupId: string): Offset {
    return this.#slots.get(groupId)?.written ?? this.#writtenOfGone;
  }

  /** Empty filters let everything through; what is no state or type lets nothing through. */
  listGroups(_now: Ms, { statesFilter, typesFilter }: ListFilter): readonly ListedGroup[] {
    const states = new Set(statesFilter.map((state) => state.toLowerCase()));
    const types = new Set(typesFilter.map((type) => type.toLowerCase()));
    const listed: ListedGroup[] = [];
    for (const group of this.groups()) {
      const { groupId, protocolType, kind } = group;
      const groupState = group.state();
      if (states.size > 0 && !states.has(groupState.toLowerCase())) continue;
      if (types.size > 0 && !types.has(kind)) continue;
      listed.push({ groupId, protocolType, groupState, groupType: kind });
    }
    return listed;
  }

  /** As they are: nothing is copied, so nothing may be kept. */
  *groups(): Iterable<GroupSummary> {
    for (const slot of this.#slots.values()) {
      if (slot.group !== undefined || slot.offsets !== undefined) yield slot;
    }
  }

  /** All that is durable, in a form that two equal shards give alike. */
  dump(): unknown {
    const slots = [...this.#slots.values()].sort((one, other) =>
      one.groupId < other.groupId ? -1 : 1
    );
    return slots.map((slot) => slot.dump()).filter(({ group, offsets }) => {
      return group !== undefined || offsets.length > 0;
    });
  }

  #begin(now: Ms): ShardTurn {
    this.#now = now;
    const turn = new ShardTurn(now, this.#options);
    for (const slot of this.#successions) this.#dropSuccession(turn, slot);
    return turn;
  }

  /** What a group's turn has made of its place. */
  #end(turn: ShardTurn, { slot, fresh = turn.successor, refuse }: TurnEnd): void {
    turn.successor = undefined;
    if (fresh !== undefined) this.#succeed(turn, fresh, refuse);
    if (slot === undefined) return;
    if (slot.group?.isForgettable === true && turn.records.length === 0) slot.group = undefined;
    this.#touched.add(slot);
    this.#maybeRemove(slot);
  }

  /** A group that wrote something is in force when that is replayed; another one is at once. */
  #succeed(turn: ShardTurn, group: AnyGroup, refuse: Refuse | undefined): void {
    const { groupId } = group;
    let slot = this.#slots.get(groupId);
    if (slot === undefined) this.#slots.set(groupId, slot = new GroupSlot(groupId));
    this.#touched.add(slot);
    if (turn.records.length === 0) {
      slot.group = group;
      return;
    }
    slot.succession = { group, refuse };
    this.#successions.add(slot);
  }

  #concludeSuccession(slot: GroupSlot): void {
    slot.succession = undefined;
    this.#successions.delete(slot);
  }

  /**
   * Records are replayed before the next turn, or never: a successor that still waits was refused by
   * the log, and with it who waits for an answer of it.
   */
  #dropSuccession(turn: ShardTurn, slot: GroupSlot): void {
    turn.groupId = slot.groupId;
    slot.succession?.refuse?.(turn);
    this.#concludeSuccession(slot);
    this.#maybeRemove(slot);
  }

  #maybeRemove(slot: GroupSlot): void {
    if (!slot.isVacant) return;
    this.#slots.delete(slot.groupId);
    this.#touched.delete(slot);
    this.#listeners.delete(slot);
    this.#deadlines.set(slot, undefined);
    if (slot.written > this.#writtenOfGone) this.#writtenOfGone = slot.written;
  }

  /**
   * A group whose time has come and that was woken goes behind all others that are due: where the log
   * refuses its records, it does not hold up theirs.
   */
  #settle(): void {
    for (const slot of this.#touched) {
      const wakeAt = slot.group?.wakeAt;
      const isLate = wakeAt !== undefined && wakeAt < this.#now;
      this.#deadlines.set(slot, isLate ? this.#now : wakeAt);
      if (slot.group?.kind === "consumer") this.#listeners.add(slot);
      else this.#listeners.delete(slot);
    }
    this.#touched.clear();
  }

  #sweepOffsets(isGone: (topic: string, committed: CommittedOffset) => boolean): void {
    if (this.#slots.size === 0) return;
    const visit = (turn: ShardTurn, slot: GroupSlot): void => removeOffsets(turn, slot, isGone);
    this.#sweeps.push(new Sweep(this.#slots.values(), visit));
  }

  #sweepOn(turn: ShardTurn): void {
    if (this.#expireAt !== undefined && turn.now >= this.#expireAt) {
      this.#expireAt = toMs(turn.now + turn.settings.offsetsRetentionCheckIntervalMs);
      // One that the log has held up since the last check looks at all that has expired by now.
      if (this.#expiry === undefined) {
        this.#sweeps.push(this.#expiry = new Sweep(this.#slots.values(), expire));
      }
    }
    if (this.#sweeps[0]?.step(turn) !== true) return;
    if (this.#sweeps.shift() === this.#expiry) this.#expiry = undefined;
  }
}

type Refuse = (turn: ShardTurn) => void;

interface TurnEnd {
  readonly slot: GroupSlot | undefined;
  /** The group that came of the turn and is not in force yet. */
  readonly fresh?: AnyGroup | undefined;
  readonly refuse?: Refuse | undefined;
}
