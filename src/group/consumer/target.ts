/**
 * The target assignment of a group: which member is to have what, once all have caught up.
 *
 * It is made anew for every group epoch, by the assignor that most members name; what is written is
 * only what differs from the target before.
 *
 * Source: kafka: TargetAssignmentBuilder, ConsumerGroup.computePreferredServerAssignor.
 */
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import type { Uuid } from "../../ground/uuid.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import type { Assignor, AssignorMember } from "./assignor/assignor.ts";
import { assignRanges } from "./assignor/range.ts";
import { assignUniformly } from "./assignor/uniform.ts";
import type { ConsumerGroupState } from "./group_state.ts";
import { type ConsumerMember, sameNames } from "./member.ts";
import { NO_PARTITIONS, type Partitions, samePartitions } from "./partitions.ts";
import { type ResolvedRegex, targetEpochRecord, targetRecord } from "./record.ts";
import { add } from "./subscriptions.ts";

const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ["uniform", assignUniformly],
  ["range", assignRanges],
]);

export interface TargetInput {
  readonly groupId: string;
  readonly state: ConsumerGroupState;
  readonly image: ClusterImage;
  readonly groupEpoch: number;
  readonly isHomogeneous: boolean;
  /** What the patterns mean from now on. */
  readonly resolvedRegexes: ReadonlyMap<string, ResolvedRegex>;
  /** Those that are served; the first where no member names one. */
  readonly assignors: readonly string[];
  /** The member as it will be, which may take the place of a static one. */
  readonly member: ConsumerMember;
}

export interface Target {
  readonly records: readonly GroupRecord[];
  /** Of the member whose request it is. */
  readonly target: Partitions;
}

export function newTarget(input: TargetInput): Target {
  const { groupId, state, image, groupEpoch, member } = input;
  const name = preferredAssignor(state, input.assignors, member);
  const members = assignorMembers(input);
  const targets = (ASSIGNORS.get(name) ?? assignUniformly)({
    members,
    isHomogeneous: input.isHomogeneous,
    partitionCountOf: (topicId) => image.topicById(topicId)?.partitions.length ?? 0,
    racksOf: (topicId, partitionId) => racksOf(image, topicId, partitionId),
  });
  const records: GroupRecord[] = [];
  for (const { memberId } of members) {
    const before = state.targets.get(memberId);
    const after = targets.get(memberId) ?? NO_PARTITIONS;
    if (before !== undefined && samePartitions(before, after)) continue;
    records.push(targetRecord(groupId, memberId, after));
  }
  records.push(targetEpochRecord(groupId, groupEpoch));
  return { records, target: targets.get(member.memberId) ?? NO_PARTITIONS };
}

function racksOf(image: ClusterImage, topicId: Uuid, partitionId: number): readonly string[] {
  const replicas = image.topicById(topicId)?.partitions[partitionId]?.replicas ?? [];
  return replicas.flatMap((brokerId) => image.broker(brokerId)?.rack ?? []);
}

/** The assignor that most members name; of two named alike, the one that is configured first. */
export function preferredAssignor(
  state: ConsumerGroupState,
  assignors: readonly string[],
  member?: ConsumerMember,
): string {
  const counts = new Map(state.assignors());
  if (member !== undefined) {
    const before = state.members.get(member.memberId) ?? state.staticMember(member.instanceId);
    if (before?.serverAssignor) add(counts, before.serverAssignor, -1);
    if (member.serverAssignor !== null) add(counts, member.serverAssignor, 1);
  }
  let preferred = assignors[0] ?? "uniform";
  let most = 0;
  for (const name of assignors) {
    const count = counts.get(name) ?? 0;
    if (count > most) [preferred, most] = [name, count];
  }
  return preferred;
}

function assignorMembers(input: TargetInput): readonly AssignorMember[] {
  const { state, member } = input;
  const replacedId = state.staticMemberId(member.instanceId);
  const found: AssignorMember[] = [];
  const topicIds = topicIdsOf(input);
  for (const one of state.members.values()) {
    if (one.memberId === member.memberId || one.memberId === replacedId) continue;
    found.push({
      memberId: one.memberId,
      instanceId: one.instanceId,
      rackId: one.rackId,
      topicIds: topicIds(one),
      target: state.targetOf(one.memberId),
    });
  }
  found.push({
    memberId: member.memberId,
    instanceId: member.instanceId,
    rackId: member.rackId,
    topicIds: topicIds(member),
    target: state.targetOf(replacedId ?? member.memberId),
  });
  return found.sort((one, other) => one.memberId < other.memberId ? -1 : 1);
}

/** Members mostly have the same subscription as the one before: its ids are looked up once. */
function topicIdsOf(
  { image, resolvedRegexes }: TargetInput,
): (member: ConsumerMember) => readonly Uuid[] {
  const known = new Map<string, readonly Uuid[]>();
  let last: { readonly of: ConsumerMember; readonly ids: readonly Uuid[] } | undefined;
  return (member) => {
    const { subscribedTopicNames: names, subscribedTopicRegex: regex } = member;
    if (last?.of.subscribedTopicRegex === regex && sameNames(last.of.subscribedTopicNames, names)) {
      return last.ids;
    }
    const key = JSON.stringify([regex, names]);
    let ids = known.get(key);
    if (ids === undefined) {
      const found = new Set<Uuid>();
      for (const name of [...names, ...resolvedRegexes.get(regex)?.topics ?? []]) {
        const topic = image.topic(name);
        if (topic !== undefined) found.add(topic.topicId);
      }
      known.set(key, ids = [...found].sort());
    }
    last = { of: member, ids };
    return ids;
  };
}
