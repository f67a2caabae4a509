/**
 * What one shard has said of its groups so far, by its records and answers alone, and whether what it
 * says next agrees with that.
 */
import type {
  GroupRecord,
  GroupRecordOf,
} from "../../../src/api/coordinator_record/group_record.ts";
import type { Decision } from "../../../src/group/decision.ts";
import type { GroupRequest, GroupResponses } from "../../../src/group/group_request.ts";
import { GROUP_SETTINGS } from "./group_options.ts";

/** What every member of a simulation asks for (`sim_member.ts`), or is given. */
const SESSION_MS = Number(GROUP_SETTINGS["group.consumer.session.timeout.ms"]);
const REBALANCE_MS = 10_000;
const UNREVOKED = 1;

interface Member {
  readonly instanceId: string | null;
  readonly epoch: number;
  readonly assigned: string;
  /** Since when it has to give something back. */
  readonly unrevokedAt: number | undefined;
}

const NEW_MEMBER: Member = { instanceId: null, epoch: 0, assigned: "", unrevokedAt: undefined };

/** The newest generation that members were told of, and assignments of it. */
export interface Floor {
  generation: number;
  epoch: number;
}

export class Referee {
  readonly groupId: string;
  /** Of a consumer group, as its records have them. */
  readonly members = new Map<string, Member>();
  groupEpoch = 0;
  #isConsumer = false;
  #generation = -1;
  /** Members of that generation. */
  readonly #present = new Set<string>();
  readonly #synced = new Set<string>();
  readonly #instances = new Map<string, string | null>();
  #assignments = new Map<string, string>();
  readonly #heardMs = new Map<string, number>();
  readonly #onBroken: (what: string, message: string) => void;

  constructor(groupId: string, onBroken: (what: string, message: string) => void) {
    this.groupId = groupId;
    this.#onBroken = (what, message) => onBroken(what, `${groupId}: ${message}`);
  }

  /** The shard knows nobody's last heartbeat: all have a whole session. */
  loaded(now: number): void {
    for (const [memberId, member] of this.members) {
      const unrevokedAt = member.unrevokedAt === undefined ? undefined : now;
      this.members.set(memberId, { ...member, unrevokedAt });
      this.#heardMs.set(memberId, now);
    }
    for (const memberId of this.#present) this.#heardMs.set(memberId, now);
  }

  replay(now: number, record: GroupRecord): void {
    switch (record.kind) {
      case "GroupMetadata":
        return this.#replayGeneration(record);
      case "ConsumerGroupMetadata":
        return this.#replayEpoch(record);
      case "ConsumerGroupMemberMetadata":
        return this.#replayMember(record);
      case "ConsumerGroupCurrentMemberAssignment":
        return this.#replayAssignment(now, record);
      default:
    }
  }

  #replayGeneration(record: GroupRecordOf<"GroupMetadata">): void {
    this.#present.clear();
    this.#instances.clear();
    this.#generation = record.value?.generation ?? -1;
    for (const { memberId, groupInstanceId } of record.value?.members ?? []) {
      this.#present.add(memberId);
      this.#instances.set(memberId, groupInstanceId);
    }
    this.#assignments = assignmentsOf(record);
    this.#judgeInstances([...this.#instances]);
  }

  #replayEpoch({ value }: GroupRecordOf<"ConsumerGroupMetadata">): void {
    const epoch = value?.epoch ?? 0;
    if (value !== null && epoch < this.groupEpoch) {
      this.#onBroken("epochs grow", `${epoch} is written behind ${this.groupEpoch}`);
    }
    this.#isConsumer = value !== null;
    this.groupEpoch = epoch;
    if (value === null) this.members.clear();
  }

  #replayMember({ key, value }: GroupRecordOf<"ConsumerGroupMemberMetadata">): void {
    const { memberId } = key;
    if (value === null) {
      this.members.delete(memberId);
      return;
    }
    const { instanceId } = value;
    this.members.set(memberId, { ...(this.members.get(memberId) ?? NEW_MEMBER), instanceId });
    this.#judgeInstances([...this.members].map(([id, member]) => [id, member.instanceId]));
  }

  #replayAssignment(
    now: number,
    { key, value }: GroupRecordOf<"ConsumerGroupCurrentMemberAssignment">,
  ): void {
    const before = this.members.get(key.memberId);
    if (before === undefined || value === null) return;
    const { memberEpoch: epoch, state, assignedPartitions } = value;
    const unrevokedAt = state === UNREVOKED ? before.unrevokedAt ?? now : undefined;
    const assigned = textOfPartitions(assignedPartitions);
    this.members.set(key.memberId, { ...before, epoch, assigned, unrevokedAt });
  }

  /** A member that this turn removed for its silence. */
  expelled(now: number, memberId: string, isStable: boolean): void {
    const heardMs = this.#heardMs.get(memberId);
    const { unrevokedAt = now } = this.members.get(memberId) ?? NEW_MEMBER;
    if (heardMs === undefined || now - heardMs >= SESSION_MS) return;
    if (now - unrevokedAt >= REBALANCE_MS || isStable && !this.#synced.has(memberId)) return;
    this.#onBroken(
      "no member is expelled that was heard within its session",
      `${memberId} was heard ${now - heardMs} ms before`,
    );
  }

  answered(
    now: number,
    { request, response, decision, floor }: {
      readonly request: GroupRequest;
      readonly response: unknown;
      readonly decision: Decision;
      readonly floor: Floor;
    },
  ): void {
    switch (request.kind) {
      case "OffsetCommit":
        return this.#judgeCommit(request.body, response as GroupResponses["OffsetCommit"]);
      case "JoinGroup": {
        const told = response as GroupResponses["JoinGroup"];
        if (told.errorCode === 0) this.#joined(now, { asked: request.body.memberId, told, floor });
        return;
      }
      case "SyncGroup": {
        const told = response as GroupResponses["SyncGroup"];
        if (told.errorCode !== 0) return;
        const { memberId } = request.body;
        this.#heardMs.set(memberId, now);
        this.#synced.add(memberId);
        const record = decision.records.findLast(({ kind }) => kind === "GroupMetadata");
        const own = (record === undefined ? this.#assignments : assignmentsOf(record)).get(
          memberId,
        );
        if (own === String(told.assignment) || this.#isConsumer) return;
        this.#onBroken("a member is told its own", `${memberId} is told another's assignment`);
        return;
      }
      case "Heartbeat":
        if ((response as GroupResponses["Heartbeat"]).errorCode !== 0) return;
        this.#heardMs.set(request.body.memberId, now);
        return;
      case "ConsumerGroupHeartbeat": {
        const told = response as GroupResponses["ConsumerGroupHeartbeat"];
        if (told.errorCode === 0 && request.body.memberEpoch >= 0) {
          this.#beat(now, { told, decision, floor });
        }
        return;
      }
      default:
    }
  }

  #judgeCommit(
    { memberId, generationIdOrMemberEpoch: epoch }: {
      readonly memberId: string;
      readonly generationIdOrMemberEpoch: number;
    },
    { topics }: GroupResponses["OffsetCommit"],
  ): void {
    const isTaken = topics.some((one) => one.partitions.some(({ errorCode }) => errorCode === 0));
    if (!isTaken || epoch < 0) return;
    const present = this.#isConsumer
      ? this.members.get(memberId)?.epoch
      : this.#generationOf(memberId);
    if (present === epoch) return;
    this.#onBroken(
      "a commit is of who is a member now",
      `${memberId} of ${epoch} has committed, and is of ${present ?? "nowhere"}`,
    );
  }

  #generationOf(memberId: string): number | undefined {
    return this.#present.has(memberId) ? this.#generation : undefined;
  }

  #joined(
    now: number,
    { asked, told, floor }: {
      readonly asked: string;
      readonly told: GroupResponses["JoinGroup"];
      readonly floor: Floor;
    },
  ): void {
    const { memberId, generationId = -1, leader, members, skipAssignment } = told;
    if (asked !== "" && asked !== memberId) {
      this.#onBroken("a member is told its own", `${asked} joins and is told it is ${memberId}`);
    }
    const isNew = leader === memberId && members.length > 0 && skipAssignment !== true;
    const isBack = generationId < this.#generation || generationId < floor.generation;
    if (isBack || isNew && generationId === floor.generation) {
      const highest = Math.max(this.#generation, floor.generation);
      this.#onBroken("generations grow", `${generationId} begins behind ${highest}`);
    }
    if (generationId !== this.#generation) {
      this.#present.clear();
      this.#synced.clear();
      this.#generation = generationId;
    }
    this.#present.add(memberId);
    this.#heardMs.set(memberId, now);
  }

  #beat(
    now: number,
    { told, decision, floor }: {
      readonly told: GroupResponses["ConsumerGroupHeartbeat"];
      readonly decision: Decision;
      readonly floor: Floor;
    },
  ): void {
    const { memberId, memberEpoch = -1, assignment } = told;
    if (memberId === null || memberId === undefined) return;
    this.#heardMs.set(memberId, now);
    const record = decision.records.findLast(({ kind, key }) => {
      return kind === "ConsumerGroupCurrentMemberAssignment" && key.memberId === memberId;
    });
    const written = record?.kind === "ConsumerGroupCurrentMemberAssignment" && record.value !== null
      ? {
        epoch: record.value.memberEpoch,
        assigned: textOfPartitions(record.value.assignedPartitions),
      }
      : this.members.get(memberId) ?? NEW_MEMBER;
    const isOwn = assignment === null || assignment === undefined ||
      textOfPartitions(assignment.topicPartitions) === written.assigned;
    if (!isOwn || memberEpoch !== written.epoch) {
      this.#onBroken("a member is told its own", `${memberId} is told another's assignment`);
    }
    if (Math.max(this.groupEpoch, memberEpoch) < floor.epoch) {
      this.#onBroken("epochs grow", `${this.groupEpoch} is behind ${floor.epoch}`);
    }
  }

  #judgeInstances(instances: readonly (readonly [string, string | null])[]): void {
    const names = instances.flatMap(([, name]) => name === null ? [] : [name]);
    if (new Set(names).size === names.length) return;
    this.#onBroken("a static name has one member", JSON.stringify(instances));
  }
}

function assignmentsOf(record: GroupRecord): Map<string, string> {
  const members = record.kind === "GroupMetadata" ? record.value?.members ?? [] : [];
  return new Map(members.map(({ memberId, assignment }) => [memberId, String(assignment)]));
}

function textOfPartitions(
  topics: readonly { readonly topicId: string; readonly partitions: readonly number[] }[],
): string {
  return topics.map(({ topicId, partitions }) => {
    return `${topicId} ${[...partitions].sort((one, other) => one - other).join()}`;
  }).sort().join("; ");
}
