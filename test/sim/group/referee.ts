/**
 * What one shard has said of its groups so far, by its records and answers alone, and whether what it
 * says next agrees with that. Longer than most: it is about both protocols, which one group may speak.
 */
import type {
  GroupRecord,
  GroupRecordOf,
} from "../../../src/api/coordinator_record/group_record.ts";
import type { Decision } from "../../../src/group/decision.ts";
import type { GroupRequest, GroupResponses } from "../../../src/group/group_request.ts";
import { GROUP_SETTINGS, isRead } from "./group_options.ts";

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
  /** It speaks the classic protocol in a consumer group. */
  readonly isClassic: boolean;
}

const NEW_MEMBER: Member = {
  instanceId: null,
  epoch: 0,
  assigned: "",
  unrevokedAt: undefined,
  isClassic: false,
};

/** The newest generation and epoch that members were told of. */
export interface Floor {
  generation: number;
  epoch: number;
  /** How often the group has ended: the next of its name begins anew. */
  lifeCount: number;
}

export class Referee {
  readonly groupId: string;
  /** Of a consumer group, as its records have them. */
  readonly members = new Map<string, Member>();
  groupEpoch = 0;
  #isConsumer = false;
  /** From a consumer group: its members are of the generation before that of the record. */
  #isConverted = false;
  #hasEnded = false;
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

  /** Members by whom it is a group in use, for all that its records and answers say. */
  get memberIds(): readonly string[] {
    return [...(this.#isConsumer ? this.members.keys() : this.#present)];
  }

  /** The shard knows nobody's last heartbeat: all have a whole session. */
  loaded(now: number): void {
    this.#isConverted = false;
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
    this.#isConverted = this.#hasEnded && record.value !== null;
    this.#hasEnded = false;
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
    this.#hasEnded = value === null;
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
    const isClassic = (value.classicMemberMetadata ?? null) !== null;
    const before = this.members.get(memberId) ?? NEW_MEMBER;
    this.members.set(memberId, { ...before, instanceId, isClassic });
    this.#judgeInstances([...this.members].map(([id, member]) => [id, member.instanceId]));
  }

  #replayAssignment(
    now: number,
    { key, value }: GroupRecordOf<"ConsumerGroupCurrentMemberAssignment">,
  ): void {
    if (value === null) return;
    // In a log that was cleaned it may come before the member itself.
    const before = this.members.get(key.memberId) ?? NEW_MEMBER;
    const { memberEpoch: epoch, state, assignedPartitions } = value;
    const unrevokedAt = state === UNREVOKED ? before.unrevokedAt ?? now : undefined;
    const assigned = textOfPartitions(assignedPartitions);
    this.members.set(key.memberId, { ...before, epoch, assigned, unrevokedAt });
  }

  /** The last member of a classic group went: also where the log does not take what is written of that. */
  emptied(): void {
    this.#present.clear();
  }

  /** A member that this turn removed for its silence. */
  expelled(now: number, memberId: string, isStable: boolean): void {
    const heardMs = this.#heardMs.get(memberId);
    const { unrevokedAt = now, isClassic } = this.members.get(memberId) ?? NEW_MEMBER;
    if (isClassic) return; // it also has to join and sync in time
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
      case "OffsetDelete":
        return this.#offsetsDeleted(response as GroupResponses["OffsetDelete"]);
      case "DeleteGroup":
        return this.#deleted(response as GroupResponses["DeleteGroup"]);
      case "JoinGroup": {
        const told = response as GroupResponses["JoinGroup"];
        if (told.errorCode === 0) this.#joined(now, { asked: request.body.memberId, told, floor });
        return;
      }
      case "SyncGroup": {
        const { memberId } = request.body;
        const told = response as GroupResponses["SyncGroup"];
        if (told.errorCode === 0) this.#told(now, { memberId, told, decision });
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

  #offsetsDeleted({ errorCode, topics = [] }: GroupResponses["OffsetDelete"]): void {
    const isDone = (errorCode ?? 0) === 0 &&
      topics.some(({ name, partitions }) =>
        isRead(name) && partitions.some((one) => (one.errorCode ?? 0) === 0)
      );
    if (isDone) this.#judgeOrder("its offset was deleted");
  }

  #deleted({ errorCode }: GroupResponses["DeleteGroup"]): void {
    if ((errorCode ?? 0) === 0) this.#judgeOrder("it was deleted");
  }

  #told(
    now: number,
    { memberId, told, decision }: {
      readonly memberId: string;
      readonly told: GroupResponses["SyncGroup"];
      readonly decision: Decision;
    },
  ): void {
    this.#synced.add(memberId);
    const record = decision.records.findLast(({ kind }) => kind === "GroupMetadata");
    // Who asks of a group that stands is told, and no more than that, as by Kafka.
    if (record !== undefined) this.#heardMs.set(memberId, now);
    const assignments = record === undefined ? this.#assignments : assignmentsOf(record);
    if (assignments.get(memberId) === String(told.assignment) || this.#isConsumer) return;
    this.#onBroken("a member is told its own", `${memberId} is told another's assignment`);
  }

  #judgeCommit(
    { memberId, generationIdOrMemberEpoch: epoch }: {
      readonly memberId: string;
      readonly generationIdOrMemberEpoch: number;
    },
    { topics }: GroupResponses["OffsetCommit"],
  ): void {
    const isTaken = topics.some((one) => one.partitions.some(({ errorCode }) => errorCode === 0));
    if (isTaken && epoch < 0) this.#judgeOrder("its offset was put elsewhere");
    if (!isTaken || epoch < 0) return;
    const present = this.#isConsumer
      ? this.members.get(memberId)?.epoch
      : this.#generationOf(memberId);
    if (present === epoch || this.#isConverted && present === epoch + 1) return;
    this.#onBroken(
      "a commit is of who is a member now",
      `${memberId} of ${epoch} has committed, and is of ${present ?? "nowhere"}`,
    );
  }

  #judgeOrder(what: string): void {
    const { memberIds } = this;
    if (memberIds.length === 0) return;
    this.#onBroken("orders are for groups without members", `${what}, and it has ${memberIds}`);
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
    this.#heardMs.set(memberId, now);
    if (this.#isConsumer) return; // what is told is the member's epoch
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
      this.#isConverted = false;
    }
    this.#present.add(memberId);
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
