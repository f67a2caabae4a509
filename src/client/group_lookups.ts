/** Looks up for a membership what it asks about topics: how many partitions they have, and their names. */
import { readAssignment } from "../api/consumer_protocol.ts";
import { describeGroups } from "../api/describe_groups.ts";
import { ErrorCode } from "../api/error_code.ts";
import type { Uuid } from "../ground/uuid.ts";
import { ClientError, errorFrom } from "./client_error.ts";
import type { PartitionCounts } from "./group/assignor/assignor.ts";
import { isElsewhere, isPassing } from "./group/group_errors.ts";
import type { DivisionName } from "./group/membership.ts";
import type { GroupMember } from "./group_member.ts";
import type { PartitionRacks } from "./group/assignor/racks.ts";
import type { ClusterMetadata, TopicMetadata } from "./metadata_cache.ts";
import { countsIn } from "./group_topics.ts";

export class GroupLookups {
  readonly #member: GroupMember;
  #nameFailureCount = 0;

  constructor(member: GroupMember) {
    this.#member = member;
  }

  async count(topics: readonly string[], life: number): Promise<void> {
    const { tools, membership, signal, now, onChange, pause } = this.#member;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const found = topics.length === 0
          ? new Map<string, never>()
          : await tools.metadata.topics(topics);
        const racks = racksIn(found, await tools.metadata.cluster({ isCached: true }));
        membership.looked(now(), { life, counts: countsIn(found, topics), racks });
        break;
      } catch {
        await pause(attempt);
      }
    }
    onChange();
  }

  /** Whether all that is there was given to somebody; where the coordinator does not tell, nothing is said. */
  async compare(topics: readonly string[], of: DivisionName): Promise<void> {
    const { tools, options: { groupId }, link, membership, signal, now, onChange, pause } =
      this.#member;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const there = countsIn(await tools.metadata.topics(topics), topics);
        const [group] = (await link.ask(describeGroups, { groups: [groupId] })).groups;
        const errorCode = group?.errorCode ?? ErrorCode.GroupIdNotFound;
        if (group !== undefined && errorCode === ErrorCode.None) {
          membership.compared(now(), { of, there, given: givenIn(group.members) });
          break;
        }
        if (isElsewhere(errorCode)) link.forget();
        if (!isPassing(errorCode)) break;
      } catch (thrown) {
        if (!errorFrom(thrown, "Cannot describe the group").retriable) break;
      }
      await pause(attempt);
    }
    onChange();
  }

  async name(topicIds: readonly Uuid[]): Promise<void> {
    const { tools, settings, membership, now, onChange, pause } = this.#member;
    const wanted = new Set(topicIds);
    const names = new Map<Uuid, string>();
    if (this.#nameFailureCount > 0) await pause(this.#nameFailureCount);
    try {
      const { topics, pattern } = settings;
      const found = await tools.metadata.topics(pattern === undefined ? topics : null);
      for (const topic of found.values()) {
        if (!(topic instanceof ClientError) && wanted.has(topic.topicId)) {
          names.set(topic.topicId, topic.name);
        }
      }
    } catch {
      // No broker answers: once more, behind a pause.
    }
    this.#nameFailureCount = names.size === wanted.size ? 0 : this.#nameFailureCount + 1;
    membership.named(now(), names);
    onChange();
  }
}

/** Partitions that members were given, by topic. */
function givenIn(members: readonly { readonly memberAssignment: Uint8Array }[]): PartitionCounts {
  const counts = new Map<string, number>();
  for (const { memberAssignment } of members) {
    for (
      const { topic, partitions } of readAssignment(memberAssignment)?.assignedPartitions ?? []
    ) {
      counts.set(topic, (counts.get(topic) ?? 0) + partitions.length);
    }
  }
  return counts;
}

/** Topics of which no replica stands in a rack are left out. */
function racksIn(
  found: ReadonlyMap<string, TopicMetadata | ClientError>,
  { brokers }: ClusterMetadata,
): PartitionRacks {
  const rackOf = new Map<number, string>();
  for (const { brokerId, rack } of brokers) if (rack !== null) rackOf.set(brokerId, rack);
  const racks = new Map<string, readonly ReadonlySet<string>[]>();
  if (rackOf.size === 0) return racks;
  for (const topic of found.values()) {
    if (topic instanceof ClientError) continue;
    const ofTopic = topic.partitions.map(({ replicas }) =>
      new Set(replicas.flatMap((brokerId) => rackOf.get(brokerId) ?? []))
    );
    racks.set(topic.name, ofTopic);
  }
  return racks;
}
