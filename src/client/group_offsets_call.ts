/** Offsets of a group read, set and forgotten; groups deleted, members removed. */
import { deleteGroups } from "../api/delete_groups.ts";
import { ErrorCode } from "../api/error_code.ts";
import { leaveGroup } from "../api/leave_group.ts";
import { offsetCommit } from "../api/offset_commit.ts";
import { offsetDelete } from "../api/offset_delete.ts";
import { offsetFetch } from "../api/offset_fetch.ts";
import { askCoordinator, askCoordinators } from "./ask_coordinators.ts";
import { ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import { byTopic, partitionKey } from "./group/partition_set.ts";
import type { TopicPartition } from "./group_options.ts";
import type {
  CommittedOffset,
  GroupResult,
  MemberToRemove,
  NewOffset,
  PartitionResult,
  RemovedMember,
} from "./group_results.ts";

/** The last versions that name topics by name. */
const VERSION_WITH_NAMES = 9;
/** KIP-709. */
const VERSION_WITH_GROUPS = 8;
/** KIP-345. */
const VERSION_WITH_MEMBERS = 3;
/** Who commits without being a member. */
const NO_GENERATION = -1;

export async function offsetsOf(
  tools: ClientTools,
  groupId: string,
  hasProgress: boolean,
): Promise<readonly CommittedOffset[]> {
  const action = "Cannot fetch the offsets of group";
  return await askCoordinator(tools, groupId, {
    action,
    isIdempotent: true,
    ask: async (connection) => {
      const version = connection.versionOf(offsetFetch, VERSION_WITH_NAMES) ?? 0;
      const body = version >= VERSION_WITH_GROUPS
        ? { groups: [{ groupId, topics: null }], includeProgress: hasProgress }
        : { groupId, topics: null };
      const answer = await connection.request(offsetFetch, body, {
        versionMax: VERSION_WITH_NAMES,
      });
      const told = version >= VERSION_WITH_GROUPS ? answer.groups[0] ?? answer : answer;
      if (told.errorCode !== ErrorCode.None) {
        return new Map([[groupId, errorOfCode(told.errorCode, `${action} ${groupId}`)]]);
      }
      const offsets = told.topics.flatMap(({ name: topic, partitions }) =>
        partitions.map((each): CommittedOffset => {
          const { partitionIndex: partition, errorCode } = each;
          const progress = "progress" in each ? each.progress : NO_PROGRESS;
          return {
            topic,
            partition,
            ...errorIn(errorCode, `Cannot fetch the offset of ${topic}-${partition}`),
            offset: each.committedOffset,
            leaderEpoch: each.committedLeaderEpoch,
            metadata: each.metadata ?? "",
            committedAtMs: progress.committedAtMs,
            advancedAtMs: progress.advancedAtMs,
          };
        })
      );
      return new Map([[groupId, offsets.sort(inOrder)]]);
    },
  });
}

const NO_PROGRESS = { committedAtMs: -1, advancedAtMs: -1 };

export async function commitFor(
  tools: ClientTools,
  groupId: string,
  offsets: readonly NewOffset[],
): Promise<readonly PartitionResult[]> {
  const wanted = new Map(offsets.map((offset) => [partitionKey(offset), offset]));
  const body = {
    groupId,
    generationIdOrMemberEpoch: NO_GENERATION,
    topics: byTopic(wanted.values()).map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.map((partition) => {
        const offset = wanted.get(partitionKey({ topic, partition }));
        return {
          partitionIndex: partition,
          committedOffset: offset?.offset ?? 0,
          committedLeaderEpoch: offset?.leaderEpoch ?? -1,
          committedMetadata: offset?.metadata ?? "",
        };
      }),
    })),
  };
  const answer = await askCoordinator(tools, groupId, {
    action: "Cannot commit for group",
    isIdempotent: true,
    ask: async (connection) => {
      const options = { versionMax: VERSION_WITH_NAMES };
      const { topics } = await connection.request(offsetCommit, body, options);
      const codes = codesIn(topics);
      return new Map([[groupId, passingIn(codes, `Cannot commit for group ${groupId}`) ?? codes]]);
    },
  });
  return resultsOf(offsets, answer, "Cannot commit");
}

export async function forgetOffsets(
  tools: ClientTools,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<readonly PartitionResult[]> {
  const action = "Cannot delete the offsets of group";
  const body = {
    groupId,
    topics: byTopic(partitions).map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.map((partitionIndex) => ({ partitionIndex })),
    })),
  };
  const answer = await askCoordinator(tools, groupId, {
    action,
    isIdempotent: true,
    ask: async (connection) => {
      const { errorCode, topics } = await connection.request(offsetDelete, body);
      return new Map([[
        groupId,
        errorCode === ErrorCode.None
          ? codesIn(topics)
          : errorOfCode(errorCode, `${action} ${groupId}`),
      ]]);
    },
  });
  return resultsOf(partitions, answer, "Cannot delete the offset of");
}

export async function removeGroups(
  tools: ClientTools,
  groupIds: readonly string[],
): Promise<readonly GroupResult[]> {
  const action = "Cannot delete group";
  const answers = await askCoordinators(tools, groupIds, {
    action,
    isIdempotent: false, // a group that is gone is refused
    ask: async (connection, ids) => {
      const { results } = await connection.request(deleteGroups, { groupsNames: ids });
      return new Map(results.map(({ groupId, errorCode }) => [
        groupId,
        errorCode === ErrorCode.None ? true : errorOfCode(errorCode, `${action} ${groupId}`),
      ]));
    },
  });
  return groupIds.map((groupId) => {
    const answer = answers.get(groupId);
    return answer instanceof ClientError ? { groupId, error: answer } : { groupId };
  });
}

export async function expel(
  tools: ClientTools,
  groupId: string,
  members: readonly MemberToRemove[],
  reason: string,
): Promise<readonly RemovedMember[]> {
  const answer = await askCoordinator(tools, groupId, {
    action: "Cannot remove members of group",
    isIdempotent: true,
    ask: async (connection) => {
      const action = `Cannot remove members of group ${groupId}`;
      if ((connection.versionOf(leaveGroup) ?? 0) < VERSION_WITH_MEMBERS) {
        return new Map([[groupId, new ClientError("UNSUPPORTED_VERSION", action)]]);
      }
      const { errorCode, members: told } = await connection.request(leaveGroup, {
        groupId,
        members: members.map(({ memberId = "", groupInstanceId = null }) => {
          return { memberId, groupInstanceId, reason };
        }),
      });
      return new Map([[
        groupId,
        errorCode === ErrorCode.None ? told : errorOfCode(errorCode, action),
      ]]);
    },
  });
  return members.map((member) => {
    const { memberId = "", groupInstanceId = null } = member;
    const own = answer.find((told) =>
      told.memberId === memberId && told.groupInstanceId === groupInstanceId
    );
    const action = `Cannot remove member ${groupInstanceId ?? memberId}`;
    return { ...member, ...errorIn(own?.errorCode ?? ErrorCode.UnknownServerError, action) };
  });
}

type Codes = ReadonlyMap<string, number>;

function codesIn(
  topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly errorCode: number;
    }[];
  }[],
): Codes {
  return new Map(
    topics.flatMap(({ name: topic, partitions }) =>
      partitions.map(({ partitionIndex: partition, errorCode }) =>
        [partitionKey({ topic, partition }), errorCode] as const
      )
    ),
  );
}

/** A coordinator that refuses as one says so of every partition. */
function passingIn(codes: Codes, action: string): ClientError | undefined {
  for (const code of codes.values()) {
    const isOfGroup = code === ErrorCode.NotCoordinator ||
      code === ErrorCode.CoordinatorNotAvailable || code === ErrorCode.CoordinatorLoadInProgress;
    if (isOfGroup) return errorOfCode(code, action);
  }
  return undefined;
}

function resultsOf(
  partitions: readonly TopicPartition[],
  codes: Codes,
  action: string,
): readonly PartitionResult[] {
  return partitions.map(({ topic, partition }) => {
    const code = codes.get(partitionKey({ topic, partition })) ?? ErrorCode.UnknownServerError;
    return { topic, partition, ...errorIn(code, `${action} ${topic}-${partition}`) };
  });
}

function errorIn(errorCode: number, action: string): { readonly error?: ClientError } {
  return errorCode === ErrorCode.None ? {} : { error: errorOfCode(errorCode, action) };
}

export function inOrder(left: TopicPartition, right: TopicPartition): number {
  if (left.topic !== right.topic) return left.topic < right.topic ? -1 : 1;
  return left.partition - right.partition;
}
