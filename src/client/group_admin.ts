/** Questions and orders about groups, each asked of the right coordinator. */
import type { ClientTools } from "./client_tools.ts";
import { describedGroups, listedGroups } from "./group_describe_call.ts";
import { lagOf } from "./group_lag_call.ts";
import { commitFor, expel, forgetOffsets, offsetsOf, removeGroups } from "./group_offsets_call.ts";
import type { TopicPartition } from "./group_options.ts";
import type {
  CommittedOffset,
  DescribedGroup,
  GroupLag,
  GroupLagOptions,
  GroupResult,
  ListedGroups,
  ListGroupsOptions,
  MemberToRemove,
  NewOffset,
  PartitionResult,
  RemovedMember,
} from "./group_results.ts";

const REASON = "removed by an administrator";

export class GroupAdmin {
  readonly #tools: ClientTools;

  constructor(tools: ClientTools) {
    this.#tools = tools;
  }

  /** All groups of all brokers, or those in these states and of these types. */
  async listGroups(options: ListGroupsOptions = {}): Promise<ListedGroups> {
    return await listedGroups(this.#tools, options);
  }

  /** Groups of both protocols, in the order asked for; GROUP_ID_NOT_FOUND for what is not there. */
  async describeGroups(
    groupIds: readonly string[],
    options: { readonly hasHistory?: boolean } = {},
  ): Promise<readonly DescribedGroup[]> {
    if (groupIds.length === 0) return [];
    return await describedGroups(this.#tools, groupIds, options.hasHistory ?? false);
  }

  /** Everything a group has committed, by topic and partition; none where there is no such group. */
  async groupOffsets(
    groupId: string,
    options: { readonly hasProgress?: boolean } = {},
  ): Promise<readonly CommittedOffset[]> {
    return await offsetsOf(this.#tools, groupId, options.hasProgress ?? false);
  }

  /** Commits in the name of a group that has no members; one that has refuses: UNKNOWN_MEMBER_ID. */
  async alterGroupOffsets(
    groupId: string,
    offsets: readonly NewOffset[],
  ): Promise<readonly PartitionResult[]> {
    if (offsets.length === 0) return [];
    return await commitFor(this.#tools, groupId, offsets);
  }

  /** Groups without members, with their commits. */
  async deleteGroups(groupIds: readonly string[]): Promise<readonly GroupResult[]> {
    if (groupIds.length === 0) return [];
    return await removeGroups(this.#tools, groupIds);
  }

  /** Forgets commits of topics to which no member is subscribed. */
  async deleteGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly PartitionResult[]> {
    if (partitions.length === 0) return [];
    return await forgetOffsets(this.#tools, groupId, partitions);
  }

  /** Takes members out of a group; null = all. A dynamic member that lives will join again. */
  async removeMembers(
    groupId: string,
    members: readonly MemberToRemove[] | null,
    reason: string = REASON,
  ): Promise<readonly RemovedMember[]> {
    let wanted = members;
    if (wanted === null) {
      const [group] = await describedGroups(this.#tools, [groupId], false);
      if (group?.error !== undefined) throw group.error;
      wanted = (group?.members ?? []).map(({ memberId, groupInstanceId }) =>
        groupInstanceId === null ? { memberId } : { memberId, groupInstanceId }
      );
    }
    if (wanted.length === 0) return [];
    return await expel(this.#tools, groupId, wanted, reason);
  }

  /** How far a group is behind, in records and in time. */
  async groupLag(groupId: string, options: GroupLagOptions = {}): Promise<GroupLag> {
    return await lagOf(this.#tools, groupId, options);
  }
}
