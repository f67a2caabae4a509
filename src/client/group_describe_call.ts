/**
 * Groups listed and described. A group is of one protocol or the other, and each has a question of its
 * own: both are asked, and the one that knows the group answers.
 */
import { readAssignment, readSubscription } from "../api/consumer_protocol.ts";
import { consumerGroupDescribe } from "../api/consumer_group_describe.ts";
import { describeGroups } from "../api/describe_groups.ts";
import { ErrorCode } from "../api/error_code.ts";
import { listGroups } from "../api/list_groups.ts";
import type { ResponseOf } from "../api/schema.ts";
import { askCoordinators } from "./ask_coordinators.ts";
import { ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Connection } from "./connection.ts";
import type {
  DescribedGroup,
  DescribedMember,
  GroupType,
  ListedGroup,
  ListedGroups,
  ListGroupsOptions,
  TopicAssignment,
} from "./group_results.ts";
import { askRetrying } from "./orders.ts";

const ACTION = "Cannot describe group";
const NO_GROUP = "Dead"; // what older brokers say of a group that is not there

export async function listedGroups(
  tools: ClientTools,
  options: ListGroupsOptions,
): Promise<ListedGroups> {
  const { brokers } = await askRetrying(tools, () => tools.metadata.cluster());
  const answers = await Promise.all(brokers.map(async ({ brokerId }) => {
    try {
      return await askRetrying(tools, () => listedOf(tools, brokerId, options));
    } catch (thrown) {
      const error = thrown as ClientError;
      if (error.code === "ABORTED") throw error;
      return { brokerId, error };
    }
  }));
  const groups = new Map<string, ListedGroup>();
  for (const answer of answers) {
    if ("error" in answer) continue;
    for (const group of answer) groups.set(group.groupId, group);
  }
  return {
    groups: [...groups.values()].sort((a, b) => a.groupId < b.groupId ? -1 : 1),
    errors: answers.flatMap((answer) => "error" in answer ? [answer] : []),
  };
}

async function listedOf(
  tools: ClientTools,
  brokerId: number,
  { states = [], types = [] }: ListGroupsOptions,
): Promise<readonly ListedGroup[]> {
  const connection = await tools.pool.broker(brokerId);
  const answer = await connection.request(listGroups, { statesFilter: states, typesFilter: types });
  if (answer.errorCode !== ErrorCode.None) {
    throw errorOfCode(answer.errorCode, `Cannot list the groups of broker ${brokerId}`);
  }
  const isWanted = (wanted: readonly string[], text: string): boolean =>
    wanted.length === 0 || text === "" ||
    wanted.some((each) => each.toLowerCase() === text.toLowerCase());
  return answer.groups
    .map(({ groupId, protocolType, groupState, groupType }) => ({
      groupId,
      protocolType,
      state: groupState,
      type: groupType === "" ? "unknown" : groupType.toLowerCase() as GroupType,
      coordinatorId: brokerId,
    }))
    // An older broker knows no filters, and tells all.
    .filter(({ state, type }) =>
      isWanted(states, state) && isWanted(types, type === "unknown" ? "" : type)
    );
}

export async function describedGroups(
  tools: ClientTools,
  groupIds: readonly string[],
  hasHistory: boolean,
): Promise<readonly DescribedGroup[]> {
  const answers = await askCoordinators(tools, groupIds, {
    action: ACTION,
    isIdempotent: true,
    ask: async (connection, ids, coordinatorId) => {
      const asked = { ids, coordinatorId, hasHistory };
      const [classic, consumer] = await Promise.all([
        describeClassic(connection, asked),
        connection.versionOf(consumerGroupDescribe) === undefined
          ? new Map<string, DescribedGroup | ClientError>()
          : describeConsumer(connection, asked),
      ]);
      return new Map(ids.map((groupId) => {
        const [first, second] = [consumer.get(groupId), classic.get(groupId)];
        if (first !== undefined && !(first instanceof ClientError)) return [groupId, first];
        const isOther = first === undefined || first.code === "GROUP_ID_NOT_FOUND" ||
          first.code === "UNSUPPORTED_VERSION";
        return [groupId, isOther && second !== undefined ? second : first ?? noGroup(groupId)];
      }));
    },
  });
  return groupIds.map((groupId) => {
    const answer = answers.get(groupId) ?? noGroup(groupId);
    return answer instanceof ClientError ? { ...NOTHING, groupId, error: answer } : answer;
  });
}

const NOTHING: Omit<DescribedGroup, "groupId"> = {
  type: "unknown",
  protocolType: "",
  state: "",
  assignor: "",
  groupEpoch: -1,
  assignmentEpoch: -1,
  coordinatorId: -1,
  members: [],
  history: [],
};

interface Asked {
  readonly ids: readonly string[];
  readonly coordinatorId: number;
  readonly hasHistory: boolean;
}

type Described = ReadonlyMap<string, DescribedGroup | ClientError>;

async function describeClassic(
  connection: Connection,
  { ids, coordinatorId, hasHistory }: Asked,
): Promise<Described> {
  const answer = await connection.request(describeGroups, {
    groups: ids,
    includeHistory: hasHistory,
  });
  return new Map(answer.groups.map((group): [string, DescribedGroup | ClientError] => {
    const { groupId, groupState, protocolType, protocolData, members, history } = group;
    if (group.errorCode !== ErrorCode.None) {
      return [groupId, errorOfCode(group.errorCode, `${ACTION} ${groupId}`, group.errorMessage)];
    }
    if (groupState === NO_GROUP) return [groupId, noGroup(groupId)];
    return [groupId, {
      ...NOTHING,
      groupId,
      type: "classic",
      protocolType,
      state: groupState,
      assignor: protocolData,
      coordinatorId,
      members: members.map(classicMember),
      history,
    }];
  }));
}

function classicMember(
  member: ResponseOf<typeof describeGroups>["groups"][number]["members"][number],
): DescribedMember {
  const { memberId, groupInstanceId, clientId, clientHost } = member;
  const subscription = readSubscription(member.memberMetadata);
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    rackId: subscription?.rackId ?? null,
    type: "classic",
    memberEpoch: -1,
    subscribedTopics: subscription?.topics ?? [],
    subscribedPattern: null,
    assignment: readAssignment(member.memberAssignment)?.assignedPartitions ?? [],
    targetAssignment: null,
  };
}

async function describeConsumer(
  connection: Connection,
  { ids, coordinatorId, hasHistory }: Asked,
): Promise<Described> {
  const answer = await connection.request(consumerGroupDescribe, {
    groupIds: ids,
    includeHistory: hasHistory,
  });
  return new Map(answer.groups.map((group): [string, DescribedGroup | ClientError] => {
    const { groupId, groupState, groupEpoch, assignmentEpoch, assignorName } = group;
    if (group.errorCode !== ErrorCode.None) {
      return [groupId, errorOfCode(group.errorCode, `${ACTION} ${groupId}`, group.errorMessage)];
    }
    return [groupId, {
      groupId,
      type: "consumer",
      protocolType: "consumer",
      state: groupState,
      assignor: assignorName,
      groupEpoch,
      assignmentEpoch,
      coordinatorId,
      members: group.members.map(consumerMember),
      history: group.history,
    }];
  }));
}

const MEMBER_TYPES: readonly DescribedMember["type"][] = ["classic", "consumer"];

function consumerMember(
  member: ResponseOf<typeof consumerGroupDescribe>["groups"][number]["members"][number],
): DescribedMember {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost } = member;
  return {
    memberId,
    groupInstanceId: instanceId,
    clientId,
    clientHost,
    rackId,
    type: MEMBER_TYPES[member.memberType] ?? "unknown",
    memberEpoch,
    subscribedTopics: member.subscribedTopicNames,
    subscribedPattern: member.subscribedTopicRegex === "" ? null : member.subscribedTopicRegex,
    assignment: assignmentOf(member.assignment),
    targetAssignment: assignmentOf(member.targetAssignment),
  };
}

function assignmentOf(
  { topicPartitions }: {
    readonly topicPartitions: readonly {
      readonly topicName: string;
      readonly partitions: readonly number[];
    }[];
  },
): readonly TopicAssignment[] {
  return topicPartitions.map(({ topicName, partitions }) => ({ topic: topicName, partitions }));
}

function noGroup(groupId: string): ClientError {
  return errorOfCode(ErrorCode.GroupIdNotFound, `${ACTION} ${groupId}`);
}
