/** What a scripted broker answers to the questions about groups: the first broker coordinates them all. */
import { consumerGroupDescribe } from "../../src/api/consumer_group_describe.ts";
import { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import { deleteGroups } from "../../src/api/delete_groups.ts";
import { describeGroups } from "../../src/api/describe_groups.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { findCoordinator } from "../../src/api/find_coordinator.ts";
import { heartbeat } from "../../src/api/heartbeat.ts";
import { joinGroup } from "../../src/api/join_group.ts";
import { leaveGroup } from "../../src/api/leave_group.ts";
import { listGroups } from "../../src/api/list_groups.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import { offsetDelete } from "../../src/api/offset_delete.ts";
import { offsetFetch } from "../../src/api/offset_fetch.ts";
import type { Api, RequestOf, ResponseInput } from "../../src/api/schema.ts";
import { syncGroup } from "../../src/api/sync_group.ts";
import type { FakeBroker } from "./fake_broker.ts";
import type { FakeCluster } from "./fake_cluster.ts";
import type { FakeGroup } from "./fake_group.ts";

/** The answer; throws where it is no question about groups. */
export async function answerGroups(
  cluster: FakeCluster,
  broker: FakeBroker,
  { api, body, version }: { readonly api: Api; readonly body: unknown; readonly version: number },
): Promise<unknown> {
  switch (api) {
    case findCoordinator:
      return answerFind(cluster, body as RequestOf<typeof findCoordinator>);
    case joinGroup: {
      const asked = body as RequestOf<typeof joinGroup>;
      const isOurs = cluster.coordinatorOf(asked.groupId) === broker.nodeId;
      if (!isOurs) return { ...NO_JOIN, errorCode: ErrorCode.NotCoordinator };
      return await cluster.group(asked.groupId).join(asked);
    }
    case syncGroup: {
      const asked = body as RequestOf<typeof syncGroup>;
      const isOurs = cluster.coordinatorOf(asked.groupId) === broker.nodeId;
      if (!isOurs) return { errorCode: ErrorCode.NotCoordinator, assignment: new Uint8Array(0) };
      return await cluster.group(asked.groupId).sync(asked);
    }
    case heartbeat: {
      const asked = body as RequestOf<typeof heartbeat>;
      const isOurs = cluster.coordinatorOf(asked.groupId) === broker.nodeId;
      if (!isOurs) return { errorCode: ErrorCode.NotCoordinator };
      return { errorCode: cluster.group(asked.groupId).heartbeat(asked) };
    }
    case leaveGroup: {
      const asked = body as RequestOf<typeof leaveGroup>;
      const isOurs = cluster.coordinatorOf(asked.groupId) === broker.nodeId;
      if (!isOurs) return { errorCode: ErrorCode.NotCoordinator, members: [] };
      return answerLeave(cluster, asked);
    }
    case consumerGroupHeartbeat: {
      const asked = body as RequestOf<typeof consumerGroupHeartbeat>;
      const isOurs = cluster.coordinatorOf(asked.groupId) === broker.nodeId;
      if (!isOurs) return { errorCode: ErrorCode.NotCoordinator };
      return cluster.group(asked.groupId).consumerHeartbeat(asked);
    }
    case offsetCommit:
      return answerCommit(cluster, broker, body as RequestOf<typeof offsetCommit>);
    case offsetFetch:
      return answerOffsets(cluster, body as RequestOf<typeof offsetFetch>, version);
    default:
      return answerAdmin(cluster, broker, { api, body });
  }
}

const NO_JOIN = { protocolName: "", leader: "", memberId: "", members: [] };

function answerAdmin(
  cluster: FakeCluster,
  broker: FakeBroker,
  { api, body }: { readonly api: Api; readonly body: unknown },
): unknown {
  const own = [...cluster.groups].filter(([groupId]) =>
    cluster.coordinatorOf(groupId) === broker.nodeId
  );
  const groups = new Map(own);
  switch (api) {
    case listGroups:
      return {
        errorCode: 0,
        groups: own.map(([groupId, group]) => ({
          groupId,
          protocolType: "consumer",
          groupState: stateOf(group),
          groupType: group.consumers.size > 0 ? "consumer" : "classic",
        })),
      } satisfies ResponseInput<typeof listGroups>;
    case describeGroups:
      return answerDescribe(groups, body as RequestOf<typeof describeGroups>);
    case consumerGroupDescribe: {
      const { groupIds } = body as RequestOf<typeof consumerGroupDescribe>;
      return {
        groups: groupIds.map((groupId) => ({ groupId, errorCode: ErrorCode.GroupIdNotFound })),
      };
    }
    case deleteGroups: {
      const { groupsNames } = body as RequestOf<typeof deleteGroups>;
      return {
        results: groupsNames.map((groupId) => ({
          groupId,
          errorCode: cluster.groups.delete(groupId) ? 0 : ErrorCode.GroupIdNotFound,
        })),
      };
    }
    case offsetDelete: {
      const { groupId, topics } = body as RequestOf<typeof offsetDelete>;
      return {
        errorCode: 0,
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => {
            cluster.group(groupId).offsets.delete(`${name} ${partitionIndex}`);
            return { partitionIndex, errorCode: 0 };
          }),
        })),
      };
    }
    default:
      throw new Error(`Cannot answer ${api.name}`);
  }
}

function stateOf(group: FakeGroup): string {
  return group.consumers.size > 0 || group.state === "stable" ? "Stable" : "Empty";
}

function answerDescribe(
  groups: ReadonlyMap<string, FakeGroup>,
  body: RequestOf<typeof describeGroups>,
): ResponseInput<typeof describeGroups> {
  return {
    groups: body.groups.map((groupId) => {
      const group = groups.get(groupId);
      const nothing = { groupId, groupState: "Dead", protocolType: "", protocolData: "" };
      if (group === undefined) {
        return { ...nothing, errorCode: ErrorCode.GroupIdNotFound, members: [] };
      }
      return {
        ...nothing,
        errorCode: 0,
        groupState: stateOf(group),
        protocolType: "consumer",
        members: [...group.classic.values()].map(({ memberId, groupInstanceId, assignment }) => ({
          memberId,
          groupInstanceId,
          clientId: "mq",
          clientHost: "/client",
          memberMetadata: new Uint8Array(0),
          memberAssignment: assignment,
        })),
      };
    }),
  };
}

function answerFind(
  cluster: FakeCluster,
  body: RequestOf<typeof findCoordinator>,
): ResponseInput<typeof findCoordinator> {
  const found = (key: string): { nodeId: number; host: string; port: number } => {
    const nodeId = cluster.coordinatorOf(key);
    const broker = cluster.brokers.find((each) => each.nodeId === nodeId);
    return { nodeId, host: broker?.address.host ?? "", port: broker?.address.port ?? -1 };
  };
  return {
    ...found(body.key),
    coordinators: body.coordinatorKeys.map((key) => ({
      key,
      ...found(key),
      errorCode: 0,
      errorMessage: null,
    })),
  };
}

function answerLeave(
  cluster: FakeCluster,
  { groupId, members }: RequestOf<typeof leaveGroup>,
): ResponseInput<typeof leaveGroup> {
  return {
    errorCode: 0,
    members: members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
      errorCode: cluster.group(groupId).leave(memberId),
    })),
  };
}

function answerCommit(
  cluster: FakeCluster,
  broker: FakeBroker,
  body: RequestOf<typeof offsetCommit>,
): ResponseInput<typeof offsetCommit> {
  const group = cluster.group(body.groupId);
  const errorCode = cluster.coordinatorOf(body.groupId) === broker.nodeId
    ? group.checkCommit(body.memberId, body.generationIdOrMemberEpoch)
    : ErrorCode.NotCoordinator;
  return {
    topics: body.topics.map(({ name: given, topicId, partitions }) => {
      const name = given === "" ? cluster.topicById(topicId)?.name : given;
      return {
        name: given,
        topicId,
        partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch }) => {
          if (name === undefined) return { partitionIndex, errorCode: ErrorCode.UnknownTopicId };
          const key = `${name} ${partitionIndex}`;
          if (errorCode === 0) {
            group.offsets.set(key, committedOffset);
            group.leaderEpochs.set(key, committedLeaderEpoch);
          }
          return { partitionIndex, errorCode };
        }),
      };
    }),
  };
}

function answerOffsets(
  cluster: FakeCluster,
  body: RequestOf<typeof offsetFetch>,
  version: number,
): ResponseInput<typeof offsetFetch> {
  const placesIn = (
    groupId: string,
    topics: readonly { name: string; partitionIndexes: readonly number[] }[] | null,
  ): NonNullable<ResponseInput<typeof offsetFetch>["topics"]> => {
    const { offsets, leaderEpochs } = cluster.group(groupId);
    const asked = topics ?? [...offsets.keys()].map((key) => {
      const [name, partition] = key.split(" ") as [string, string];
      return { name, partitionIndexes: [Number(partition)] };
    });
    return asked.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: offsets.get(`${name} ${partitionIndex}`) ?? -1,
        committedLeaderEpoch: leaderEpochs.get(`${name} ${partitionIndex}`) ?? -1,
        metadata: "",
        errorCode: 0,
      })),
    }));
  };
  if (version < 8) return { topics: placesIn(body.groupId, body.topics) };
  return {
    groups: body.groups.map(({ groupId, topics }) => ({
      groupId,
      topics: placesIn(groupId, topics),
    })),
  };
}
